import type { AlignedRows, Input, InputRows, NumberSink } from '../derive/operator.ts';
import { InvalidValueWarning } from '../exceptions/warnings.ts';
import { assert } from '../model/assert.ts';
import { type Block, type Column, EMPTY_BLOCK, rawBlock, VALUE_COLUMN } from '../model/block.ts';
import { Granularity } from '../model/granularity.ts';
import type { DeriveSource, StreamId, StreamRecord } from '../model/stream.ts';
import { intersectRanges, isEmptyRange, NO_RANGE, type TimeRange } from '../model/time-range.ts';
import { type ValueCodec, valueCodecOf } from '../model/value.ts';
import { PAGE_ROW_COUNT_MAX, type PageSource } from './block-reader.ts';
import type { Visit } from './input-merge.ts';
import type { OperatorRun } from './operator-run.ts';
import type { SourceStream } from './source-cursor.ts';

/** Rows that are held of all sources together, about: a stream may derive from thousands. */
const ROW_COUNT_MAX = 262_144;
const PAGE_ROW_COUNT_MIN = 1024;
/** Of a window, which mostly ends with the input after the change. */
const WINDOW_PAGE_ROW_COUNT = 8;
const PAGE_GROWTH = 4;

const NO_TIMES: Float64Array = new Float64Array(0);
/** Whether the operator reads raw datapoints only, in float64: then `openBlockSources` is quicker than cursors. */
export function readsRawFloats(
  { derivation, arithmeticKind }: OperatorRun,
  streams: readonly SourceStream[],
): boolean {
  return (
    arithmeticKind === 'float' &&
    derivation.sources.every(
      ({ granularity }, index) => granularity === streams[index]!.record.highestGranularity,
    )
  );
}

/**
 * The sources of a derived stream, in their order, over the part of the range that counts for it, with the
 * datapoints between the first and the last one of `streams`: whoever rests on them sees to it that these
 * are still so at the end.
 */
export function openBlockSources(
  pages: PageSource,
  {
    derivation,
    streams,
    range,
    isLong,
  }: {
    readonly derivation: OperatorRun['derivation'];
    readonly streams: readonly SourceStream[];
    readonly range: TimeRange;
    /** Whether it will be read to its end, rather than for a few rows. */
    readonly isLong: boolean;
  },
): readonly BlockSource[] {
  const share = Math.floor(ROW_COUNT_MAX / Math.max(streams.length, 1));
  const rowCountMax = Math.min(Math.max(share, PAGE_ROW_COUNT_MIN), PAGE_ROW_COUNT_MAX);
  const firstRowCount = isLong ? rowCountMax : WINDOW_PAGE_ROW_COUNT;
  return derivation.sources.map(
    (source, index) =>
      new BlockSource(pages, {
        source,
        stream: streams[index]!,
        range,
        firstRowCount,
        rowCountMax,
      }),
  );
}

interface BlockSourceOptions {
  readonly source: DeriveSource;
  readonly stream: SourceStream;
  readonly range: TimeRange;
  readonly firstRowCount: number;
  readonly rowCountMax: number;
}

/** The raw datapoints of one source, block by block. */
export class BlockSource {
  /** Of the current row; +Infinity at the end. Valid after `fill`. */
  timestampMs: number = Number.POSITIVE_INFINITY;
  readonly #pages: PageSource;
  readonly #request: { readonly streamId: StreamId; readonly granularity: Granularity };
  readonly #codec: ValueCodec;
  readonly #rowCountMax: number;
  #rowCount: number;
  #rest: TimeRange | null;
  #timestamps: Float64Array = NO_TIMES;
  #values: Column = NO_TIMES;
  #row = 0;

  constructor(
    pages: PageSource,
    { source, stream, range, firstRowCount, rowCountMax }: BlockSourceOptions,
  ) {
    const { streamId, granularity, afterMs } = source;
    const startMs = afterMs === null ? range.startMs : Math.max(range.startMs, afterMs + 1);
    this.#pages = pages;
    this.#request = { streamId, granularity: Granularity.byName(granularity) };
    this.#codec = valueCodecOf(stream.record);
    this.#rest = intersectRanges({ startMs, endMs: range.endMs }, extentOf(stream));
    this.#rowCount = firstRowCount;
    this.#rowCountMax = rowCountMax;
  }

  /** Whether the next block has to be read, or there is none. */
  get isStarved(): boolean {
    return this.#row >= this.#timestamps.length && this.#rest !== null;
  }

