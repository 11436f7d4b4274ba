import type { Backend } from '../backends/backend.ts';
import { LevelSchema } from '../downsamplers/level-schema.ts';
import { levelStartMs } from '../engine/expiry.ts';
import { LevelTail } from '../engine/level-tail.ts';
import { readableRange } from '../engine/source-cursor.ts';
import { bucketCountOf } from '../model/buckets.ts';
import { bucketCeilMs, bucketStartMs, Granularity, timestampStepMs } from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import { expiredUntilMs } from '../model/retention.ts';
import type { StreamSnapshot } from '../model/stream.ts';
import { intersectRanges, isEmptyRange } from '../model/time-range.ts';
import { bucketRange, type CheckedRange, rawRange } from './data-range.ts';
import { RawRows } from './raw-rows.ts';

export interface ChoiceRequest {
  readonly range: CheckedRange;
  /** At least 1. */
  readonly pointCountMax: number;
  /** Whether buckets that are not up to date are computed for the read. */
  readonly isLive: boolean;
  /** Whether raw datapoints will not do. */
  readonly isLevelOnly: boolean;
}

export interface Choice {
  readonly granularity: Granularity;
  /** Where it has more points than wanted, as even the coarsest granularity has: how many are wanted. */
  readonly pointCountMax: number | null;
}

/** Chooses the granularity of a read, once: whatever is asked of the read later is of the same granularity. */
export class GranularityChoice {
  readonly #backend: Backend;
  readonly #request: ChoiceRequest;
  #choice: Promise<Choice> | null = null;

  constructor(backend: Backend, request: ChoiceRequest) {
    this.#backend = backend;
    this.#request = request;
  }

  /**
   * The finest granularity that has few enough points in the range, and of which nothing has expired there that a
   * coarser one still has. Levels that the stream has beside those of every stream are included; of equally long
   * ones that of its time zone is chosen. Buckets count up to that of the latest
   * datapoint, computed or not: the choice is the same before and after maintenance.
   */
  of(snapshot: StreamSnapshot): Promise<Choice> {
    if (this.#choice === null) {
      const choice = this.#choose(snapshot);
      this.#choice = choice;
      choice.catch(() => {
        if (this.#choice === choice) this.#choice = null;
      });
    }
    return this.#choice;
  }

  async #choose(snapshot: StreamSnapshot): Promise<Choice> {
    const { record } = snapshot;
    const { isLevelOnly, pointCountMax } = this.#request;
    const highest = Granularity.byName(record.highestGranularity);
    const levels = LevelSchema.of(record).isEmpty ? [] : ladderOf(record).levels;
    const isWhole = (granularity: Granularity): boolean =>
      !levels.some((level) => this.#hasMore(snapshot, level, granularity));
    if ((!isLevelOnly && isWhole(highest)) || levels.length === 0) {
      const isTooFine = await this.#hasTooManyDatapoints(snapshot, highest);
      if (!isTooFine) return { granularity: highest, pointCountMax: null };
    }
    const fits = (level: Granularity): boolean =>
      isWhole(level) && this.#bucketCount(snapshot, level) <= pointCountMax;
    const finest = levels.find(fits);
    if (finest === undefined) return { granularity: levels.at(-1) ?? highest, pointCountMax };
    // Levels that the stream was given come after those that every stream has: local days after those of UTC.
    const own = levels.findLast(({ durationMs }) => durationMs === finest.durationMs);
    const granularity = own !== undefined && fits(own) ? own : finest;
    return { granularity, pointCountMax: null };
  }

  /**
   * Whether a coarser level has something in the range that has expired of a finer granularity: whole buckets, since
   * what is kept for the same time begins in the same bucket.
   */
  #hasMore({ record }: StreamSnapshot, level: Granularity, finer: Granularity): boolean {
    if (record.expiry === undefined || level.durationMs <= finer.durationMs) return false;
    const { startMs, endMs } = bucketRange(this.#request.range, level);
    const firstMs = Math.max(
      startMs,
      bucketStartMs(record.expiry.originMs, level),
      expiredUntilMs(record, level.name),
    );
    return firstMs < Math.min(endMs, bucketStartMs(expiredUntilMs(record, finer.name), level));
  }

  #hasTooManyDatapoints(snapshot: StreamSnapshot, granularity: Granularity): Promise<boolean> {
    const range = rawRange(this.#request.range, timestampStepMs(granularity.name));
    const rows = new RawRows(this.#backend, { snapshot, granularity, range, isReverse: false });
    return rows.hasMoreThan(this.#request.pointCountMax);
  }

  #bucketCount(snapshot: StreamSnapshot, granularity: Granularity): number {
    const firstMs = levelStartMs(snapshot, granularity);
    if (firstMs === null) return 0;
    // A level whose last datapoints were deleted has buckets behind the last one that is left.
    const readable = readableRange(this.#backend, snapshot, granularity);
    const readableEndMs = isEmptyRange(readable) ? firstMs : readable.endMs;
    const { endMs: latestEndMs } = new LevelTail(this.#backend, snapshot, granularity).range;
    const { startMs, endMs } = intersectRanges(bucketRange(this.#request.range, granularity), {
      startMs: firstMs,
      endMs: this.#request.isLive ? latestEndMs : Math.max(latestEndMs, readableEndMs),
    });
    if (isEmptyRange({ startMs, endMs })) return 0;
    const buckets = { startMs, endMs: bucketCeilMs(endMs, granularity) };
    const aboutCount = (buckets.endMs - startMs) / granularity.durationMs;
    // Buckets that differ are counted one by one: not where there are far too many.
    return aboutCount > 2 * this.#request.pointCountMax
      ? aboutCount
      : bucketCountOf(buckets, granularity);
  }
}
