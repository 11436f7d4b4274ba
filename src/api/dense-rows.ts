import type { Backend } from '../backends/backend.ts';
import type { FinishedColumns } from '../downsamplers/level-selection.ts';
import { PAGE_ROW_COUNT_MAX } from '../engine/block-reader.ts';
import { type Block, type Column, lowerBound } from '../model/block.ts';
import { bucketCountOf, bucketStartsOf, bucketWindows } from '../model/buckets.ts';
import { bucketCeilMs } from '../model/granularity.ts';
import type { RangeSet } from '../model/staleness.ts';
import { intersectRanges, isEmptyRange, type TimeRange } from '../model/time-range.ts';
import { mapColumns, reverseDatapoints } from './datapoint-columns.ts';
import type { ColumnsPlan, WholeRows } from './datapoint-rows.ts';
import type { BucketRow, FillMethod } from './gap-fill.ts';
import { type HeldColumns, HeldStatistics, setHeld } from './held-statistics.ts';
import { type Buckets, LevelBuckets, type LevelSource } from './level-buckets.ts';
import { LevelFill } from './level-fill.ts';
import { OBJECT_COUNT_MAX } from './sequence.ts';
import type { Datapoint, DatapointColumns } from './types.ts';

export interface LevelRead extends LevelSource {
  /** Of bucket starts. */
  readonly range: TimeRange;
  readonly isReverse: boolean;
  /** What buckets without data show; null: nothing. */
  readonly fill: FillMethod | null;
  /** When the last value ceases to be held, in buckets that are not over then. */
  readonly heldUntilMs: number;
}

interface FilledBuckets extends Buckets {
  /** Statistics of values that are held; null where none are wanted. */
  readonly held: HeldColumns | null;
  /** What is to be filled; null for nothing. */
  readonly gaps: BucketRow | null;
}

/** Buckets of a lower level: those with data, and the empty ones between them, which nobody stores. */
export class DenseRows implements WholeRows {
  readonly #read: LevelRead;
  readonly #buckets: LevelBuckets;
  readonly #fill: LevelFill | null;
  readonly #held: HeldStatistics | null;
  /** From the first bucket to show to the end of the last one. */
  readonly #extent: TimeRange;