  /** Reads until there is a current row, or the end is known. */
  async fill(): Promise<void> {
    while (this.isStarved) {
      const range = this.#rest!;
      if (isEmptyRange(range)) {
        this.#rest = null;
        break;
      }
      const page = await this.#pages.readPage({
        ...this.#request,
        range,
        rowCountMax: this.#rowCount,
      });
      this.#rowCount = Math.min(this.#rowCount * PAGE_GROWTH, this.#rowCountMax);
      this.#rest = page.rest;
      this.#timestamps = page.block.timestamps;
      this.#values = page.block.columns[VALUE_COLUMN] ?? NO_TIMES;
      this.#row = 0;
    }
    this.timestampMs = this.#timestamps[this.#row] ?? Number.POSITIVE_INFINITY;
  }

  /** The rest of the current block; null where it is not of float64 values. */
  get floats(): FloatBlock | null {
    const values = this.#values;
    if (!(values instanceof Float64Array)) return null;
    return { timestamps: this.#timestamps, values, from: this.#row };
  }

  /** Leaves out the rows of the current block before this one. */
  moveTo(row: number): void {
    this.#row = row;
    this.timestampMs = this.#timestamps[row] ?? Number.POSITIVE_INFINITY;
  }

  /** As `visitBefore`, for a block of float64 values, whose rows go out together. */
  takeBefore(endMs: number, source: number, takeRows: TakeRows): boolean {
    const { timestamps, values, from } = this.floats!;
    const to = endRow(timestamps, { from, endMs });
    const takenTo = takeRows({ source, timestamps, values, from, to });
    this.moveTo(takenTo);
    return takenTo === to;
  }

  /**
   * Visits rows of the current block, the ones of the current instant and all before `endMs`. The input's
   * source is set.
   * @returns false when `visit` did: the row is left.
   */
  visitBefore(endMs: number, input: MutableInput, visit: Visit): boolean {
    const timestamps = this.#timestamps;
    const values = this.#values;
    const currentMs = this.timestampMs;
    const isFloat = values instanceof Float64Array;
    let row = this.#row;
    let isWanted = true;
    for (; row < timestamps.length; row++) {
      const timestampMs = timestamps[row]!;
      if (timestampMs >= endMs && timestampMs !== currentMs) break;
      input.timestampMs = timestampMs;
      if (isFloat) {
        const value = values[row]!;
        input.value = Number.isNaN(value) ? null : value;
      } else {
        input.value = values[row] === null ? null : this.#codec.toOperand(values[row], 'float');
      }
      isWanted = visit(input);
      if (!isWanted) break;
    }
    this.moveTo(row);
    return isWanted;
  }
}

/** From the first datapoint to the last one. */
function extentOf({ earliestMs, latestMs }: SourceStream): TimeRange {
  if (earliestMs === null || latestMs === null) return NO_RANGE;
  return { startMs: earliestMs, endMs: latestMs + 1 };
}

/** Rows of a block, from one on. */
interface FloatBlock {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  readonly from: number;
}

/** The row after those of the current instant and all before `endMs`. */
function endRow(
  timestamps: Float64Array,
  { from, endMs }: { from: number; endMs: number },
): number {
  if (timestamps[timestamps.length - 1]! < endMs) return timestamps.length;
  const currentMs = timestamps[from]!;
  let row = from;
  while (row < timestamps.length && (timestamps[row]! < endMs || timestamps[row] === currentMs)) {
    row++;
  }
  return row;
}

/** Takes inputs of one source, and gives the row that it left, which is `to` to go on. */
type TakeRows = (rows: InputRows) => number;

/** Who takes many float64 inputs at once, where they come so. */
export interface ColumnTakers {
  readonly takeRows?: TakeRows | undefined;
  readonly aligned?: {
    /** Whether rows from this instant on could be taken. */
    readonly canTake: (timestampMs: number) => boolean;
    /** Gives how many it took, maybe none; the others are visited. */
    readonly take: (rows: AlignedRows) => number;
  };
}

type MutableInput = { -readonly [Key in keyof Input]: Input[Key] };

/**
 * Gives the inputs of all sources in canonical order, as `mergeInputs` does. As long as only one source has
 * inputs, they come in one go.
 */
