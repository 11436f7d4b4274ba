import type { Backend } from '../backends/backend.ts';
import { LevelSchema } from '../downsamplers/level-schema.ts';
import { type Block, VALUE_COLUMN } from '../model/block.ts';
import {
  bucketBeforeMs,
  bucketCeilMs,
  bucketEndMs,
  bucketStartMs,
  Granularity,
} from '../model/granularity.ts';
import type { DeriveSource, StreamRecord } from '../model/stream.ts';
import { intersectRanges, isEmptyRange, NO_RANGE, type TimeRange } from '../model/time-range.ts';
import { valueCodecOf } from '../model/value.ts';
import { type PageSource, readBlocks } from './block-reader.ts';
import { levelStartMs } from './expiry.ts';

/** What a cursor must know about the stream that it reads. */
export interface SourceStream {
  readonly record: StreamRecord;
  readonly earliestMs: number | null;
  readonly latestMs: number | null;
}

export type ArithmeticKind = 'float' | 'decimal';

/** Inputs of one source, one after the other, with the values as operators want them. */
export interface SourceCursor {
  /** Of the current input; +Infinity (-Infinity when reversed) at the end. Valid after `fill`. */
  timestampMs: number;
  value: unknown;
  /** Whether `advance` needs a `fill` first. */
  readonly isStarved: boolean;
  /** Reads until there is a current input, or the end is known. */
  fill(): Promise<void>;
  /** Goes to the next input. Call only when not starved and not at the end. */
  advance(): void;
}

export interface CursorOptions {
  readonly isReverse?: boolean;
  readonly arithmetic: ArithmeticKind;
  readonly firstRowCount?: number;
}

/** Opens a cursor over the part of the range where the source counts for the derived stream. */
export function openCursor(
  pages: PageSource,
  { source, stream, range }: { source: DeriveSource; stream: SourceStream; range: TimeRange },
  options: CursorOptions,
): SourceCursor {
  const counted = source.afterMs === null ? range : countedRange(range, source.afterMs);
  const isLevel = source.granularity !== stream.record.highestGranularity;
  const granularity = Granularity.byName(source.granularity);
  const dense = isLevel ? denseRange(stream, granularity) : null;
  const clipped = dense === null ? counted : intersectRanges(counted, dense);
  const { isReverse = false, firstRowCount } = options;
  const blocks = readBlocks(
    pages,
    { streamId: source.streamId, granularity, range: clipped },
    {
      isReverse,
      ...(isLevel ? { columns: ['c', 's'] } : {}),
      ...(firstRowCount === undefined ? {} : { firstRowCount }),
    },
  );
  const operands = isLevel
    ? meanOperands(options.arithmetic, stream.record)
    : valueOperands(options.arithmetic, stream.record);
  const rows = new RowCursor(blocks, operands, isReverse);
  if (!isLevel || isEmptyRange(clipped)) return rows;
  return new DenseCursor(rows, alignedRange(clipped, granularity), { granularity, isReverse });
}

/** A cursor over rows that are already in memory. */
export function openBlockCursor(
  block: Block,
  stream: SourceStream,
  arithmetic: ArithmeticKind,
): SourceCursor {
  return new BlockCursor(block, valueOperands(arithmetic, stream.record));
}

/**
 * The buckets that a level has from its first one to its watermark, empty ones included: those that
 * derived streams follow, wherever the level's rows come from.
 */
function denseRange(
  stream: Pick<SourceStream, 'record' | 'earliestMs'>,
  granularity: Granularity,
): TimeRange {
  const endMs = stream.record.levels[granularity.name]?.untilMs ?? null;
  const startMs = levelStartMs(stream, granularity);
  return endMs === null || startMs === null ? NO_RANGE : { startMs, endMs };
}

/**
 * The buckets of a level that callers can read, empty ones included: of a stored one those that are
 * computed, of one that the server computes all up to the bucket of the latest datapoint.
 */
export function readableRange(
  { supports }: Pick<Backend, 'supports'>,
  stream: SourceStream,
  granularity: Granularity,
): TimeRange {
  if (supports.levels === 'stored') return denseRange(stream, granularity);
  const { record, earliestMs, latestMs } = stream;
  if (earliestMs === null || latestMs === null || LevelSchema.of(record).isEmpty) return NO_RANGE;
  return {
    startMs: bucketStartMs(earliestMs, granularity),
    endMs: bucketEndMs(latestMs, granularity),
  };
}

function countedRange(range: TimeRange, afterMs: number): TimeRange {
  return { startMs: Math.max(range.startMs, afterMs + 1), endMs: range.endMs };
}

function alignedRange(range: TimeRange, granularity: Granularity): TimeRange {
  return {
    startMs: bucketCeilMs(range.startMs, granularity),
    endMs: bucketCeilMs(range.endMs, granularity),
  };
}

type OperandsOf = (block: Block) => (row: number) => unknown;

