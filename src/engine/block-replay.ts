import type { Input, Sink } from '../derive/operator.ts';
import { InvalidValueWarning } from '../exceptions/warnings.ts';
import { assert } from '../model/assert.ts';
import { type Block, type Column, EMPTY_BLOCK, rawBlock, VALUE_COLUMN } from '../model/block.ts';
import { Granularity } from '../model/granularity.ts';
import type { DeriveSource, StreamId, StreamRecord } from '../model/stream.ts';
import { ALL_TIME, intersectRanges, isEmptyRange, type TimeRange } from '../model/time-range.ts';
import { type ValueCodec, valueCodecOf } from '../model/value.ts';
import { PAGE_ROW_COUNT_MAX, type PageSource } from './block-reader.ts';
import type { Visit } from './input-merge.ts';
import type { OperatorRun } from './operator-run.ts';
import type { SourceStream } from './source-cursor.ts';

/** Rows that are held of all sources together, about: a stream may derive from thousands. */
const ROW_COUNT_MAX = 262_144;
const PAGE_ROW_COUNT_MIN = 1024;
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

/** The sources of a derived stream, in their order, over the part of the range that counts for it. */
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
  const firstRowCount = isLong ? rowCountMax : PAGE_ROW_COUNT_MIN;
  return derivation.sources.map(
    (source, index) =>
      new BlockSource(pages, {
        source,
        record: streams[index]!.record,
        range,
        firstRowCount,
        rowCountMax,
      }),
  );
}

interface BlockSourceOptions {
  readonly source: DeriveSource;
  readonly record: StreamRecord;
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
    { source, record, range, firstRowCount, rowCountMax }: BlockSourceOptions,
  ) {
    const { streamId, granularity, afterMs } = source;
    const startMs = afterMs === null ? range.startMs : Math.max(range.startMs, afterMs + 1);
    this.#pages = pages;
    this.#request = { streamId, granularity: Granularity.byName(granularity) };
    this.#codec = valueCodecOf(record);
    this.#rest = intersectRanges({ startMs, endMs: range.endMs }, ALL_TIME);
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
    this.#row = row;
    this.timestampMs = timestamps[row] ?? Number.POSITIVE_INFINITY;
    return isWanted;
  }
}

type MutableInput = { -readonly [Key in keyof Input]: Input[Key] };

/**
 * Gives the inputs of all sources in canonical order, as `mergeInputs` does. As long as only one source has
 * inputs, they come in one go.
 */
export async function mergeBlocks(sources: readonly BlockSource[], visit: Visit): Promise<void> {
  const input: MutableInput = { timestampMs: 0, source: 0, value: null };
  for (const source of sources) await source.fill();
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
    // All sources that have the same instant are taken in one pass: they may be many.
    const last = otherMs === firstMs ? sources.length - 1 : first;
    const endMs = otherMs === firstMs ? firstMs : otherMs;
    for (let index = first; index <= last; index++) {
      const source = sources[index]!;
      input.source = index;
      // The rows of an instant may go on in the next block.
      while (source.timestampMs === firstMs || source.timestampMs < endMs) {
        if (!source.visitBefore(endMs, input, visit)) return;
        if (source.isStarved) await source.fill();
      }
    }
  }
}

/** Columns that outputs are gathered in; one that is not in use waits here for the next window. */
interface Columns {
  timestamps: Float64Array;
  values: Float64Array;
}

const FIRST_ROW_COUNT = 4096;
const spare: Columns[] = [];

/** Gathers the outputs of an operator of a plain numeric stream, as `OutputRows` does. */
export class FloatRows implements Sink {
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
    assert(timestampMs >= this.#lastMs, 'outputs come in order of time');
    assert(value === null || typeof value === 'number', 'an operator of floats gives numbers');
    const columns = this.#columns;
    const row = this.#rowCount++;
    if (row === columns.timestamps.length) {
      columns.timestamps = doubled(columns.timestamps);
      columns.values = doubled(columns.values);
    }
    this.#lastMs = timestampMs;
    columns.timestamps[row] = timestampMs;
    columns.values[row] = value === null || !Number.isFinite(value) ? Number.NaN : value;
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
