import type { Backend } from '../backends/backend.ts';
import { LevelSchema } from '../downsamplers/level-schema.ts';
import { type Block, concatBlocks } from '../model/block.ts';
import { bucketCeilMs, bucketStartMs, type Granularity } from '../model/granularity.ts';
import { ladderOf, type Rung } from '../model/ladder.ts';
import { clipRanges, type RangeSet } from '../model/staleness.ts';
import type { StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { isEmptyRange, TIME_MIN_MS, type TimeRange } from '../model/time-range.ts';
import { levelStartMs, originMs } from './expiry.ts';
import { LevelDraft } from './level-draft.ts';
import { foldComputed, foldRange } from './level-maintenance.ts';

/** Buckets of the finest level that are computed for one read, about. */
const FINEST_BUCKET_COUNT_MAX = 100_000;

/** Buckets of a level as they are right now. */
export interface CurrentBuckets {
  /** Those that have data. */
  readonly block: Block;
  /** Where buckets were computed for this read: they are stale, or not complete. On bucket boundaries. */
  readonly live: RangeSet;
}

/**
 * A level with the buckets that maintenance has not computed yet, or has to compute again: these are folded
 * from the next finer level, which may be so itself, whenever they are read. Nothing is stored.
 */
export class LevelTail {
  readonly #backend: Backend;
  readonly #snapshot: StreamSnapshot;
  readonly #granularity: Granularity;

  constructor(backend: Backend, snapshot: StreamSnapshot, granularity: Granularity) {
    this.#backend = backend;
    this.#snapshot = snapshot;
    this.#granularity = granularity;
  }

  /** From the bucket of the first datapoint to the end of that of the last one; empty without datapoints. */
  get range(): TimeRange {
    const { record } = this.#snapshot;
    if (originMs(this.#snapshot) === null || LevelSchema.of(record).isEmpty) {
      return { startMs: 0, endMs: 0 };
    }
    return this.#bucketsOf(this.#granularity);
  }

  /** How many buckets one read should have at most, so that it holds a bounded number of finer ones. */
  get bucketCountMax(): number {
    const [finest] = ladderOf(this.#snapshot.record).levels;
    const finerCount = this.#granularity.durationMs / finest!.durationMs;
    return Math.max(1, Math.floor(FINEST_BUCKET_COUNT_MAX / finerCount));
  }

  /** @param range on bucket boundaries, inside `this.range`. */
  async read(range: TimeRange): Promise<CurrentBuckets> {
    const draft = new LevelDraft(this.#backend, this.#snapshot);
    const granularity = this.#granularity;
    const live: TimeRange[] = [];
    if (draft.isServerComputed) {
      const { untilMs } = draft.level(granularity);
      const open = {
        startMs: Math.max(range.startMs, untilMs ?? range.startMs),
        endMs: range.endMs,
      };
      if (!isEmptyRange(open)) live.push(open);
    } else live.push(...(await this.#compute(draft, range)));
    const blocks: Block[] = [];
    await draft.visit(granularity, range, (block) => {
      blocks.push(block);
      return true;
    });
    return { block: concatBlocks(blocks), live };
  }

  /** Folds what is stale or missing, from the finest level on. Gives the ranges of the level itself. */
  async #compute(draft: LevelDraft, range: TimeRange): Promise<RangeSet> {
    const schema = LevelSchema.of(this.#snapshot.record);
    let work: RangeSet = [];
    const lineage = draft.ladder.lineage(this.#granularity);
    for (const [index, rung] of lineage.entries()) {
      const { granularity } = rung;
      const reached = reachedBy(range, lineage.slice(index));
      work = clipRanges(draft.work(granularity, this.#bucketsOf(granularity)), reached);
      for (const source of work.flatMap((part) => draft.ladder.sourcesOf(rung, part))) {
        const task = { schema, granularity, ...source };
        const limits = { rowCountMax: Number.POSITIVE_INFINITY, signal: undefined };
        const { computed } = foldComputed(draft, task) ?? (await foldRange(draft, task, limits));
        draft.put(computed);
      }
    }
    return work;
  }

  #bucketsOf(granularity: Granularity): TimeRange {
    const { record, latestMs } = this.#snapshot;
    const startMs = levelStartMs(this.#snapshot, granularity)!;
    // Where all datapoints that have not expired were deleted, what was computed of the others stays.
    const endMs = latestMs === null ? computedUntilMs(record) : latestMs + 1;
    return { startMs, endMs: bucketCeilMs(Math.max(startMs, endMs), granularity) };
  }
}

/**
 * The buckets of a level that a range of a coarser one has a part of. Where that one is not made of whole ones,
 * they reach beyond it, and further with each level: the same buckets are stale whatever is read with them.
 */
function reachedBy(range: TimeRange, lineage: readonly Rung[]): TimeRange {
  let reached = range;
  for (const { granularity } of lineage.toReversed()) {
    reached = {
      startMs: bucketStartMs(reached.startMs, granularity),
      endMs: bucketCeilMs(reached.endMs, granularity),
    };
  }
  return reached;
}

/** Up to where buckets of any level are computed. */
function computedUntilMs(record: StreamRecord): number {
  const ends = ladderOf(record).fromRaw.map(({ name }) => record.levels[name]?.untilMs);
  return Math.max(TIME_MIN_MS, ...ends.map((untilMs) => untilMs ?? TIME_MIN_MS));
}
