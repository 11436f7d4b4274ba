import { UnsupportedDownsampler } from '../exceptions/errors.ts';
import type { ValueType, ValueTypeOptions } from '../model/stream.ts';
import { percentageOf } from '../model/value-letters.ts';
import type { TimeDownsampler, ValueDownsampler } from './downsampler.ts';
import { bucketStart } from './time/bucket-start.ts';
import { first } from './time/first.ts';
import { intervalsMax } from './time/intervals-max.ts';
import { intervalsMean } from './time/intervals-mean.ts';
import { intervalsMin } from './time/intervals-min.ts';
import { intervalsStdDev } from './time/intervals-std-dev.ts';
import { intervalsSumSquares } from './time/intervals-sum-squares.ts';
import { last } from './time/last.ts';
import { mean as timeMean } from './time/mean.ts';
import { count } from './value/count.ts';
import { coverage } from './value/coverage.ts';
import { distinct } from './value/distinct.ts';
import { first as firstValue } from './value/first.ts';
import { frequencies } from './value/frequencies.ts';
import { integral } from './value/integral.ts';
import { last as lastValue } from './value/last.ts';
import { leastOften } from './value/least-often.ts';
import { max } from './value/max.ts';
import { mean } from './value/mean.ts';
import { median } from './value/median.ts';
import { min } from './value/min.ts';
import { mostOften } from './value/most-often.ts';
import { percentile } from './value/percentile.ts';
import { range } from './value/range.ts';
import { rateOfChange } from './value/rate-of-change.ts';
import { stdDev } from './value/std-dev.ts';
import { sum } from './value/sum.ts';
import { sumSquares } from './value/sum-squares.ts';
import { timeWeightedMean } from './value/time-weighted-mean.ts';
import { variance } from './value/variance.ts';

/** In the order in which streams list them; behind them, percentiles by percentage. */
export const VALUE_DOWNSAMPLERS: readonly ValueDownsampler[] = Object.freeze([
  mean,
  sum,
  min,
  max,
  sumSquares,
  stdDev,
  count,
  median,
  mostOften,
  leastOften,
  frequencies,
  firstValue,
  lastValue,
  range,
  variance,
  rateOfChange,
  distinct,
  integral,
  timeWeightedMean,
  coverage,
]);

/** Every stream that is downsampled has all of them, where the store can keep them. */
export const TIME_DOWNSAMPLERS: readonly TimeDownsampler[] = Object.freeze([
  timeMean,
  first,
  last,
  intervalsMean,
  intervalsMin,
  intervalsMax,
  intervalsSumSquares,
  intervalsStdDev,
]);

export const TIME_DOWNSAMPLER_NAMES: readonly string[] = Object.freeze(
  TIME_DOWNSAMPLERS.map(({ name }) => name),
);

/** Names of the downsamplers of bucket times that a store has, as its manifest lists them. */
export interface TimeSupport {
  readonly timeDownsamplers: readonly string[] | 'all';
}

/** In the order of the registry. Where only the mean is there, it is the bucket's start. */
export function availableTimeDownsamplers({
  timeDownsamplers: names,
}: TimeSupport): readonly TimeDownsampler[] {
  if (names === 'all') return TIME_DOWNSAMPLERS;
  if (names.length === 1 && names[0] === bucketStart.name) return [bucketStart];
  return TIME_DOWNSAMPLERS.filter(({ name }) => names.includes(name));
}

const BY_NAME: ReadonlyMap<string, ValueDownsampler> = new Map(
  VALUE_DOWNSAMPLERS.map((downsampler) => [downsampler.name, downsampler]),
);

function valueDownsamplerOf(name: string): ValueDownsampler {
  const known = BY_NAME.get(name);
  if (known !== undefined) return known;
  if (percentageOf(name) === null) {
    throw unknownDownsampler('value', name, [
      ...BY_NAME.keys(),
      'percentile_50',
      'percentile_99.9',
    ]);
  }
  return percentile(name);
}

/**
 * The named ones, in the order in which streams list them, no duplicates.
 * @throws {UnsupportedDownsampler} when a name is unknown.
 */
export function valueDownsamplersOf(names: readonly string[]): readonly ValueDownsampler[] {
  const known = VALUE_DOWNSAMPLERS.filter(({ name }) => names.includes(name));
  const percentiles = [...new Set(names)]
    .filter((name) => !BY_NAME.has(name))
    .map(valueDownsamplerOf)
    .sort((a, b) => percentageOf(a.name)! - percentageOf(b.name)!);
  return [...known, ...percentiles];
}

/**
 * Adds what the named downsamplers require. In the order of the registry, no duplicates, may be empty.
 * @throws {UnsupportedDownsampler} when a name is unknown, or not for the value type, or not for high accuracy.
 */
export function expandValueDownsamplers(
  names: readonly string[],
  valueType: ValueType,
  { highAccuracy = false }: ValueTypeOptions = {},
): readonly string[] {
  const wanted = new Set<string>();
  const add = (name: string): void => {
    if (wanted.has(name)) return;
    const downsampler = valueDownsamplerOf(name);
    if (!downsampler.valueTypes.includes(valueType)) {
      throw new UnsupportedDownsampler(
        `The value downsampler ${name} is for ${downsampler.valueTypes.join(', ')} streams, ` +
          `not for ${valueType} ones.`,
      );
    }
    if (highAccuracy && downsampler.decimal === null) {
      throw new UnsupportedDownsampler(
        `The value downsampler ${name} is not for high-accuracy streams.`,
      );
    }
    wanted.add(name);
    for (const required of downsampler.requires) add(required);
  };
  for (const name of names) add(name);
  return valueDownsamplersOf([...wanted]).map(({ name }) => name);
}

/**
 * The named ones, in the order of the registry; all of them for undefined.
 * @throws {UnsupportedDownsampler} when a name is unknown.
 */
export function selectTimeDownsamplers(
  names: readonly string[] | undefined,
): readonly TimeDownsampler[] {
  if (names === undefined) return TIME_DOWNSAMPLERS;
  for (const name of names) {
    if (!TIME_DOWNSAMPLER_NAMES.includes(name)) {
      throw unknownDownsampler('time', name, TIME_DOWNSAMPLER_NAMES);
    }
  }
  return TIME_DOWNSAMPLERS.filter(({ name }) => names.includes(name));
}

function unknownDownsampler(
  kind: string,
  name: string,
  known: readonly string[],
): UnsupportedDownsampler {
  return new UnsupportedDownsampler(
    `Unknown ${kind} downsampler ${JSON.stringify(name)}: expected one of ${known.join(', ')}.`,
  );
}
