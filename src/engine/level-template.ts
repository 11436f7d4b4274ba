import type { AdvanceWrite } from '../backends/backend.ts';
import type { SharedLevel } from '../downsamplers/side-by-side-fold.ts';
import type { Block } from '../model/block.ts';
import { bucketEndMs, type Granularity } from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import type { TimeRange } from '../model/time-range.ts';
import { COUNT_LETTER } from '../model/value-letters.ts';
import type { ComputedRange } from './level-draft.ts';
import type { PreparedChange } from './prepared-change.ts';

/** What was computed of one stream, for others whose rows have the same instants. */
export interface LevelTemplate {
  /** Finest first; the columns that follow from times are those of all the streams. */
  readonly advances: readonly AdvanceWrite[];
  /** How the rows of each level become the buckets of the next one, raw rows first. */
  readonly levels: readonly SharedLevel[];
  readonly timestamps: Float64Array;
  /** The ranges with their buckets, without columns. */
  readonly computed: readonly ComputedRange[];
  readonly changed: PreparedChange['changed'];
}

/** The raw rows that a change was computed from; null when it was computed from other stored rows, too. */
export function rawRangeOf({ snapshot, changed }: PreparedChange): TimeRange | null {
  const { levels } = snapshot.record;
  const granularities = ladderOf(snapshot.record).levels;
  for (const [index, { granularity, range }] of changed.entries()) {
    if (granularity !== granularities[index]!.name) return null;
    const finer = changed[index - 1];
    // Without a watermark, nothing of it is stored before its range.
    if (finer === undefined || (levels[finer.granularity]?.untilMs ?? null) === null) continue;
    if (range.startMs < finer.range.startMs) return null;
  }
  return changed[0]?.range ?? null;
}

/**
 * @param timestamps of the raw rows.
 * @returns null when the change does more than to add buckets at the end of each level, or left out rows.
 */
export function templateOf(
  { update, isComplete, writes, changed }: PreparedChange,
  timestamps: Float64Array,
): LevelTemplate | null {
  if (update !== null || !isComplete) return null;
  const advances: AdvanceWrite[] = [];
  for (const write of writes) {
    if (write.kind !== 'advance' || write.block.timestamps.length === 0) return null;
    advances.push(write);
  }
  const levels = advances.map(({ granularity, block, untilMs }, index) => {
    const finer = advances[index - 1];
    const ends =
      finer === undefined
        ? endsOfCounts(block)
        : endsOfBuckets(finer.block.timestamps, { granularity, untilMs });
    return { ends };
  });
  // Rows without data are in no bucket.
  if (levels[0]?.ends.at(-1) !== timestamps.length) return null;
  const computed = advances.map(({ granularity, block }, index) => ({
    granularity,
    range: changed[index]!.range,
    block: { timestamps: block.timestamps, columns: {} },
  }));
  return { advances, levels, timestamps, computed, changed };
}

/** Where the rows of each bucket end, when each row is a datapoint with data. */
function endsOfCounts({ columns }: Block): Int32Array {
  let end = 0;
  return Int32Array.from(columns[COUNT_LETTER] as Float64Array, (count) => {
    end += count;
    return end;
  });
}

/** Where the finer buckets of each bucket end. */
function endsOfBuckets(
  timestamps: Float64Array,
  { granularity, untilMs }: { granularity: Granularity; untilMs: number },
): Int32Array {
  const ends: number[] = [];
  let endMs = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < timestamps.length && timestamps[row]! < untilMs; row++) {
    const timestampMs = timestamps[row]!;
    if (timestampMs >= endMs) {
      endMs = bucketEndMs(timestampMs, granularity);
      ends.push(row);
    }
    ends[ends.length - 1] = row + 1;
  }
  return Int32Array.from(ends);
}
