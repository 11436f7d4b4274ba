import { Granularity } from '../../../model/granularity.ts';
import type { Segment } from './segments.ts';

/** What is known of a bucket. */
export const AGGREGATIONS = ['average', 'min', 'max'] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];

/** How time is cut into buckets `(start, end]`, which are stamped with their ends. */
export interface BucketGrid {
  /** The latest end that is not after an instant. */
  floor(timestampMs: number): number;
  /** The end after an end. */
  next(endMs: number): number;
}

/** Buckets of so many milliseconds, which end at whole multiples of it since 1970. */
export function evenGrid(stepMs: number): BucketGrid {
  return {
    floor: (timestampMs) => Math.floor(timestampMs / stepMs) * stepMs,
    next: (endMs) => endMs + stepMs,
  };
}

/** Days, weeks, months, quarters or years of a time zone. */
export function calendarGrid(unit: Granularity['unit'], timeZone: string): BucketGrid {
  const granularity = Granularity.of({ unit, timeZone });
  return {
    floor: (timestampMs) => granularity.bucketStart(timestampMs).getTime(),
    next: (endMs) => granularity.bucketEnd(endMs).getTime(),
  };
}

/** The value of a bucket, stamped with its end; null where too little is known of it. */
export interface BucketValue {
  readonly endMs: number;
  readonly value: number | null;
}

export interface BucketOptions {
  readonly grid: BucketGrid;
  readonly aggregation: Aggregation;
  /** The part of a bucket that has to be known, from 0 to 1. */
  readonly threshold: number;
  /** End of the bucket before the first one. */
  readonly fromMs: number;
  /** End of the last one. */
  readonly toMs: number;
}

/** The part of a bucket that is known so far. */
interface Known {
  coveredMs: number;
  /** Value times milliseconds. */
  area: number;
  min: number;
  max: number;
}

/**
 * The values of buckets, as segments have them that come in order: averages are weighted by time; least and greatest
 * are those of the part of each segment that is in the bucket. A bucket is complete when a segment reaches its end.
 */
export class Buckets {
  readonly #options: BucketOptions;
  #startMs: number;
  #endMs: number;
  #known = nothing();

  constructor(options: BucketOptions) {
    this.#options = options;
    this.#startMs = options.fromMs;
    this.#endMs = options.grid.next(options.fromMs);
  }

  /** Whether there are no more. */
  get isOver(): boolean {
    return this.#endMs > this.#options.toMs;
  }

  /** The buckets that are complete with a segment. */
  *add(segment: Segment): Generator<BucketValue, void, undefined> {
    while (!this.isOver) {
      const bucket = { startMs: this.#startMs, endMs: this.#endMs };
      addTo(this.#known, segment, bucket);
      if (segment.toMs < bucket.endMs) return;
      const lengthMs = bucket.endMs - bucket.startMs;
      yield { endMs: bucket.endMs, value: bucketValue(this.#known, lengthMs, this.#options) };
      this.#startMs = bucket.endMs;
      this.#endMs = this.#options.grid.next(bucket.endMs);
      this.#known = nothing();
    }
  }
}

function nothing(): Known {
  return {
    coveredMs: 0,
    area: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
  };
}

function addTo(
  known: Known,
  segment: Segment,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
): void {
  const fromMs = Math.max(segment.fromMs, startMs);
  const toMs = Math.min(segment.toMs, endMs);
  if (toMs <= fromMs) return;
  const fromValue = valueAt(segment, fromMs);
  const toValue = valueAt(segment, toMs);
  known.coveredMs += toMs - fromMs;
  known.area += (fromValue / 2 + toValue / 2) * (toMs - fromMs);
  known.min = Math.min(known.min, fromValue, toValue);
  known.max = Math.max(known.max, fromValue, toValue);
}

function valueAt({ fromMs, toMs, fromValue, toValue }: Segment, timestampMs: number): number {
  if (timestampMs === fromMs || fromValue === toValue) return fromValue;
  if (timestampMs === toMs) return toValue;
  const part = (timestampMs - fromMs) / (toMs - fromMs);
  return fromValue * (1 - part) + toValue * part;
}

function bucketValue(
  { coveredMs, area, min, max }: Known,
  lengthMs: number,
  { aggregation, threshold }: BucketOptions,
): number | null {
  if (coveredMs === 0 || coveredMs / lengthMs < threshold) return null;
  const value = { average: area / coveredMs, min, max }[aggregation];
  return Number.isFinite(value) ? value : null;
}
