import type { Backend } from '../backends/backend.ts';
import type { LevelSelection } from '../downsamplers/level-schema.ts';
import { PAGE_ROW_COUNT_MAX, readBlocks } from '../engine/block-reader.ts';
import { readableRange } from '../engine/source-cursor.ts';
import { type Block, concatBlocks, lowerBound, reverseColumns } from '../model/block.ts';
import { bucketCeilMs, type Granularity } from '../model/granularity.ts';
import type { StreamSnapshot } from '../model/stream.ts';
import { intersectRanges, isEmptyRange, type TimeRange } from '../model/time-range.ts';
import type { DatapointRows } from './datapoint-rows.ts';
import { OBJECT_COUNT_MAX } from './sequence.ts';
import type { Datapoint, DatapointColumns } from './types.ts';

export interface LevelRead {
  readonly snapshot: StreamSnapshot;
  readonly granularity: Granularity;
  /** Of bucket starts. */
  readonly range: TimeRange;
  readonly isReverse: boolean;
  readonly selection: LevelSelection;
}

type NamedColumns = Readonly<Record<string, Float64Array | readonly unknown[]>>;

/** Buckets of a lower level: those with data, and the empty ones between them, which nobody stores. */
export class DenseRows implements DatapointRows {
  readonly #backend: Backend;
  readonly #read: LevelRead;
  /** From the first bucket to show to the end of the last one. */
  readonly #extent: TimeRange;

  constructor(backend: Backend, read: LevelRead) {
    this.#backend = backend;
    this.#read = read;
    const { granularity, range, snapshot } = read;
    const clipped = intersectRanges(range, readableRange(backend, snapshot, granularity));
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
    for await (const { range, block } of this.#windows(from, to, OBJECT_COUNT_MAX)) {
      const datapoints: Datapoint[] = [];
      let row = 0;
      for (let startMs = range.startMs; startMs < range.endMs; startMs += granularity.durationMs) {
        const isStored = block.timestamps[row] === startMs;
        const datapoint = isStored
          ? selection.datapoint(block, row, granularity)
          : selection.emptyDatapoint(startMs, granularity);
        if (isStored) row++;
        datapoints.push(datapoint as Datapoint);
      }
      yield isReverse ? datapoints.reverse() : datapoints;
    }
  }

  async *columnBlocks(from: number, to: number): AsyncGenerator<DatapointColumns, void, undefined> {
    for await (const { range, block } of this.#windows(from, to, PAGE_ROW_COUNT_MAX)) {
      const columns = this.#finish(range, block);
      yield this.#read.isReverse ? reverseDatapoints(columns) : columns;
    }
  }

  joinColumns(blocks: readonly DatapointColumns[]): DatapointColumns {
    if (blocks.length === 1) return blocks[0]!;
    const { startMs } = this.#extent;
    if (blocks.length === 0) {
      const none = { timestamps: new Float64Array(0), columns: {} };
      return this.#finish({ startMs, endMs: startMs }, none);
    }
    const join = (part: (columns: DatapointColumns) => NamedColumns): NamedColumns =>
      concatBlocks(blocks.map((block) => ({ timestamps: block.timestamps, columns: part(block) })))
        .columns;
    const { v, t } = blocks[0]!;
    return {
      timestamps: concatBlocks(blocks.map(({ timestamps }) => ({ timestamps, columns: {} })))
        .timestamps,
      ...(v === undefined ? {} : { v: join((block) => block.v!) }),
      ...(t === undefined ? {} : { t: join((block) => block.t!) as Record<string, Float64Array> }),
    };
  }

  /** The buckets at the positions `[from, to)` of the asked order, window by window. */
  async *#windows(
    from: number,
    to: number,
    bucketCountMax: number,
  ): AsyncGenerator<{ readonly range: TimeRange; readonly block: Block }, void, undefined> {
    const { granularity, isReverse, selection, snapshot } = this.#read;
    const end = Math.min(to, this.#bucketCount);
    for (let position = from; position < end; position += bucketCountMax) {
      const range = this.#rangeOf(position, Math.min(position + bucketCountMax, end), isReverse);
      const blocks: Block[] = [];
      const request = { streamId: snapshot.record.id, granularity, range };
      const options = { columns: selection.columns, firstRowCount: bucketCountMax };
      for await (const block of readBlocks(this.#backend, request, options)) blocks.push(block);
      yield { range, block: concatBlocks(blocks) };
    }
  }

  #rangeOf(from: number, to: number, isReverse: boolean): TimeRange {
    const { durationMs } = this.#read.granularity;
    const { startMs, endMs } = this.#extent;
    return isReverse
      ? { startMs: endMs - to * durationMs, endMs: endMs - from * durationMs }
      : { startMs: startMs + from * durationMs, endMs: startMs + to * durationMs };
  }

  #finish(range: TimeRange, block: Block): DatapointColumns {
    const { granularity, selection } = this.#read;
    const { durationMs } = granularity;
    const bucketCount = (range.endMs - range.startMs) / durationMs;
    const finished = selection.finishColumns(block, granularity);
    if (block.timestamps.length === bucketCount)
      return { timestamps: block.timestamps, ...finished };
    const timestamps = Float64Array.from(
      { length: bucketCount },
      (_, i) => range.startMs + i * durationMs,
    );
    const rows = Int32Array.from(timestamps, (startMs) => {
      const row = lowerBound(block.timestamps, startMs);
      return block.timestamps[row] === startMs ? row : -1;
    });
    const { v, t } = finished;
    // Empty buckets differ in nothing but their mean time, which moves along with them.
    const empty = selection.emptyDatapoint(range.startMs, granularity);
    const emptyTimeAt = (letter: string, index: number): unknown => {
      const time = empty.t![letter];
      return time instanceof Date ? time.getTime() + index * durationMs : time;
    };
    return {
      timestamps,
      ...(v === undefined ? {} : { v: spread(v, rows, (letter) => empty.v![letter]) }),
      ...(t === undefined
        ? {}
        : { t: spread(t, rows, emptyTimeAt) as Record<string, Float64Array> }),
    };
  }
}

/** The columns with the rows at their buckets' positions, and what an empty bucket has everywhere else. */
function spread(
  columns: NamedColumns,
  rows: Int32Array,
  emptyAt: (letter: string, index: number) => unknown,
): NamedColumns {
  const result: Record<string, Float64Array | readonly unknown[]> = {};
  for (const [letter, column] of Object.entries(columns)) {
    const at = (row: number, i: number): unknown => (row < 0 ? emptyAt(letter, i) : column[row]);
    result[letter] =
      column instanceof Float64Array
        ? Float64Array.from(rows, (row, i) => Number(at(row, i) ?? Number.NaN))
        : Array.from(rows, at);
  }
  return result;
}

function reverseDatapoints({ timestamps, v, t }: DatapointColumns): DatapointColumns {
  return {
    timestamps: timestamps.toReversed(),
    ...(v === undefined ? {} : { v: reverseColumns(v) }),
    ...(t === undefined ? {} : { t: reverseColumns(t) as Record<string, Float64Array> }),
  };
}
