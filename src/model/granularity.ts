import { UnsupportedGranularity } from '../exceptions/errors.ts';
import { assert } from './assert.ts';

export type GranularityName =
  | 'seconds'
  | '10seconds'
  | 'minutes'
  | '10minutes'
  | 'hours'
  | '6hours'
  | 'days';

/** One resolution of a stream. Buckets start on round UTC boundaries, the same for every stream. */
export interface Granularity {
  readonly name: GranularityName;
  /** One letter, as in the names of stored levels. */
  readonly key: string;
  readonly durationMs: number;
  /** Rounds an instant (also before 1970) down to the start of its bucket. */
  bucketStart(timestamp: Date | number): Date;
  /** The name, also in JSON and in templates. */
  toString(): GranularityName;
  toJSON(): GranularityName;
}

function granularity(name: GranularityName, key: string, durationSeconds: number): Granularity {
  const self: Granularity = Object.freeze({
    name,
    key,
    durationMs: durationSeconds * 1000,
    bucketStart: (timestamp: Date | number) => new Date(bucketStartMs(Number(timestamp), self)),
    toString: () => name,
    toJSON: () => name,
  });
  return self;
}

const Seconds: Granularity = granularity('seconds', 's', 1);
const Seconds10: Granularity = granularity('10seconds', 'S', 10);
const Minutes: Granularity = granularity('minutes', 'm', 60);
const Minutes10: Granularity = granularity('10minutes', 'M', 600);
const Hours: Granularity = granularity('hours', 'h', 3600);
const Hours6: Granularity = granularity('6hours', 'H', 21_600);
const Days: Granularity = granularity('days', 'd', 86_400);

/** From highest (finest) to lowest (coarsest). */
const values: readonly Granularity[] = Object.freeze([
  Seconds,
  Seconds10,
  Minutes,
  Minutes10,
  Hours,
  Hours6,
  Days,
]);

const BY_NAME: ReadonlyMap<string, Granularity> = new Map(values.map((g) => [g.name, g]));
const LOWER: readonly (readonly Granularity[])[] = values.map((_g, i) =>
  Object.freeze(values.slice(i + 1)),
);
const INDEX_BY_NAME: ReadonlyMap<string, number> = new Map(values.map((g, i) => [g.name, i]));

/**
 * Finds a granularity by its name.
 * @throws {UnsupportedGranularity} when there is none of that name.
 */
function byName(name: string): Granularity {
  const found = BY_NAME.get(name);
  if (found === undefined) {
    throw new UnsupportedGranularity(
      `Unknown granularity ${JSON.stringify(name)}: expected one of ${[...BY_NAME.keys()].join(', ')}.`,
    );
  }
  return found;
}

export const Granularity: {
  readonly Seconds: Granularity;
  readonly Seconds10: Granularity;
  readonly Minutes: Granularity;
  readonly Minutes10: Granularity;
  readonly Hours: Granularity;
  readonly Hours6: Granularity;
  readonly Days: Granularity;
  readonly values: readonly Granularity[];
  byName(name: string): Granularity;
} = Object.freeze({
  Seconds,
  Seconds10,
  Minutes,
  Minutes10,
  Hours,
  Hours6,
  Days,
  values,
  byName,
});

/** Index in `Granularity.values`: 0 is the finest. */
export function granularityIndex(name: GranularityName): number {
  const index = INDEX_BY_NAME.get(name);
  assert(index !== undefined, 'a granularity name that passed validation is known');
  return index;
}

/** The granularities coarser than `highest`, from finest to coarsest; empty below `days`. */
export function lowerGranularities(highest: GranularityName): readonly Granularity[] {
  return LOWER[granularityIndex(highest)]!;
}

/** Start of the bucket that holds the instant. */
export function bucketStartMs(timestampMs: number, { durationMs }: Granularity): number {
  return Math.floor(timestampMs / durationMs) * durationMs;
}

/** First bucket start at or after the instant. */
export function bucketCeilMs(timestampMs: number, { durationMs }: Granularity): number {
  return Math.ceil(timestampMs / durationMs) * durationMs;
}
