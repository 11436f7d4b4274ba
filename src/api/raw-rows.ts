import type { Backend, SkippedRows } from '../backends/backend.ts';
import { readBlocks } from '../engine/block-reader.ts';
import {
  type Block,
  type Column,
  concatBlocks,
  ownBlock,
  reverseColumns,
  sliceBlock,
  VALUE_COLUMN,
} from '../model/block.ts';
import type { Granularity } from '../model/granularity.ts';
import type { StreamSnapshot } from '../model/stream.ts';
import type { TimeRange } from '../model/time-range.ts';
import type { ColumnsPlan, WholeRows } from './datapoint-rows.ts';
import type { ItemBlock } from './item-block.ts';
import { RawValues } from './raw-values.ts';
import type { Datapoint, DatapointColumns } from './types.ts';

export interface RawRead {
  readonly snapshot: StreamSnapshot;
  readonly granularity: Granularity;
  readonly range: TimeRange;
  readonly isReverse: boolean;
}

const VALUE_COLUMNS: readonly string[] = Object.freeze([VALUE_COLUMN]);

/** A read of fewer rows asks for just these. */
const FEW_ROWS_MAX = 1024;

/** Raw datapoints, as they are stored. */
export class RawRows implements WholeRows {
  readonly #backend: Backend;
  readonly #read: RawRead;
  readonly #given: RawValues;

  constructor(backend: Backend, read: RawRead) {
    this.#backend = backend;
    this.#read = read;
    this.#given = new RawValues(read.snapshot.record);
  }

  async count(): Promise<number> {
    return (await this.#skip(Number.POSITIVE_INFINITY)).rowCount;
  }

  /** Whether there are more rows than that. Reads at most about so many. */
  async hasMoreThan(rowCountMax: number): Promise<boolean> {
    const { rowCount, rest } = await this.#skip(rowCountMax);
    if (rest === null) return rowCount > rowCountMax;
    let seenCount = rowCount;
    for await (const { timestamps } of this.#stored(rest, rowCountMax + 1 - rowCount)) {
      seenCount += timestamps.length;
      if (seenCount > rowCountMax) return true;
    }
    return false;
  }

  async *blocks(from: number, to: number): AsyncGenerator<ItemBlock<Datapoint>, void, undefined> {
    for await (const { timestamps, columns } of this.#rows(from, to)) {
      const column = columns[VALUE_COLUMN]!;
      const values = this.#given.column(column);
      yield values instanceof Float64Array
        ? new NumberDatapoints(timestamps, values)
        : new ValueDatapoints(timestamps, values);
    }
  }

  whole(): ColumnsPlan {
    const { granularity, range, isReverse } = this.#read;
    return {
      rows: { granularity, range, columns: VALUE_COLUMNS },
      finish: (block) => this.#columns(isReverse ? reverseBlock(block) : block),
    };
  }

  async columns(from: number, to: number): Promise<DatapointColumns> {
    const blocks: Block[] = [];
    for await (const block of this.#rows(from, to)) blocks.push(block);
    // Several blocks are copied by being put together.
    return this.#columns(blocks.length === 1 ? ownBlock(blocks[0]!) : concatBlocks(blocks));
  }

  async *columnBlocks(from: number, to: number): AsyncGenerator<DatapointColumns, void, undefined> {
    for await (const { timestamps, columns } of this.#rows(from, to)) {
      yield { timestamps, values: this.#given.column(columns[VALUE_COLUMN]!) };
    }
  }

  /** Of a block that is the caller's to keep. */
  #columns({ timestamps, columns }: Block): DatapointColumns {
    const column = columns[VALUE_COLUMN];
    // A block without rows need not have columns either, and may be anybody's.
    if (column === undefined)
      return { timestamps: new Float64Array(0), values: new Float64Array(0) };
    return { timestamps, values: this.#given.column(column) };
  }

  /** Stored rows at the positions `[from, to)` of the asked order. */
  async *#rows(from: number, to: number): AsyncGenerator<Block, void, undefined> {
    if (to <= from) return;
    // Few rows are read along sooner than they are passed over.
    const skipped = await this.#skip(from < FEW_ROWS_MAX ? 0 : from);
    const { rest } = skipped;
    if (rest === null) return;
    let position = skipped.rowCount;
    for await (const block of this.#stored(rest, to - position)) {
      const rowCount = block.timestamps.length;
      const start = Math.min(rowCount, Math.max(0, from - position));
      const end = Math.min(rowCount, to - position);
      const ordered = this.#read.isReverse ? reverseBlock(block) : block;
      if (end > start) yield sliceBlock(ordered, start, end);
      position += rowCount;
      if (position >= to) return;
    }
  }

  /** Passes over rows at the start of the asked order, at most so many: what is left may begin before. */
  async #skip(rowCountMax: number): Promise<SkippedRows> {
    const { snapshot, granularity, range, isReverse } = this.#read;
    const request = { streamId: snapshot.record.id, granularity, isReverse };
    let rowCount = 0;
    let rest: TimeRange | null = range;
    while (rest !== null && rowCount < rowCountMax) {
      const skipped: SkippedRows = await this.#backend.skipRows({
        ...request,
        range: rest,
        rowCountMax: rowCountMax - rowCount,
      });
      rowCount += skipped.rowCount;
      const isSame = skipped.rest?.startMs === rest.startMs && skipped.rest.endMs === rest.endMs;
      rest = skipped.rest;
      if (isSame) break;
    }
    return { rowCount, rest };
  }

  /** Values in the range, of which so many rows are wanted. */
  #stored(range: TimeRange, rowCount: number): AsyncGenerator<Block, void, undefined> {
    const { snapshot, granularity, isReverse } = this.#read;
    const request = { streamId: snapshot.record.id, granularity, range };
    return readBlocks(this.#backend, request, {
      isReverse,
      columns: VALUE_COLUMNS,
      ...(rowCount < FEW_ROWS_MAX ? { firstRowCount: Math.max(1, rowCount) } : {}),
    });
  }
}

function reverseBlock({ timestamps, columns }: Block): Block {
  return { timestamps: timestamps.toReversed(), columns: reverseColumns(columns) };
}

/** Made one by one, when they are asked for: most are let go of before the next one is made. */
class NumberDatapoints implements ItemBlock<Datapoint> {
  readonly length: number;
  readonly #timestamps: Float64Array;
  readonly #values: Float64Array;

  constructor(timestamps: Float64Array, values: Float64Array) {
    this.length = timestamps.length;
    this.#timestamps = timestamps;
    this.#values = values;
  }

  at(row: number): Datapoint {
    const value = this.#values[row]!;
    return { t: new Date(this.#timestamps[row]!), v: Number.isNaN(value) ? null : value };
  }
}

class ValueDatapoints implements ItemBlock<Datapoint> {
  readonly length: number;
  readonly #timestamps: Float64Array;
  readonly #values: Column;

  constructor(timestamps: Float64Array, values: Column) {
    this.length = timestamps.length;
    this.#timestamps = timestamps;
    this.#values = values;
  }

  at(row: number): Datapoint {
    return { t: new Date(this.#timestamps[row]!), v: this.#values[row] };
  }
}
