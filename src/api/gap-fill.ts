import type { LevelSelection } from '../downsamplers/level-selection.ts';
import { UnsupportedValueType } from '../exceptions/errors.ts';
import type { Column } from '../model/block.ts';
import { decimalFromCaller, decimalOf, toCallerNumber } from '../model/high-accuracy.ts';
import { interpolate, interpolateDecimals } from '../model/interpolate.ts';
import type { StreamRecord } from '../model/stream.ts';
import { isHighAccuracy } from '../model/value.ts';
import { copyPlain } from '../model/value-json.ts';
import type { Datapoint } from './types.ts';

/** What takes the place of the null in buckets without data. */
export type FillMethod = 'previous' | 'linear' | number;

/** A bucket with data beside buckets without. */
export interface Neighbour {
  readonly startMs: number;
  /** Finished values by letter. */
  readonly v: Readonly<Record<string, unknown>>;
}

/** The nearest buckets with data outside of what is filled; null where there is none, or it is not needed. */
interface Neighbours {
  readonly before: Neighbour | null;
  readonly after: Neighbour | null;
}

/** Consecutive buckets, of which some have data. */
export interface BucketRow extends Neighbours {
  /** Of all buckets. */
  readonly startsMs: Float64Array;
  /** Of those that have data. */
  readonly filledStartsMs: Float64Array;
}

interface Gap {
  /** Index of the first bucket without data; the one before it has data, unless it is the first of all. */
  readonly from: number;
  /** Index after the last one. */
  readonly to: number;
}

interface End {
  readonly startMs: number;
  /** Null where the statistic is. */
  readonly value: unknown;
}

/** Gives the values of buckets without data that they would have had. Counts and times stay as they are. */
export class GapFill {
  readonly #method: FillMethod;
  readonly #isDecimal: boolean;
  readonly #letters: readonly string[];

  /** @throws {UnsupportedValueType} when values of the stream are no numbers and the method needs them. */
  constructor(method: FillMethod, record: StreamRecord, selection: LevelSelection) {
    if (method !== 'previous' && record.valueType !== 'numeric') {
      throw new UnsupportedValueType(
        `Gaps of a ${record.valueType} stream are filled with 'previous' alone, not with ` +
          `${typeof method === 'number' ? 'a number' : `'${method}'`}: its values are no numbers.`,
      );
    }
    this.#method = method;
    this.#isDecimal = isHighAccuracy(record);
    this.#letters = selection.lackingLetters({ withTotals: typeof method === 'number' });
  }

  /** Whether a gap takes its values from the bucket before it. */
  get needsBefore(): boolean {
    return typeof this.#method !== 'number';
  }

  /** Whether a gap takes its values from the bucket after it, too. */
  get needsAfter(): boolean {
    return this.#method === 'linear';
  }

  /** Fills datapoints that nobody else has yet, one for each bucket. */
  fillDatapoints(datapoints: readonly Datapoint[], row: BucketRow): void {
    for (const gap of gapsOf(row)) {
      const { from, to } = gap;
      for (const letter of this.#letters) {
        const [left, right] = endsOf(row, gap, {
          letter,
          valueAt: (bucket) => datapoints[bucket]!.v[letter],
        });
        for (let bucket = from; bucket < to; bucket++) {
          datapoints[bucket]!.v[letter] = this.#value(left, right, row.startsMs[bucket]!);
        }
      }
    }
  }

  /** Fills columns by letter that nobody else has yet, with a value for each bucket. */
  fillColumns(columns: Readonly<Record<string, Column>>, row: BucketRow): void {
    for (const gap of gapsOf(row)) {
      for (const letter of this.#letters) this.#fillColumn(columns[letter]!, letter, { row, gap });
    }
  }

  #fillColumn(
    column: Column,
    letter: string,
    { row, gap }: { readonly row: BucketRow; readonly gap: Gap },
  ): void {
    const isFloat = column instanceof Float64Array;
    const valueAt = (bucket: number): unknown => {
      const value = column[bucket];
      return isFloat && Number.isNaN(value) ? null : value;
    };
    const [left, right] = endsOf(row, gap, { letter, valueAt });
    const values = column as Float64Array | unknown[];
    for (let bucket = gap.from; bucket < gap.to; bucket++) {
      const value = this.#value(left, right, row.startsMs[bucket]!);
      values[bucket] = isFloat ? ((value as number | null) ?? Number.NaN) : value;
    }
  }

  #value(left: End | null, right: End | null, startMs: number): unknown {
    if (typeof this.#method === 'number') {
      return this.#isDecimal ? toCallerNumber(decimalFromCaller(this.#method)) : this.#method;
    }
    if (left === null || left.value === null) return null;
    // Each bucket gets its own: a caller may change what is given to him.
    if (this.#method === 'previous') return copyPlain(left.value);
    if (right === null || right.value === null) return null;
    const part = startMs - left.startMs;
    const whole = right.startMs - left.startMs;
    if (!this.#isDecimal) {
      return interpolate(left.value as number, right.value as number, part / whole);
    }
    const ends = [decimalOf(String(left.value)), decimalOf(String(right.value))] as const;
    return toCallerNumber(interpolateDecimals(ends, { part, whole }));
  }
}

/** The longest stretches of buckets without data, in order. */
function* gapsOf({ startsMs, filledStartsMs }: BucketRow): Generator<Gap, void, undefined> {
  let row = 0;
  let from = 0;
  for (let bucket = 0; bucket <= startsMs.length; bucket++) {
    const isAtEnd = bucket === startsMs.length;
    if (!isAtEnd && startsMs[bucket] !== filledStartsMs[row]) continue;
    if (bucket > from) yield { from, to: bucket };
    from = bucket + 1;
    row++;
  }
}

function endsOf(
  { startsMs, before, after }: BucketRow,
  { from, to }: Gap,
  { letter, valueAt }: { readonly letter: string; readonly valueAt: (bucket: number) => unknown },
): readonly [End | null, End | null] {
  const inside = (bucket: number): End => ({
    startMs: startsMs[bucket]!,
    value: valueAt(bucket) ?? null,
  });
  return [
    from > 0 ? inside(from - 1) : outside(before, letter),
    to < startsMs.length ? inside(to) : outside(after, letter),
  ];
}

function outside(neighbour: Neighbour | null, letter: string): End | null {
  return neighbour && { startMs: neighbour.startMs, value: neighbour.v[letter] ?? null };
}
