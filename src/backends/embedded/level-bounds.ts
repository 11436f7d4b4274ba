import type { BlockStore } from './block-store.ts';
import type { LevelPlace } from './journal-entry.ts';
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

/** A level of a stream. */
export interface StreamLevel {
  readonly stream: StreamState;
  readonly level: number;
}

/** Reads the bounds of many levels from the blocks in one walk, where they are not known. */
export function boundLevels(blocks: BlockStore, levels: Iterable<StreamLevel>): void {
  const unknown = new Map<LevelState, LevelPlace>();
  for (const { stream, level } of levels) {
    const state = stream.level(level);
    if (!state.areBoundsKnown) unknown.set(state, { ordinal: stream.ordinal, level });
  }
  if (unknown.size < WALK_COUNT_MIN) return;
  const sorted = [...unknown].sort(([, a], [, b]) => a.level - b.level || a.ordinal - b.ordinal);
  const places = sorted.map(([, place]) => place);
  let index = 0;
  for (const bounds of blocks.boundsOfMany(places)) sorted[index++]![0].noteBlocks(bounds);
}

/** The same for the raw rows of streams; null is one that is not there. */
export function boundRawLevels(blocks: BlockStore, streams: readonly (StreamState | null)[]): void {
  const levels: StreamLevel[] = [];
  for (const stream of streams) {
    if (stream !== null) levels.push({ stream, level: stream.rawLevel });
  }
  boundLevels(blocks, levels);
}
