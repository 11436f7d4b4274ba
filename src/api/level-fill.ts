import type { FinishedBucket } from '../downsamplers/level-selection.ts';
import type { Block } from '../model/block.ts';
import { bucketStartsOf } from '../model/buckets.ts';
import type { TimeRange } from '../model/time-range.ts';
import { bucketAt } from './bucket-starts.ts';
import { DataNeighbours } from './data-neighbours.ts';
import { type BucketRow, type FillMethod, GapFill, type Neighbour } from './gap-fill.ts';
import type { LevelBuckets, LevelSource } from './level-buckets.ts';

/** Fills the buckets of a level that have no data, from those that have, wherever these may be. */
export class LevelFill {
  readonly gaps: GapFill;
  readonly #source: LevelSource;
  readonly #neighbours: DataNeighbours;

  /** @throws {UnsupportedValueType} as `GapFill` does. */
  constructor(method: FillMethod, source: LevelSource, buckets: LevelBuckets) {
    this.gaps = new GapFill(method, source.snapshot.record, source.selection);
    this.#source = source;
    this.#neighbours = new DataNeighbours(buckets.range, async (range, isReverse) =>
      this.#neighbourOf(await buckets.nearest(range, isReverse)),
    );
  }

  /** What there is to fill between the block, which has the buckets with data, and beside it; null for nothing. */
  async rowOf(range: TimeRange, { timestamps }: Block): Promise<BucketRow | null> {
    const startsMs = bucketStartsOf(range, this.#source.granularity);
    if (timestamps.length === startsMs.length) return null;
    const { needsBefore, needsAfter } = this.gaps;
    const isBefore = needsBefore && timestamps[0] !== startsMs[0];
    const isAfter = needsAfter && timestamps.at(-1) !== startsMs.at(-1);
    return {
      startsMs,
      filledStartsMs: timestamps,
      before: isBefore ? await this.#neighbours.before(range.startMs) : null,
      after: isAfter ? await this.#neighbours.after(range.endMs) : null,
    };
  }

  #neighbourOf(block: Block): Neighbour | null {
    const [startMs] = block.timestamps;
    if (startMs === undefined) return null;
    const { granularity, selection } = this.#source;
    const [bucket] = selection.datapoints(block, bucketAt(startMs, granularity), granularity);
    return { startMs, v: (bucket as FinishedBucket).v ?? {} };
  }
}
