/** What readings of a series are. */
export const SERIES_TYPES = ['period', 'gauge', 'counter'] as const;
export type SeriesType = (typeof SERIES_TYPES)[number];

/** A number that was read, at an instant in epoch milliseconds. */
export interface Reading {
  readonly timestampMs: number;
  readonly value: number;
}

/** What a series has at an instant: a computed one may have no data there. */
export interface StoredReading extends Omit<Reading, 'value'> {
  readonly value: number | null;
}

/** What a series was over `(fromMs, toMs]`: a straight line between two values. */
export interface Segment {
  readonly fromMs: number;
  readonly toMs: number;
  readonly fromValue: number;
  readonly toValue: number;
}

export interface SegmentOptions {
  readonly type: SeriesType;
  /** From where on the first reading of a period counts. */
  readonly startMs: number;
  /** For how long before a reading it says something, at most; null: from the reading before it. */
  readonly heartbeatMs: number | null;
  /** The number at which a counter begins again; null: a smaller reading means that it was reset to 0. */
  readonly counterWrap: number | null;
}

/**
 * What readings, in ascending order, say about the time between them. A reading of a period is the value of the time
 * since the reading before it; gauges go straight from reading to reading; counters have the rate per second that
 * makes the difference.
 */
export class Segments {
  readonly #options: SegmentOptions;
  #before: StoredReading | null = null;

  constructor(options: SegmentOptions) {
    this.#options = options;
  }

  /** What the next reading says; the segment has no length where that is nothing. */
  next(reading: StoredReading): Segment {
    const { type, startMs, heartbeatMs } = this.#options;
    const before = this.#before;
    this.#before = reading;
    const { timestampMs: toMs, value } = reading;
    const sinceMs = before?.timestampMs ?? startMs;
    const lengthMs = toMs - sinceMs;
    const isTooLong = heartbeatMs !== null && lengthMs > heartbeatMs;
    if (value === null) return { fromMs: toMs, toMs, fromValue: 0, toValue: 0 };
    if (type === 'period') {
      const fromMs = isTooLong ? toMs - heartbeatMs : sinceMs;
      return { fromMs, toMs, fromValue: value, toValue: value };
    }
    if (before === null || before.value === null || isTooLong) {
      return { fromMs: toMs, toMs, fromValue: value, toValue: value };
    }
    if (type === 'gauge') return { fromMs: sinceMs, toMs, fromValue: before.value, toValue: value };
    const rate = increase(before.value, value, this.#options) / (lengthMs / 1000);
    return { fromMs: sinceMs, toMs, fromValue: rate, toValue: rate };
  }
}

function increase(
  before: number,
  now: number,
  { counterWrap }: Pick<SegmentOptions, 'counterWrap'>,
): number {
  if (now >= before) return now - before;
  return counterWrap === null ? now : now - before + counterWrap;
}
