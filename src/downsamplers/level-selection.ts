import { Decimal } from 'decimal.js';
import type { Block } from '../model/block.ts';
import { bucketStartsOf } from '../model/buckets.ts';
import type { Granularity } from '../model/granularity.ts';
import { toCallerNumber } from '../model/high-accuracy.ts';
import type { TimeRange } from '../model/time-range.ts';
import { COUNT_LETTER, VALUE_DOWNSAMPLER_LETTERS } from '../model/value-letters.ts';
import type { Finisher, TimeDownsampler, ValueDownsampler } from './downsampler.ts';
import type { HeldTotals } from './held-totals.ts';

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

/** Of statistics that are numbers on streams of any value type. */
const NUMBER_LETTERS: readonly string[] = Object.freeze([
  COUNT_LETTER,
  VALUE_DOWNSAMPLER_LETTERS.distinct,
]);

/** Of all time downsamplers, in the order of the registry: nearly every reader gets these. */
const ALL_TIME_LETTERS = 'maziluqd';

/** What a reader asked for, of what the stream has. */
interface SelectedDownsamplers {
  /** Null: `v` is dropped. */
  readonly value: readonly ValueDownsampler[] | null;
  /** Null: `t` is dropped. */
  readonly time: readonly TimeDownsampler[] | null;
  readonly isDecimal: boolean;
  /** Whether statistics of values are float64. */
  readonly hasFloats: boolean;
  /** Component columns that these need, in stored order. */
  readonly columns: readonly string[];
  /** For how long a value is held, at most. */
  readonly heartbeatMs: number;
}

/** With what follows from it, worked out once for all readers that ask for the same. */
export interface SelectionOptions extends SelectedDownsamplers {
  /** Those of `value` that tell what was held. */
  readonly held: readonly HeldStatistic[];
  /** With all letters: objects that are copied from one that has its keys are made at once. */
  readonly valueTemplate: Readonly<Record<string, null>>;
  readonly timeTemplate: Readonly<Record<string, null>>;
  /** In the order of the registry. */
  readonly hasAllTimes: boolean;
}

interface HeldStatistic {
  readonly letter: string;
  readonly finishHeld: NonNullable<ValueDownsampler['finishHeld']>;
}

export function selectionOptions(selected: SelectedDownsamplers): SelectionOptions {
  const { value, time } = selected;
  return {
    ...selected,
    held: (value ?? []).flatMap(({ letter, finishHeld }) =>
      finishHeld ? [{ letter, finishHeld }] : [],
    ),
    valueTemplate: templateOf(value ?? []),
    timeTemplate: templateOf(time ?? []),
    hasAllTimes: (time ?? []).map(({ letter }) => letter).join('') === ALL_TIME_LETTERS,
  };
}

/** What statistics of a row are made of: for each value downsampler a function, for each of times a column. */
interface Finishers {
  readonly value: readonly ((row: number) => unknown)[];
  readonly time: readonly Float64Array[];
}

/** The finishers of the downsamplers that a reader asked for. */
export class LevelSelection {
  /** Component columns that it reads, in stored order. */
  readonly columns: readonly string[];
  readonly #options: SelectionOptions;

  constructor(options: SelectionOptions) {
    this.columns = options.columns;
    this.#options = options;
  }

  /** Whether it wants to know what was held: then buckets are finished with `HeldTotals`. */
  get isOfHeld(): boolean {
    return this.#options.held.length > 0;
  }

  /** For how long a value is held, at most. */
  get heartbeatMs(): number {
    return this.#options.heartbeatMs;
  }