  constructor(backend: Backend, read: LevelRead) {
    this.#read = read;
    this.#buckets = new LevelBuckets(backend, read);
    const { granularity, range, fill } = read;
    this.#fill = fill === null ? null : new LevelFill(fill, read, this.#buckets);
    this.#held = read.selection.isOfHeld ? new HeldStatistics(read, this.#buckets) : null;
    const clipped = intersectRanges(range, this.#buckets.range);
    const { startMs } = clipped;
    this.#extent = isEmptyRange(clipped)
      ? { startMs, endMs: startMs }
      : { startMs, endMs: bucketCeilMs(clipped.endMs, granularity) };
  }

  async count(): Promise<number> {
    return bucketCountOf(this.#extent, this.#read.granularity);
  }

  async *blocks(from: number, to: number): AsyncGenerator<readonly Datapoint[], void, undefined> {
    const { granularity, selection, isReverse } = this.#read;
    for (const range of this.#windows(from, to, OBJECT_COUNT_MAX)) {
      const { block, live, gaps, held } = await this.#filledBuckets(range);
      const datapoints = selection.datapoints(block, range, granularity) as Datapoint[];
      if (held !== null) setHeld(datapoints, held);
      if (gaps !== null) this.#fill?.gaps.fillDatapoints(datapoints, gaps);
      if (live !== null) markLive(datapoints, this.#liveFlags(range, live));
      yield isReverse ? datapoints.reverse() : datapoints;
    }
  }

  whole(): ColumnsPlan {
    const { granularity, selection } = this.#read;
    const range = this.#extent;
    return {
      rows: { granularity, range, columns: selection.columns },
      finish: (block) => {
        const buckets = { block, live: null, gaps: null };
        return this.#held === null
          ? this.#finish(range, { ...buckets, held: null })
          : this.#held
              .columnsOf(range, block)
              .then((held) => this.#finish(range, { ...buckets, held }));
      },
    };
  }

  async columns(from: number, to: number): Promise<DatapointColumns> {
    const [range = this.#noRange] = this.#windows(from, to, Number.POSITIVE_INFINITY);
    return this.#finish(range, await this.#filledBuckets(range));
  }

  async *columnBlocks(from: number, to: number): AsyncGenerator<DatapointColumns, void, undefined> {
    for (const range of this.#windows(from, to, PAGE_ROW_COUNT_MAX)) {
      yield this.#finish(range, await this.#filledBuckets(range));
    }
  }

  get #noRange(): TimeRange {
    return { startMs: this.#extent.startMs, endMs: this.#extent.startMs };
  }

  /** The buckets at the positions `[from, to)` of the asked order, cut into windows. */
  #windows(from: number, to: number, bucketCountMax: number): Iterable<TimeRange> {
    const { granularity, isReverse } = this.#read;
    return bucketWindows(this.#extent, granularity, { from, to, bucketCountMax, isReverse });
  }

  async #filledBuckets(range: TimeRange): Promise<FilledBuckets> {
    const buckets = await this.#buckets.read(range);
    const gaps = this.#fill === null ? null : await this.#fill.rowOf(range, buckets.block);
    const held = (await this.#held?.columnsOf(range, buckets.block)) ?? null;
    return { ...buckets, gaps, held };
  }

  /** Of each bucket, ascending: 1 where it was computed for the read. */
  #liveFlags(range: TimeRange, live: RangeSet): Uint8Array {
    const starts = bucketStartsOf(range, this.#read.granularity);
    const flags = new Uint8Array(starts.length);
    for (const { startMs, endMs } of live) {
      flags.fill(1, lowerBound(starts, startMs), lowerBound(starts, endMs));
    }
    return flags;
  }

  /** From a block that is not used any more. */
  #finish(range: TimeRange, { block, live, gaps, held }: FilledBuckets): DatapointColumns {
    const { granularity, selection, isReverse } = this.#read;
    const bucketCount = bucketCountOf(range, granularity);
    const finished = selection.finishColumns(block);
    const own =
      block.timestamps.length === bucketCount
        ? { timestamps: block.timestamps, ...finished }
        : this.#spread(range, block, finished);
    const columns = held === null ? own : { ...own, v: { ...own.v, ...held } };
    if (gaps !== null && columns.v !== undefined) this.#fill?.gaps.fillColumns(columns.v, gaps);
    const marked = live === null ? columns : { ...columns, live: this.#liveFlags(range, live) };
    return isReverse ? reverseDatapoints(marked) : marked;
  }

  /** Finished rows at their buckets' positions, and what an empty bucket has everywhere else. */
  #spread(range: TimeRange, block: Block, { v, t }: FinishedColumns): DatapointColumns {
    const { granularity, selection } = this.#read;
    const { durationMs, calendar } = granularity;
    const timestamps = bucketStartsOf(range, granularity);
    /** Of each stored row. */
    const positions = new Uint32Array(block.timestamps.length);
    for (let row = 0, position = 0; row < positions.length; row++) {
      while (timestamps[position]! < block.timestamps[row]!) position++;
      positions[row] = position;
    }
    const bucketCount = timestamps.length;
    const empty = selection.emptyDatapoint(range.startMs, granularity);
    const spreadTimes = (column: Column, letter: string): Float64Array => {
      const time = empty.t![letter];
      const times = emptyFloats(bucketCount, time);
      // Empty buckets differ in nothing but their mean time, which moves along with them.
      if (time instanceof Date) {
        for (let i = 1; i < bucketCount; i++) {
          if (calendar === null) times[i]! += i * durationMs;
          else times[i] = Number(selection.emptyDatapoint(timestamps[i]!, granularity).t![letter]);
        }
      }
      return placed(times, column, positions);
    };
    return {
      timestamps,
      ...(v && {
        v: mapColumns(v, (column, letter) =>
          column instanceof Float64Array
            ? placed(emptyFloats(bucketCount, empty.v![letter]), column, positions)
            : placed(new Array<unknown>(bucketCount).fill(empty.v![letter]), column, positions),
        ),
      }),
      ...(t && { t: mapColumns(t, spreadTimes) }),
    };
  }
}

function emptyFloats(rowCount: number, value: unknown): Float64Array {
  return new Float64Array(rowCount).fill(value === null ? Number.NaN : Number(value));
}

/** Writes the rows of the column to their positions. */
function placed<Target extends Float64Array | unknown[]>(
  target: Target,
  column: Column,
  positions: Uint32Array,
): Target {
  for (let row = 0; row < positions.length; row++) {
    (target as unknown[])[positions[row]!] = column[row];
  }
  return target;
}

/** In order of time. */
function markLive(datapoints: Datapoint[], flags: Uint8Array): void {
  for (const [index, flag] of flags.entries()) {
    if (flag === 1) datapoints[index] = { ...datapoints[index]!, live: true };
  }
}
