import type { Backend } from '../backends/backend.ts';
import type { FinishedColumns } from '../downsamplers/level-schema.ts';
import { PAGE_ROW_COUNT_MAX } from '../engine/block-reader.ts';
import type { Block, Column } from '../model/block.ts';
import { bucketCeilMs } from '../model/granularity.ts';
import type { RangeSet } from '../model/staleness.ts';
import { intersectRanges, isEmptyRange, type TimeRange } from '../model/time-range.ts';
import { bucketStarts } from './bucket-starts.ts';
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
    this.#extent = {
      startMs: clipped.startMs,
      endMs: Math.max(clipped.startMs, bucketCeilMs(clipped.endMs, granularity)),
    };
  }

  get #bucketCount(): number {
    return isEmptyRange(this.#extent)
      ? 0
      : (this.#extent.endMs - this.#extent.startMs) / this.#read.granularity.durationMs;
  }

  async count(): Promise<number> {
    return this.#bucketCount;
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
  *#windows(from: number, to: number, bucketCountMax: number): Generator<TimeRange> {
    const end = Math.min(to, this.#bucketCount);
    for (let position = from; position < end; position += bucketCountMax) {
      yield this.#rangeOf(position, Math.min(position + bucketCountMax, end));
    }
  }

  async #filledBuckets(range: TimeRange): Promise<FilledBuckets> {
    const buckets = await this.#buckets.read(range);
    const gaps = this.#fill === null ? null : await this.#fill.rowOf(range, buckets.block);
    const held = (await this.#held?.columnsOf(range, buckets.block)) ?? null;
    return { ...buckets, gaps, held };
  }

  /** Of each bucket, ascending: 1 where it was computed for the read. */
  #liveFlags(range: TimeRange, live: RangeSet): Uint8Array {
    const { durationMs } = this.#read.granularity;
    const flags = new Uint8Array((range.endMs - range.startMs) / durationMs);
    for (const { startMs, endMs } of live) {
      flags.fill(1, (startMs - range.startMs) / durationMs, (endMs - range.startMs) / durationMs);
    }
    return flags;
  }

  #rangeOf(from: number, to: number): TimeRange {
    const { isReverse } = this.#read;
    const { durationMs } = this.#read.granularity;
    const { startMs, endMs } = this.#extent;
    return isReverse
      ? { startMs: endMs - to * durationMs, endMs: endMs - from * durationMs }
      : { startMs: startMs + from * durationMs, endMs: startMs + to * durationMs };
  }

  /** From a block that is not used any more. */
  #finish(range: TimeRange, { block, live, gaps, held }: FilledBuckets): DatapointColumns {
    const { granularity, selection, isReverse } = this.#read;
    const bucketCount = (range.endMs - range.startMs) / granularity.durationMs;
    const finished = selection.finishColumns(block, granularity);
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
    const { durationMs } = granularity;
    const timestamps = bucketStarts(range, granularity);
    /** Of each stored row. */
    const positions = new Uint32Array(block.timestamps.length);
    for (let row = 0; row < positions.length; row++) {
      positions[row] = (block.timestamps[row]! - range.startMs) / durationMs;
    }
    const bucketCount = timestamps.length;
    const empty = selection.emptyDatapoint(range.startMs, granularity);
    const spreadTimes = (column: Column, letter: string): Float64Array => {
      const time = empty.t![letter];
      const times = emptyFloats(bucketCount, time);
      // Empty buckets differ in nothing but their mean time, which moves along with them.
      if (time instanceof Date) for (let i = 1; i < bucketCount; i++) times[i]! += i * durationMs;
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