  get #value(): readonly ValueDownsampler[] | null {
    return this.#options.value;
  }

  get #time(): readonly TimeDownsampler[] | null {
    return this.#options.time;
  }

  /** Of the statistics that a bucket without data lacks, which may leave out those that are totals. */
  lackingLetters({ withTotals }: { readonly withTotals: boolean }): readonly string[] {
    return (this.#value ?? [])
      .filter(({ finishHeld }) => finishHeld === undefined)
      .filter(({ letter, isTotal }) => letter !== COUNT_LETTER && (withTotals || !isTotal))
      .map(({ letter }) => letter);
  }

  /** Of the first statistic that is a number, or of the named one; null when there is none among these. */
  numberLetter(wanted?: string): string | null {
    const { isDecimal, hasFloats } = this.#options;
    const found = this.#value?.find(
      ({ name, letter }) =>
        (wanted === undefined || name === wanted) &&
        (isDecimal || hasFloats || NUMBER_LETTERS.includes(letter)),
    );
    return found?.letter ?? null;
  }

  /** A bucket without data: count 0, mean time in its middle, everything else null. */
  emptyDatapoint(bucketStartMs: number, granularity: Granularity): FinishedBucket {
    const empty = this.#bindEmpty();
    this.#finishEmptyTimes(empty, { bucketStartMs, granularity });
    return this.#bucket(empty, 0);
  }

  /** What was held in the buckets of a range, by letter; one for each bucket, also for those without data. */
  heldColumns({ areas, heldMs, durationsMs }: HeldTotals): Readonly<Record<string, Float64Array>> {
    const columns = this.#options.held.map(({ letter, finishHeld }) => [
      letter,
      areas.map((area, bucket) =>
        finishHeld({ area, heldMs: heldMs[bucket]!, durationMs: durationsMs[bucket]! }),
      ),
    ]);
    return Object.fromEntries(columns);
  }

  /** Every bucket of the range, in order: those in the block's rows, and the empty ones between them. */
  datapoints(block: Block, range: TimeRange, granularity: Granularity): FinishedBucket[] {
    const { timestamps } = block;
    const { durationMs, calendar } = granularity;
    const starts = calendar === null ? null : bucketStartsOf(range, granularity);
    const bucketCount =
      starts?.length ?? Math.max(0, Math.ceil((range.endMs - range.startMs) / durationMs));
    const stored = timestamps.length > 0 ? this.#bind(block) : null;
    const empty = this.#bindEmpty();
    // Not from a literal that grows: V8 would come to put such arrays, short-lived as they are, among its
    // old objects, where they hold on to all of their buckets.
    const buckets = new Array<FinishedBucket>(bucketCount);
    let row = 0;
    for (let i = 0; i < bucketCount; i++) {
      const bucketStartMs = starts === null ? range.startMs + i * durationMs : starts[i]!;
      if (stored !== null && timestamps[row] === bucketStartMs) {
        buckets[i] = this.#bucket(stored, row++);
      } else {
        this.#finishEmptyTimes(empty, { bucketStartMs, granularity });
        buckets[i] = this.#bucket(empty, 0);
      }
    }
    return buckets;
  }

  /**
   * Finishes every row; rows are placed as they are, so buckets without data are absent. A column that is
   * stored as it is finished is that of the block.
   */
  finishColumns(block: Block): FinishedColumns {
    const rowCount = block.timestamps.length;
    // A block without rows need not have columns either.
    const source = rowCount === 0 ? this.#emptyBlock() : block;
    const v = this.#value?.map((downsampler) => {
      const column = this.#storedColumn(downsampler, source);
      return [downsampler.letter, column ?? this.#finishedColumn(downsampler, source)];
    });
    const t = this.#time?.map((downsampler) => [
      downsampler.letter,
      finishedTimes(downsampler, source),
    ]);
    return {
      ...(v === undefined ? {} : { v: Object.fromEntries(v) }),
      ...(t === undefined ? {} : { t: Object.fromEntries(t) }),
    };
  }

  #bind(block: Block): Finishers {
    return {
      value: (this.#value ?? []).map((downsampler) => this.#bindValue(downsampler, block)),
      time: (this.#time ?? []).map((downsampler) => finishedTimes(downsampler, block)),
    };
  }

  /** Of one row, an empty bucket; its times are for `#finishEmptyTimes`. */
  #bindEmpty(): Finishers {
    return {
      value: (this.#value ?? []).map(
        ({ letter }) =>
          () =>
            letter === COUNT_LETTER ? 0 : null,
      ),
      time: (this.#time ?? []).map(() => new Float64Array(1)),
    };
  }

  #finishEmptyTimes(
    { time }: Finishers,
    { bucketStartMs, granularity }: { bucketStartMs: number; granularity: Granularity },
  ): void {
    for (let i = 0; i < time.length; i++) {
      time[i]![0] = this.#time![i]!.finishEmpty(bucketStartMs, granularity);
    }
  }

  /** Null in rows that lack a component: they were stored when the stream had other downsamplers. */
  #bindValue(downsampler: ValueDownsampler, { columns }: Block): (row: number) => unknown {
    const finisher = this.#finisher(downsampler);
    const states = finisher.components.map((component) => columns[component]);
    if (states.includes(undefined)) return () => null;
    const finish = finisher.bind(columns);
    // What is missing among floats is NaN, and makes NaN.
    if (states.every((column) => column instanceof Float64Array)) return finish;
    return (row) => (states.some((column) => isNothing(column![row])) ? null : finish(row));
  }

  #finisher(downsampler: ValueDownsampler): Finisher<string> {
    // Whatever a high-accuracy stream has is for those.
    return this.#options.isDecimal ? downsampler.decimal! : downsampler.plain;
  }

  #bucket(finishers: Finishers, row: number): FinishedBucket {
    if (this.#value === null) return this.#time === null ? {} : { t: this.#times(finishers, row) };
    if (this.#time === null) return { v: this.#values(finishers, row) };
    return { t: this.#times(finishers, row), v: this.#values(finishers, row) };
  }

  #times({ time }: Finishers, row: number): Readonly<Record<string, Date | number | null>> {
    if (this.#options.hasAllTimes) return allTimes(time, row);
    const t: Record<string, Date | number | null> = { ...this.#options.timeTemplate };
    for (let i = 0; i < time.length; i++) {
      const { letter, isInstant } = this.#time![i]!;
      t[letter] = isInstant ? instant(time[i]![row]!) : numberOrNull(time[i]![row]!);
    }
    return t;
  }

  #values({ value }: Finishers, row: number): Record<string, unknown> {
    const v: Record<string, unknown> = { ...this.#options.valueTemplate };
    for (let i = 0; i < value.length; i++) {
      v[this.#value![i]!.letter] = finishedValue(value[i]!(row));
    }
    return v;
  }

  /** Null when the statistic is none of the components as it is stored, of the same letter. */
  #storedColumn(downsampler: ValueDownsampler, { columns }: Block): Float64Array | null {
    if (!this.#isFloat(downsampler)) return null;
    const stored = columns[downsampler.letter];
    const isStored = this.#finisher(downsampler).components[0] === downsampler.letter;
    return isStored && stored instanceof Float64Array ? stored : null;
  }

  #finishedColumn(
    downsampler: ValueDownsampler,
    { timestamps, columns }: Block,
  ): Float64Array | readonly unknown[] {
    const finisher = this.#finisher(downsampler);
    const rowCount = timestamps.length;
    if (!this.#isFloat(downsampler)) {
      const finish = this.#bindValue(downsampler, { timestamps, columns });
      return Array.from({ length: rowCount }, (_, row) => finishedValue(finish(row)));
    }
    if (finisher.components.some((component) => columns[component] === undefined)) {
      return new Float64Array(rowCount).fill(Number.NaN);
    }
    if (finisher.finishFloats === undefined) {
      const finish = this.#bindValue(downsampler, { timestamps, columns });
      return floatColumn(rowCount, finish as (row: number) => number | null);
    }
    const finished = new Float64Array(rowCount);
    finisher.finishFloats(columns, finished);
    return finished;
  }

  #isFloat({ letter }: ValueDownsampler): boolean {
    return letter === COUNT_LETTER || this.#options.hasFloats;
  }

  #emptyBlock(): Block {
    const none = new Float64Array(0);
    return {
      timestamps: none,
      columns: Object.fromEntries(this.columns.map((name) => [name, none])),
    };
  }
}

