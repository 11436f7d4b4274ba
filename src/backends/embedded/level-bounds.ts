import type { BlockStore } from './block-store.ts';
import type { LevelState, StreamState } from './view.ts';

/** The state of a level with its bounds, read from the blocks when they are not known. */
export function boundedLevel(blocks: BlockStore, stream: StreamState, level: number): LevelState {
  const state = stream.level(level);
  if (state.areBoundsKnown) return state;
  const stored = blocks.bounds({ ordinal: stream.ordinal, level });
  state.firstMs = stored?.firstMs ?? Number.POSITIVE_INFINITY;
  state.lastMs = stored?.lastMs ?? Number.NEGATIVE_INFINITY;
  if (state.tail !== null) state.noteRows(state.tail.firstMs, state.tail.lastMs);
  state.areBoundsKnown = true;
  return state;
}