function valueOperands(arithmetic: ArithmeticKind, record: StreamRecord): OperandsOf {
  const codec = valueCodecOf(record);
  return (block) => {
    const column = block.columns[VALUE_COLUMN]!;
    if (column instanceof Float64Array && arithmetic === 'float') {
      return (row) => {
        const value = column[row]!;
        return Number.isNaN(value) ? null : value;
      };
    }
    if (column instanceof Float64Array) {
      return (row) => {
        const value = column[row]!;
        return Number.isNaN(value) ? null : codec.toOperand(value, arithmetic);
      };
    }
    return (row) => (column[row] === null ? null : codec.toOperand(column[row], arithmetic));
  };
}

/** A level contributes its mean: the group of sum and count that each bucket is. */
function meanOperands(arithmetic: ArithmeticKind, record: StreamRecord): OperandsOf {
  const codec = valueCodecOf(record);
  return (block) => {
    const counts = block.columns['c'] as Float64Array;
    const sums = block.columns['s'];
    // Rows from before the stream kept the sum have none.
    if (sums === undefined) return () => null;
    return (row) => {
      const c = counts[row]!;
      const s = sums[row]!;
      return c === 0 || s === null || Number.isNaN(s)
        ? null
        : codec.toOperand({ c, s }, arithmetic);
    };
  };
}

/** Never waits: live derivation opens one for every source of every batch. */
class BlockCursor implements SourceCursor {
  readonly isStarved = false;
  timestampMs: number;
  value: unknown;
  readonly #timestamps: Float64Array;
  readonly #operandAt: (row: number) => unknown;
  #row = 0;

  constructor(block: Block, operandsOf: OperandsOf) {
    this.#timestamps = block.timestamps;
    this.#operandAt = block.timestamps.length > 0 ? operandsOf(block) : () => null;
    this.timestampMs = this.#timestamps[0] ?? Number.POSITIVE_INFINITY;
    this.value = this.#operandAt(0);
  }

  async fill(): Promise<void> {}

  advance(): void {
    this.#row++;
    const isAtEnd = this.#row >= this.#timestamps.length;
    this.timestampMs = isAtEnd ? Number.POSITIVE_INFINITY : this.#timestamps[this.#row]!;
    this.value = isAtEnd ? null : this.#operandAt(this.#row);
  }
}

class RowCursor implements SourceCursor {
  timestampMs: number;
  value: unknown = null;
  isStarved = true;
  readonly #blocks: AsyncGenerator<Block, void, undefined>;
  readonly #operandsOf: OperandsOf;
  readonly #isReverse: boolean;
  #block: Block | null = null;
  #operandAt: (row: number) => unknown = () => null;
  #row = 0;

  constructor(
    blocks: AsyncGenerator<Block, void, undefined>,
    operandsOf: OperandsOf,
    isReverse: boolean,
  ) {
    this.#blocks = blocks;
    this.#operandsOf = operandsOf;
    this.#isReverse = isReverse;
    this.timestampMs = isReverse ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }

  async fill(): Promise<void> {
    if (!this.isStarved) return;
    const next = await this.#blocks.next();
    this.isStarved = false;
    if (next.done) {
      this.timestampMs = this.#isReverse ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
      this.value = null;
      return;
    }
    this.#block = next.value;
    this.#operandAt = this.#operandsOf(next.value);
    this.#row = this.#isReverse ? next.value.timestamps.length - 1 : 0;
    this.#show();
  }

  advance(): void {
    this.#row += this.#isReverse ? -1 : 1;
    if (this.#row < 0 || this.#row >= this.#block!.timestamps.length) this.isStarved = true;
    else this.#show();
  }

  #show(): void {
    this.timestampMs = this.#block!.timestamps[this.#row]!;
    this.value = this.#operandAt(this.#row);
  }
}

/** Shows the empty buckets between stored ones as null inputs: levels are dense, their storage is not. */
class DenseCursor implements SourceCursor {
  timestampMs: number;
  value: unknown = null;
  readonly #rows: RowCursor;
  readonly #granularity: Granularity;
  readonly #isReverse: boolean;
  readonly #lastMs: number;
  readonly #endMs: number;

  constructor(
    rows: RowCursor,
    range: TimeRange,
    { granularity, isReverse }: { granularity: Granularity; isReverse: boolean },
  ) {
    this.#rows = rows;
    this.#granularity = granularity;
    this.#isReverse = isReverse;
    this.#endMs = isReverse ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    const lastMs = bucketBeforeMs(range.endMs, granularity);
    this.timestampMs = isReverse ? lastMs : range.startMs;
    this.#lastMs = isReverse ? range.startMs : lastMs;
    if (isEmptyRange(range)) this.timestampMs = this.#endMs;
  }

  get isStarved(): boolean {
    return this.#rows.isStarved;
  }

  async fill(): Promise<void> {
    if (!this.#rows.isStarved) return;
    await this.#rows.fill();
    this.#show();
  }

  advance(): void {
    if (this.#rows.timestampMs === this.timestampMs) this.#rows.advance();
    this.timestampMs = this.timestampMs === this.#lastMs ? this.#endMs : this.#nextMs();
    this.#show();
  }

  #nextMs(): number {
    return this.#isReverse
      ? bucketBeforeMs(this.timestampMs, this.#granularity)
      : bucketEndMs(this.timestampMs, this.#granularity);
  }

  #show(): void {
    this.value = this.#rows.timestampMs === this.timestampMs ? this.#rows.value : null;
  }
}
