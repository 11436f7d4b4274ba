import { assert } from '../model/assert.ts';
import type { Block, Columns } from '../model/block.ts';
import type { Granularity } from '../model/granularity.ts';
import type { ValueType } from '../model/stream.ts';

/**
 * Columns of a bucket's mergeable state, shared by the downsamplers: count `c`, sum `s`, least `l` and
 * greatest `u` value, sum of squares `q`, mean and sum of squared deviations `mu` and `m2`, quantile state
 * `n`, frequencies state `f`, first `a` and last `z` value, distinct values `h`, and from the first to the last
 * datapoint the sum of held values times seconds `ar` and the milliseconds for which one is held `hd`.
 */
export type ValueComponent =
  | 'c'
  | 's'
  | 'l'
  | 'u'
  | 'q'
  | 'mu'
  | 'm2'
  | 'n'
  | 'f'
  | 'a'
  | 'z'
  | 'h'
  | 'ar'
  | 'hd';

/**
 * Of the datapoints' times: milliseconds from the bucket's start of the first `ta` and the last `tz`, and
 * summed over all datapoints `ts`; of the lengths in seconds between successive datapoints their number
 * `ic`, least `il`, greatest `iu` and sum of squares `iq`. Their sum is `tz - ta`.
 */
type TimeComponent = 'ts' | 'ta' | 'tz' | 'ic' | 'il' | 'iu' | 'iq';

/** How a finished value comes from the states in the row of a block. */
export interface Finisher<Component extends string> {
  readonly components: readonly Component[];
  /** Binds to the columns of a block. The finished value of a row is null (or NaN) when it has none. */
  bind(columns: Columns): (row: number) => unknown;
  /** Finishes the first rows, all that `finished` has room for, in one loop. Absent: row by row. */
  finishFloats?(columns: Columns, finished: Float64Array): void;
}

/** A named statistic of the values in a bucket, computed on read from shared, mergeable states. */
export interface ValueDownsampler {
  /** Wire format: never changes. */
  readonly name: string;
  /** Its key in datapoints. Wire format: never changes. */
  readonly letter: string;
  readonly valueTypes: readonly ValueType[];
  /** Downsamplers that a stream with this one has too. */
  readonly requires: readonly string[];
  /**
   * Whether it says how much there was in the bucket, as a sum does: where there is nothing, no earlier bucket
   * tells what it would be. Default: false.
   */
  readonly isTotal?: true;
  /** On streams that compute in float64, and on those that are not numeric. */
  readonly plain: Finisher<ValueComponent | TimeComponent>;
  /** On high-accuracy streams; null: not for them. */
  readonly decimal: Finisher<ValueComponent | TimeComponent> | null;
  /**
   * On those that tell what was held in a bucket: finishes with that, also in buckets without data. `plain` then says
   * nothing but which components that takes.
   */
  readonly finishHeld?: (total: HeldTotal) => number;
}

/** What was held in one bucket: values until the next datapoint, also those that came before the bucket. */
interface HeldTotal {
  /** Values times the seconds for which they were held. */
  readonly area: number;
  /** For how long there was a value; 0 when there was none. */
  readonly heldMs: number;
  /** Of the bucket. */
  readonly durationMs: number;
}

/** A named statistic of the times of the datapoints in a bucket. */
export interface TimeDownsampler {
  /** Wire format: never changes. */
  readonly name: string;
  /** Its key in datapoints. Wire format: never changes. */
  readonly letter: string;
  /** Whether it is an instant (epoch milliseconds); otherwise seconds, or seconds squared. */
  readonly isInstant: boolean;
  readonly components: readonly (TimeComponent | 'c')[];
  /** Finishes every row of a block, into a column as long. NaN where a bucket has none. */
  finish(block: Block, finished: Float64Array): void;
  /** Of a bucket without data; NaN when it has none. */
  finishEmpty(bucketStartMs: number, granularity: Granularity): number;
}

/** The float64 column of a component; NaN is null. */
export function floats(columns: Columns, component: string): Float64Array {
  const column = columns[component];
  assert(column !== undefined, 'bucket states have every column that was asked for');
  if (column instanceof Float64Array) return column;
  // Backends may give a column with nulls as JSON values.
  return Float64Array.from(column as readonly (number | null)[], (value) => value ?? Number.NaN);
}

/** Finishes to what the component itself says: a number, or whatever JSON it is. */
export function asStoredJson(component: ValueComponent): Finisher<ValueComponent> {
  return {
    components: [component],
    bind(columns) {
      const stored = columns[component]!;
      if (stored instanceof Float64Array) return (row) => stored[row];
      return (row) =>
        typeof stored[row] === 'object' ? structuredClone(stored[row]) : stored[row];
    },
  };
}

/** Finishes to the number that the component itself says. */
export function asStored(component: ValueComponent): Finisher<ValueComponent> {
  return {
    components: [component],
    bind(columns) {
      const stored = floats(columns, component);
      return (row) => stored[row];
    },
  };
}