function finishedTimes(downsampler: TimeDownsampler, block: Block): Float64Array {
  const finished = new Float64Array(block.timestamps.length);
  downsampler.finish(block, finished);
  return finished;
}

/** A literal is made in a quarter of the time of an object whose keys are values. */
function allTimes(
  time: Finishers['time'],
  row: number,
): Readonly<Record<string, Date | number | null>> {
  return {
    m: instant(time[0]![row]!),
    a: instant(time[1]![row]!),
    z: instant(time[2]![row]!),
    i: numberOrNull(time[3]![row]!),
    l: numberOrNull(time[4]![row]!),
    u: numberOrNull(time[5]![row]!),
    q: numberOrNull(time[6]![row]!),
    d: numberOrNull(time[7]![row]!),
  };
}

function instant(timestampMs: number): Date | null {
  return Number.isNaN(timestampMs) ? null : new Date(timestampMs);
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function floatColumn(rowCount: number, finish: (row: number) => number | null): Float64Array {
  const column = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) column[row] = finish(row) ?? Number.NaN;
  return column;
}

function isNothing(state: unknown): boolean {
  return state === null || Number.isNaN(state);
}

function finishedValue(value: unknown): unknown {
  if (typeof value === 'number') return numberOrNull(value);
  if (!Decimal.isDecimal(value)) return value;
  return value.isNaN() ? null : toCallerNumber(value);
}

function templateOf(downsamplers: readonly { readonly letter: string }[]): Record<string, null> {
  return Object.fromEntries(downsamplers.map(({ letter }) => [letter, null]));
}
