import { type HeldValue, heldTotals, lastHeld } from '../downsamplers/held-totals.ts';
import type { LevelSelection } from '../downsamplers/level-selection.ts';
import type { Block } from '../model/block.ts';
import { bucketStartsOf } from '../model/buckets.ts';
import { bucketStartMs, type Granularity } from '../model/granularity.ts';
import { isEmptyRange, type TimeRange } from '../model/time-range.ts';
import type { LevelBuckets } from './level-buckets.ts';

/** What was held in each bucket of a range, by letter. */
export type HeldColumns = Readonly<Record<string, Float64Array>>;

interface HeldSource {
  readonly selection: LevelSelection;
  readonly granularity: Granularity;
  /** When the last value ceases to be held, in buckets that are not over then. */
  readonly heldUntilMs: number;
}

interface Answer {
  readonly askedMs: number;
  readonly found: HeldValue | null;
}

/** Makes what is held unknown up to the next datapoint, and for how long it is. */
const UNKNOWN: HeldValue = { value: Number.NaN, timestampMs: Number.NaN };

/**
 * Finishes statistics of values that are held until the next datapoint: of a range of buckets with what was held
 * when it began, which the last bucket with data before it tells.
 */
export class HeldStatistics {
  readonly #source: HeldSource;
  readonly #buckets: LevelBuckets;
  /** What is read in order needs no search but the first, and what is read in a gap has one answer. */
  #known: Answer | null = null;

  constructor(source: HeldSource, buckets: LevelBuckets) {
    this.#source = source;
    this.#buckets = buckets;
  }

  /** @param block with all buckets of the range that have data. */
  async columnsOf(range: TimeRange, block: Block): Promise<HeldColumns> {
    const { selection, granularity, heldUntilMs } = this.#source;
    const boundsMs = boundsOf(range, granularity);
    const before = isEmptyRange(range) ? null : await this.#before(range.startMs);
    this.#known = { askedMs: range.endMs, found: lastHeld(block) ?? before };
    const { heartbeatMs } = selection;
    const held = { block, boundsMs, before, untilMs: heldUntilMs, heartbeatMs };
    return selection.heldColumns(heldTotals(held));
  }

  /** The last datapoint before a bucket starts, unless it is not held any more then. */
  async #before(startMs: number): Promise<HeldValue | null> {
    const known = this.#known;
    if (known !== null && startMs === known.askedMs) return known.found;
    if (known !== null && startMs < known.askedMs) {
      // What came last before a later instant came last before this one, too.
      if (known.found !== null && known.found.timestampMs < startMs) return known.found;
    }
    const { selection, granularity } = this.#source;
    const firstMs = this.#buckets.range.startMs;
    const heldSinceMs = startMs - selection.heartbeatMs;
    const range = {
      startMs: heldSinceMs > firstMs ? bucketStartMs(heldSinceMs, granularity) : firstMs,
      endMs: startMs,
    };
    const found = lastHeld(await this.#buckets.nearest(range, true));
    if (found !== null || heldSinceMs >= firstMs) return found;
    return this.#buckets.hasUnknownBefore ? UNKNOWN : null;
  }
}

/** Where the buckets begin, and where the last one ends. */
function boundsOf(range: TimeRange, granularity: Granularity): Float64Array {
  const startsMs = bucketStartsOf(range, granularity);
  const boundsMs = new Float64Array(startsMs.length + 1).fill(range.endMs);
  boundsMs.set(startsMs);
  return boundsMs;
}

/** Sets the statistics in datapoints that nobody else has yet, one for each bucket. */
export function setHeld(
  datapoints: readonly { readonly v?: Record<string, unknown> }[],
  held: HeldColumns,
): void {
  for (const [letter, column] of Object.entries(held)) {
    for (const [bucket, value] of column.entries()) {
      datapoints[bucket]!.v![letter] = Number.isNaN(value) ? null : value;
    }
  }
}
