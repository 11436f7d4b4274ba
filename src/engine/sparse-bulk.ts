import { bucketStartMs, type Granularity } from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import type { LiveStream } from './live-stream.ts';
import type { TickStreams } from './plan-parts.ts';
import type { StagedStream } from './staged-stream.ts';

/** Rows are counted in windows of the clock. */
const WINDOW_MS = 10_000;
/** Buckets that a stream gets in a window; of levels of seconds it gets ten, at most, as time passes. */
const BUCKET_COUNT_MIN = 32;
/** Fewer buckets than this, of all such streams together, are no bulk. */
const BUCKET_COUNT_SUM_MIN = 4096;
/** Rows that a bucket has in the mean, from which on it is worth more than it costs. */
const ROW_COUNT_MIN = 2;
/** Fewer rows of one stream in a commit are not looked at. */
const STAGED_ROW_COUNT_MIN = 8;

/** What came for streams with the same rows, and the same finest level, in this window and the one before. */
interface Arrivals {
  readonly finest: Granularity;
  readonly streams: readonly LiveStream[];
  windowNumber: number;
  bucketCount: number;
  rowCount: number;
  /** Start of the last bucket. */
  startMs: number;
  /** What they add to the sum of this window. */
  addend: number;
  wasSparse: boolean;
}

interface BulkBatch {
  readonly ticks: readonly { readonly timestampMs: number; readonly plan: TickStreams }[];
  readonly staged: readonly StagedStream[];
}

/**
 * Finds streams that get rows much faster than time passes, nearly each of which is alone in its bucket of the finest
 * level: history that is handed in. Buckets of their own would be most of the work then, and nobody waits for them.
 */
export class SparseBulk {
  readonly #nowMs: () => number;
  readonly #arrivals = new WeakMap<TickStreams | LiveStream, readonly Arrivals[]>();
  #windowNumber = 0;
  #windowEndMs = Number.NEGATIVE_INFINITY;
  /** Of streams that have enough of them. */
  #bucketCountSum = 0;
  #wasBulk = false;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Takes note of what a commit has. @returns the streams that are such; may have one twice. */
  take({ ticks, staged }: BulkBatch): readonly LiveStream[] {
    this.#turn();
    const touched = new Set<Arrivals>();
    for (const { plan, timestampMs } of ticks) {
      for (const arrivals of this.#of(plan, plan.streams)) {
        this.#add(arrivals, timestampMs);
        touched.add(arrivals);
      }
    }
    for (const item of staged) {
      const { timestamps } = item.rows();
      if (timestamps.length < STAGED_ROW_COUNT_MIN) continue;
      for (const arrivals of this.#of(item.stream, [item.stream])) {
        if (areDense(timestamps, arrivals.finest)) continue;
        for (const timestampMs of timestamps) this.#add(arrivals, timestampMs);
        touched.add(arrivals);
      }
    }
    for (const arrivals of touched) this.#count(arrivals);
    if (!this.#wasBulk && this.#bucketCountSum < BUCKET_COUNT_SUM_MIN) return [];
    return [...touched].filter(isBulk).flatMap(({ streams }) => streams);
  }

  #turn(): void {
    const nowMs = this.#nowMs();
    // A clock that was set back begins a window, too.
    if (nowMs < this.#windowEndMs && nowMs >= this.#windowEndMs - WINDOW_MS) return;
    const isNext = Math.abs(nowMs - this.#windowEndMs) < WINDOW_MS;
    this.#wasBulk = isNext && this.#bucketCountSum >= BUCKET_COUNT_SUM_MIN;
    this.#bucketCountSum = 0;
    this.#windowNumber += isNext ? 1 : 2;
    this.#windowEndMs = nowMs + WINDOW_MS;
  }

  #of(key: TickStreams | LiveStream, streams: readonly LiveStream[]): readonly Arrivals[] {
    let known = this.#arrivals.get(key);
    if (known === undefined) {
      known = [...byFinestLevel(streams)].map(([finest, own]) => ({
        ...{ finest, streams: own, windowNumber: this.#windowNumber, wasSparse: false },
        ...{ bucketCount: 0, rowCount: 0, startMs: Number.NEGATIVE_INFINITY, addend: 0 },
      }));
      this.#arrivals.set(key, known);
    }
    return known;
  }

  #add(arrivals: Arrivals, timestampMs: number): void {
    if (arrivals.windowNumber !== this.#windowNumber) {
      const isNext = arrivals.windowNumber + 1 === this.#windowNumber;
      arrivals.wasSparse = isNext && areSparse(arrivals);
      arrivals.windowNumber = this.#windowNumber;
      arrivals.bucketCount = 0;
      arrivals.rowCount = 0;
      arrivals.addend = 0;
    }
    arrivals.rowCount++;
    const startMs = bucketStartMs(timestampMs, arrivals.finest);
    if (startMs === arrivals.startMs) return;
    arrivals.startMs = startMs;
    arrivals.bucketCount++;
  }

  #count(arrivals: Arrivals): void {
    const { bucketCount, streams, addend } = arrivals;
    arrivals.addend = areSparse(arrivals) ? bucketCount * streams.length : 0;
    this.#bucketCountSum += arrivals.addend - addend;
  }
}

/** Whether ascending rows lie so close to each other that they share buckets: found out without looking at each. */
function areDense(timestamps: Float64Array, { durationMs }: Granularity): boolean {
  const bucketCountMax = (timestamps.at(-1)! - timestamps[0]!) / durationMs + 1;
  return bucketCountMax * ROW_COUNT_MIN <= timestamps.length;
}

function isBulk(arrivals: Arrivals): boolean {
  return arrivals.wasSparse || areSparse(arrivals);
}

function areSparse({ bucketCount, rowCount }: Arrivals): boolean {
  return bucketCount >= BUCKET_COUNT_MIN && rowCount < bucketCount * ROW_COUNT_MIN;
}

/** Streams by the level that is computed from their rows; those without levels are left out. */
function byFinestLevel(
  streams: readonly LiveStream[],
): ReadonlyMap<Granularity, readonly LiveStream[]> {
  const byLevel = new Map<Granularity, LiveStream[]>();
  for (const stream of streams) {
    const [finest] = ladderOf(stream.record).fromRaw;
    if (finest === undefined) continue;
    const known = byLevel.get(finest);
    if (known === undefined) byLevel.set(finest, [stream]);
    else known.push(stream);
  }
  return byLevel;
}
