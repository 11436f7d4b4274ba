import type { BlockStore } from './block-store.ts';
import type { LevelState } from './level-state.ts';
import type { StreamState } from './stream-state.ts';

/** The state of a level with its bounds, read from the blocks when they are not known. */
export function boundedLevel(blocks: BlockStore, stream: StreamState, level: number): LevelState {
  const state = stream.level(level);
  if (!state.areBoundsKnown) state.noteBlocks(blocks.bounds({ ordinal: stream.ordinal, level }));
  return state;
}
