import { UnsupportedDownsampler } from '../exceptions/errors.ts';
import type { ValueType } from '../model/stream.ts';
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
import { frequencies } from './value/frequencies.ts';
import { leastOften } from './value/least-often.ts';
import { max } from './value/max.ts';
import { mean } from './value/mean.ts';
import { median } from './value/median.ts';
import { min } from './value/min.ts';
import { mostOften } from './value/most-often.ts';
import { stdDev } from './value/std-dev.ts';
import { sum } from './value/sum.ts';
import { sumSquares } from './value/sum-squares.ts';

/** In the order in which streams list them. */
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

/**
 * Adds what the named downsamplers require. In the order of the registry, no duplicates, may be empty.
 * @throws {UnsupportedDownsampler} when a name is unknown, or not for the value type.
 */
export function expandValueDownsamplers(
  names: readonly string[],
  valueType: ValueType,
): readonly string[] {
  const wanted = new Set<string>();
  const add = (name: string): void => {
    if (wanted.has(name)) return;
    const downsampler = BY_NAME.get(name);
    if (downsampler === undefined) throw unknownDownsampler('value', name, [...BY_NAME.keys()]);
    if (!downsampler.valueTypes.includes(valueType)) {
      throw new UnsupportedDownsampler(
        `The value downsampler ${name} is for ${downsampler.valueTypes.join(', ')} streams, ` +
          `not for ${valueType} ones.`,
      );
    }
    wanted.add(name);
    for (const required of downsampler.requires) add(required);
  };
  for (const name of names) add(name);
  return [...BY_NAME.keys()].filter((name) => wanted.has(name));
}

/** The named ones, in the order of the registry; all of them for undefined. */
export function selectDownsamplers<D extends { readonly name: string }>(
  registry: readonly D[],
  options: { readonly kind: 'value' | 'time'; readonly names: readonly string[] | undefined },
): readonly D[] {
  const { kind, names } = options;
  if (names === undefined) return registry;
  for (const name of names) {
    if (!registry.some((downsampler) => downsampler.name === name)) {
      throw unknownDownsampler(
        kind,
        name,
        registry.map((downsampler) => downsampler.name),
      );
    }
  }
  return registry.filter(({ name }) => names.includes(name));
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
