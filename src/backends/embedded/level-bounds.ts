import type { BlockStore } from './block-store.ts';
import type { LevelState } from './level-state.ts';
import type { StreamState } from './stream-state.ts';

/** Fewer levels are read one by one. */
const WALK_COUNT_MIN = 2;

/** The state of a level with its bounds, read from the blocks when they are not known. */
export function boundedLevel(blocks: BlockStore, stream: StreamState, level: number): LevelState {
  const state = stream.level(level);
  if (!state.areBoundsKnown) state.noteBlocks(blocks.bounds({ ordinal: stream.ordinal, level }));
  return state;
}

/**
 * Reads the bounds of the raw rows of many streams from the blocks, where they are not known. Null is
 * a stream that is not there.
 */
export function boundRawLevels(blocks: BlockStore, streams: readonly (StreamState | null)[]): void {
  const unknown = [...new Set(streams)].filter(
    (stream): stream is StreamState =>
      stream !== null && !stream.level(stream.rawLevel).areBoundsKnown,
  );
  if (unknown.length < WALK_COUNT_MIN) return;
  unknown.sort((a, b) => a.rawLevel - b.rawLevel || a.ordinal - b.ordinal);
  const places = unknown.map(({ ordinal, rawLevel: level }) => ({ ordinal, level }));
  let index = 0;
  for (const bounds of blocks.boundsOfMany(places)) {
    const stream = unknown[index++]!;
    stream.level(stream.rawLevel).noteBlocks(bounds);
  }
}