export async function mergeBlocks(
  sources: readonly BlockSource[],
  visit: Visit,
  { takeRows, aligned }: ColumnTakers = {},
): Promise<void> {
  const input: MutableInput = { timestampMs: 0, source: 0, value: null };
  let unalignedUntilMs = Number.NEGATIVE_INFINITY;
  await Promise.all(sources.map((source) => source.fill()));
  for (;;) {
    let first = 0;
    let firstMs = Number.POSITIVE_INFINITY;
    let otherMs = Number.POSITIVE_INFINITY;
    for (let index = 0; index < sources.length; index++) {
      const { timestampMs } = sources[index]!;
      if (timestampMs < firstMs) {
        otherMs = firstMs;
        firstMs = timestampMs;
        first = index;
      } else if (timestampMs < otherMs) {
        otherMs = timestampMs;
      }
    }
    if (firstMs === Number.POSITIVE_INFINITY) return;
    if (aligned !== undefined && firstMs > unalignedUntilMs && aligned.canTake(firstMs)) {
      const rows = alignedRows(sources);
      if (rows !== null) {
        const takenCount = aligned.take(rows);
        unalignedUntilMs = rows.timestamps[rows.rowCount - 1]!;
        if (takenCount > 0) {
          for (const [index, { from }] of rows.sources.entries()) {
            sources[index]!.moveTo(from + takenCount);
          }
          await Promise.all(sources.filter((source) => source.isStarved).map((s) => s.fill()));
          continue;
        }
      }
    }
    // All sources that have the same instant are taken in one pass: they may be many.
    const last = otherMs === firstMs ? sources.length - 1 : first;
    const endMs = otherMs === firstMs ? firstMs : otherMs;
    for (let index = first; index <= last; index++) {
      const source = sources[index]!;
      input.source = index;
      // The rows of an instant may go on in the next block.
      while (source.timestampMs === firstMs || source.timestampMs < endMs) {
        const isWanted =
          takeRows !== undefined && source.floats !== null
            ? source.takeBefore(endMs, index, takeRows)
            : source.visitBefore(endMs, input, visit);
        if (!isWanted) return;
        if (source.isStarved) await source.fill();
      }
    }
  }
}

/** The rows from the current ones on that all sources have at the same instants; null when there are none. */
function alignedRows(sources: readonly BlockSource[]): AlignedRows | null {
  const blocks: FloatBlock[] = [];
  for (const { floats } of sources) {
    if (floats === null) return null;
    blocks.push(floats);
  }
  const [first] = blocks;
  const timestamps = first!.timestamps.subarray(first!.from);
  let rowCount = timestamps.length;
  for (const block of blocks) rowCount = equalRowCount(timestamps.subarray(0, rowCount), block);
  return rowCount === 0 ? null : { timestamps, rowCount, sources: blocks };
}

function equalRowCount(expected: Float64Array, { timestamps, from }: FloatBlock): number {
  const rowCount = Math.min(expected.length, timestamps.length - from);
  for (let row = 0; row < rowCount; row++) {
    if (timestamps[from + row] !== expected[row]) return row;
  }
  return rowCount;
}

/** Columns that outputs are gathered in; one that is not in use waits here for the next window. */
interface Columns {
  timestamps: Float64Array;
  values: Float64Array;
}

const FIRST_ROW_COUNT = 4096;
const spare: Columns[] = [];

/** Gathers the outputs of an operator of a plain numeric stream, as `OutputRows` does. */
export class FloatRows implements NumberSink {
  readonly #streamId: StreamId;
  readonly #columns: Columns = spare.pop() ?? {
    timestamps: new Float64Array(FIRST_ROW_COUNT),
    values: new Float64Array(FIRST_ROW_COUNT),
  };
  #rowCount = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** To be given once the rows are durable: what is computed in vain has nothing to say. */
  readonly warnings: InvalidValueWarning[] = [];

  constructor({ id }: StreamRecord) {
    this.#streamId = id;
  }

  emit({ timestampMs, value }: { timestampMs: number; value: unknown }): void {
    assert(value === null || typeof value === 'number', 'an operator of floats gives numbers');
    this.emitFloat(timestampMs, value === null || !Number.isFinite(value) ? Number.NaN : value);
  }

  emitFloat(timestampMs: number, value: number): void {
    assert(timestampMs >= this.#lastMs, 'outputs come in order of time');
    const columns = this.#columns;
    const row = this.#rowCount++;
    if (row === columns.timestamps.length) {
      columns.timestamps = doubled(columns.timestamps);
      columns.values = doubled(columns.values);
    }
    this.#lastMs = timestampMs;
    columns.timestamps[row] = timestampMs;
    columns.values[row] = value;
  }

  warn(message: string): void {
    this.warnings.push(new InvalidValueWarning(`Derived stream ${this.#streamId}: ${message}`));
  }

  /** The rows, once: nothing can be emitted afterwards. */
  block(): Block {
    const { timestamps, values } = this.#columns;
    const block =
      this.#rowCount === 0
        ? EMPTY_BLOCK
        : rawBlock(timestamps.slice(0, this.#rowCount), values.slice(0, this.#rowCount));
    this.#rowCount = 0;
    this.#lastMs = Number.POSITIVE_INFINITY;
    spare.push(this.#columns);
    return block;
  }
}

function doubled(column: Float64Array): Float64Array {
  const longer = new Float64Array(column.length * 2);
  longer.set(column);
  return longer;
}
