import { bucketStartMs } from '../model/granularity.ts';
import { type Arithmetic, FLOAT_ARITHMETIC, type Num } from './arithmetic.ts';
import { checkArgumentNames, checkSources } from './checks.ts';
import { emitFloat, emitNumber } from './numbers.ts';
import type { Operator } from './operator.ts';
import { type BucketState, bucketSteps } from './source-buckets.ts';

/** One number of those that sources have in a bucket, in the order of the sources; null when it takes some. */
type Combine = (present: readonly Num[], arithmetic: Arithmetic<Num>) => Num | null;

const FLOATS: Arithmetic<Num> = FLOAT_ARITHMETIC as Arithmetic<Num>;

/** An operator that gives one statistic over its sources, bucket by bucket. */
function overSources(name: string, combine: Combine): Operator<BucketState> {
  return Object.freeze({
    name,
    valueType: 'numeric',
    reach: Object.freeze({ kind: 'bucket', needsEverySource: true }),
    takesQuery: true,

    validate(sources, { args, granularity }) {
      checkArgumentNames(name, args);
      checkSources(name, sources, granularity);
    },

    ...bucketSteps(({ context, bucketMs, latest }, sink) => {
      const present = latest.filter((value) => value !== null && value !== undefined);
      const value = combine(present, context.arithmetic);
      if (value === null) sink.emit({ timestampMs: bucketMs, value });
      else emitNumber(sink, { operator: name, timestampMs: bucketMs, value });
    }),

    computeAligned({ granularity }, { timestamps, rowCount, sources }, sink) {
      const present: number[] = [];
      for (let row = 0; row < rowCount; row++) {
        const timestampMs = bucketStartMs(timestamps[row]!, granularity);
        const isLast =
          row + 1 === rowCount || bucketStartMs(timestamps[row + 1]!, granularity) !== timestampMs;
        if (!isLast) continue;
        present.length = 0;
        for (const { values, from } of sources) {
          const value = values[from + row]!;
          if (!Number.isNaN(value)) present.push(value);
        }
        const value = combine(present, FLOATS) as number | null;
        if (value === null) sink.emitFloat(timestampMs, Number.NaN);
        else emitFloat(sink, { operator: name, timestampMs, value });
      }
    },
  } satisfies Operator<BucketState>);
}

/** The mean of the values; in float64, of their sum in the order of the sources. */
export const mean: Operator<BucketState> = overSources('mean', (present, arithmetic) => {
  if (present.length === 0) return null;
  const total = present.reduce((sum, value) => arithmetic.add(sum, value));
  return arithmetic.divide(total, arithmetic.of(present.length));
});

/** The least value. */
export const min: Operator<BucketState> = overSources('min', (present, arithmetic) =>
  least(present, (a, b) => arithmetic.isLess(a, b)),
);

/** The greatest value. */
export const max: Operator<BucketState> = overSources('max', (present, arithmetic) =>
  least(present, (a, b) => arithmetic.isLess(b, a)),
);

/** How many sources have a value that is not null. */
export const count: Operator<BucketState> = overSources('count', (present, arithmetic) =>
  arithmetic.of(present.length),
);

/** The first of those that come before all others; null of none. */
function least(values: readonly Num[], isBefore: (a: Num, b: Num) => boolean): Num | null {
  let found: Num | null = null;
  for (const value of values) if (found === null || isBefore(value, found)) found = value;
  return found;
}
