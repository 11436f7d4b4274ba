import { Decimal } from 'decimal.js';
import type { Block } from '../model/block.ts';
import type { Granularity } from '../model/granularity.ts';
import { toCallerNumber } from '../model/high-accuracy.ts';
import type { StreamRecord } from '../model/stream.ts';
import { isHighAccuracy } from '../model/value.ts';
import { COUNT_LETTER } from '../model/value-letters.ts';
import type { Finisher, TimeDownsampler, ValueComponent, ValueDownsampler } from './downsampler.ts';
import {
  availableTimeDownsamplers,
  selectDownsamplers,
  TIME_DOWNSAMPLERS,
  type TimeSupport,
  VALUE_DOWNSAMPLERS,
} from './registry.ts';

/** A bucket as callers get it: statistics by letter. `t` or `v` is absent when its selection is empty. */
export interface FinishedBucket {
  /** Dates, or numbers (seconds) for interval statistics; null where the bucket has none. */
  readonly t?: Readonly<Record<string, Date | number | null>>;
  readonly v?: Readonly<Record<string, unknown>>;
}

/** Finished columns by letter: row i of each is the block's row i. NaN is null in a `Float64Array`. */
export interface FinishedColumns {
  readonly v?: Readonly<Record<string, Float64Array | readonly unknown[]>>;
  /** Epoch milliseconds, or seconds for interval statistics. */
  readonly t?: Readonly<Record<string, Float64Array>>;
}

/** Names; undefined selects all that the stream has, an empty list none. */
export interface Selection {
  readonly valueDownsamplers?: readonly string[] | undefined;
  readonly timeDownsamplers?: readonly string[] | undefined;
}

type SchemaSource = Pick<StreamRecord, 'valueType' | 'valueTypeOptions' | 'valueDownsamplers'>;

/** In stored order. */
const COMPONENT_ORDER: readonly string[] = Object.freeze(
  'c s l u q mu m2 n f ts ta tz ic il iu iq'.split(' '),
);

/** What the levels of a stream store for each bucket that has data, and how that is read. */
export class LevelSchema {
  readonly isNumeric: boolean;
  /** Whether numbers are decimal strings: a high-accuracy stream. */
  readonly isDecimal: boolean;
  /** Component columns stored, in stored order; empty when the stream is never downsampled. */
  readonly columns: readonly string[];
  readonly #valueDownsamplers: readonly ValueDownsampler[];

  static of(record: SchemaSource): LevelSchema {
    return new LevelSchema(record);
  }

  private constructor(record: SchemaSource) {
    this.isNumeric = record.valueType === 'numeric';
    this.isDecimal = isHighAccuracy(record);
    this.#valueDownsamplers = VALUE_DOWNSAMPLERS.filter(({ name }) =>
      record.valueDownsamplers.includes(name),
    );
    this.columns = this.isEmpty ? [] : this.#columnsOf(this.#valueDownsamplers, TIME_DOWNSAMPLERS);
  }

  /** Whether the stream has no value downsamplers: then it is never downsampled. */
  get isEmpty(): boolean {
    return this.#valueDownsamplers.length === 0;
  }

  /** Whether a component column holds JSON values rather than float64 numbers. */
  isJson(column: string): boolean {
    return column === 'n' || column === 'f' || (this.isDecimal && 'sluq'.includes(column));
  }

  /**
   * Finishers of a selection. A known downsampler that the stream, or the store, lacks is left out.
   * @throws {UnsupportedDownsampler} when a name is unknown.
   */
  select(
    { valueDownsamplers, timeDownsamplers }: Selection,
    supports: TimeSupport = { timeDownsamplers: 'all' },
  ): LevelSelection {
    const value = selectDownsamplers(VALUE_DOWNSAMPLERS, {
      kind: 'value',
      names: valueDownsamplers,
    }).filter((downsampler) => this.#valueDownsamplers.includes(downsampler));
    const named = selectDownsamplers(TIME_DOWNSAMPLERS, { kind: 'time', names: timeDownsamplers });
    const time = availableTimeDownsamplers(supports).filter(({ name }) =>
      named.some((downsampler) => downsampler.name === name),
    );
    return new LevelSelection({
      value: valueDownsamplers?.length === 0 ? null : value,
      time: timeDownsamplers?.length === 0 ? null : time,
      isDecimal: this.isDecimal,
      columns: this.#columnsOf(value, time),
    });
  }

  #columnsOf(
    value: readonly ValueDownsampler[],
    time: readonly TimeDownsampler[],
  ): readonly string[] {
    const needed = new Set<string>([
      ...value.flatMap((d) => (this.isDecimal ? d.decimal : d.plain).components),
      ...time.flatMap((d) => d.components),
    ]);
    return COMPONENT_ORDER.filter((name) => needed.has(name));
  }
}

