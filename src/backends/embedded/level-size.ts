import { ALL_TIME } from '../../model/time-range.ts';
import type { StreamSize } from '../backend.ts';
import type { BlockStore } from './block-store.ts';
import type { LevelPlace } from './journal-entry.ts';
import type { LevelState } from './level-state.ts';
import { isLoose, rowsIn } from './tail.ts';

/** What a timestamp and a number take where they are in no block yet. */
const LOOSE_ROW_SIZE_BYTES = 16;
const NO_COLUMNS: readonly string[] = [];

/** Adds up what the blocks of a level say of themselves, and what waits behind them; decodes none. */
export function levelSize(
  blocks: BlockStore,
  level: LevelPlace,
  state: LevelState | null,
): StreamSize {
  let rowCount = 0;
  let sizeBytes = 0;
  for (const stored of blocks.inRange(level, { range: ALL_TIME, isReverse: false })) {
    rowCount += blocks.header(stored).rowCount;
    sizeBytes += stored.bytes.length;
  }
  for (const part of state?.pendingParts(ALL_TIME) ?? []) {
    if (isLoose(part)) {
      const count = rowsIn(part, ALL_TIME, NO_COLUMNS).timestamps.length;
      rowCount += count;
      sizeBytes += count * LOOSE_ROW_SIZE_BYTES;
    } else {
      rowCount += part.rowCount;
      sizeBytes += part.bytes.length;
    }
  }
  return { rowCount, sizeBytes };
}