interface SelectionOptions {
  /** Null: `v` is dropped. */
  readonly value: readonly ValueDownsampler[] | null;
  /** Null: `t` is dropped. */
  readonly time: readonly TimeDownsampler[] | null;
  readonly isDecimal: boolean;
  readonly columns: readonly string[];
}

interface Bound {
  readonly block: Block;
  readonly value: readonly ((row: number) => unknown)[];
  readonly time: readonly ((row: number) => number)[];
}

/** The finishers of the downsamplers that a reader asked for. */
export class LevelSelection {
  /** Component columns that it reads, in stored order. */
  readonly columns: readonly string[];
  readonly #value: readonly ValueDownsampler[] | null;
  readonly #time: readonly TimeDownsampler[] | null;
  readonly #isDecimal: boolean;
  #bound: Bound | null = null;

  constructor({ value, time, isDecimal, columns }: SelectionOptions) {
    this.columns = columns;
    this.#value = value;
    this.#time = time;
    this.#isDecimal = isDecimal;
  }

  /** Finishes the bucket in a row. Cheapest when the rows of a block are asked one after the other. */
  datapoint(block: Block, row: number, _granularity: Granularity): FinishedBucket {
    const { value, time } = this.#boundTo(block);
    return this.#bucket(
      (i) => finishedValue(value[i]!(row)),
      (i) => time[i]!(row),
    );
  }

  /** A bucket without data: count 0, mean time in its middle, everything else null. */
  emptyDatapoint(bucketStartMs: number, granularity: Granularity): FinishedBucket {
    return this.#bucket(
      (i) => (this.#value![i]!.letter === COUNT_LETTER ? 0 : null),
      (i) => this.#time![i]!.finishEmpty(bucketStartMs, granularity),
    );
  }

  /** Finishes every row; rows are placed as they are, so buckets without data are absent. */
  finishColumns(block: Block, _granularity: Granularity): FinishedColumns {
    const rowCount = block.timestamps.length;
    // A block without rows need not have columns either.
    const source = rowCount === 0 ? this.#emptyBlock() : block;
    const bound = this.#boundTo(source);
    const v = this.#value?.map((downsampler, i) => [
      downsampler.letter,
      this.#finishedColumn(downsampler, source, bound.value[i]!),
    ]);
    const t = this.#time?.map(({ letter }, i) => [letter, floatColumn(rowCount, bound.time[i]!)]);
    return {
      ...(v === undefined ? {} : { v: Object.fromEntries(v) }),
      ...(t === undefined ? {} : { t: Object.fromEntries(t) }),
    };
  }

  #boundTo(block: Block): Bound {
    if (this.#bound?.block !== block) {
      this.#bound = {
        block,
        value: (this.#value ?? []).map((d) => this.#finisher(d).bind(block.columns)),
        time: (this.#time ?? []).map((d) => d.bind(block)),
      };
    }
    return this.#bound;
  }

  #finisher(downsampler: ValueDownsampler): Finisher<ValueComponent> {
    return this.#isDecimal ? downsampler.decimal : downsampler.plain;
  }

  #bucket(
    finishValue: (index: number) => unknown,
    finishTime: (index: number) => number,
  ): FinishedBucket {
    const bucket: { t?: Record<string, Date | number | null>; v?: Record<string, unknown> } = {};
    if (this.#time !== null) {
      const t: Record<string, Date | number | null> = {};
      this.#time.forEach(({ letter, isInstant }, i) => {
        const value = finishTime(i);
        t[letter] = Number.isNaN(value) ? null : isInstant ? new Date(value) : value;
      });
      bucket.t = t;
    }
    if (this.#value !== null) {
      const v: Record<string, unknown> = {};
      this.#value.forEach(({ letter }, i) => {
        v[letter] = finishValue(i);
      });
      bucket.v = v;
    }
    return bucket;
  }

  #finishedColumn(
    downsampler: ValueDownsampler,
    { timestamps, columns }: Block,
    finish: (row: number) => unknown,
  ): Float64Array | readonly unknown[] {
    const isFloat = downsampler.valueTypes.includes('numeric') && !this.#isDecimal;
    if (!isFloat && downsampler.letter !== COUNT_LETTER) {
      return Array.from(timestamps, (_, row) => finishedValue(finish(row)));
    }
    // The component of the same letter is the finished statistic: no need to copy it.
    const stored = columns[downsampler.letter];
    const isStored = this.#finisher(downsampler).components[0] === downsampler.letter;
    if (isStored && stored instanceof Float64Array) return stored;
    return floatColumn(timestamps.length, finish as (row: number) => number);
  }

  #emptyBlock(): Block {
    const none = new Float64Array(0);
    return {
      timestamps: none,
      columns: Object.fromEntries(this.columns.map((name) => [name, none])),
    };
  }
}

function floatColumn(rowCount: number, finish: (row: number) => number): Float64Array {
  const column = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) column[row] = finish(row);
  return column;
}

function finishedValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isNaN(value) ? null : value;
  return Decimal.isDecimal(value) ? toCallerNumber(value) : value;
}
