import type { Backend } from '../backends/backend.ts';
import type { LevelSelection } from '../downsamplers/level-selection.ts';
import { readBlocks } from '../engine/block-reader.ts';
import type { LevelTail } from '../engine/level-tail.ts';
import { readableRange } from '../engine/source-cursor.ts';
import { type Block, concatBlocks, EMPTY_BLOCK, sliceBlock } from '../model/block.ts';
import { bucketWindows } from '../model/buckets.ts';
import { bucketStartMs, type Granularity } from '../model/granularity.ts';
import type { RangeSet } from '../model/staleness.ts';
import type { StreamSnapshot } from '../model/stream.ts';
import { intersectRanges, isEmptyRange, restOfRange, type TimeRange } from '../model/time-range.ts';
import { firstBuckets } from './bucket-starts.ts';

export interface LevelSource {
  readonly snapshot: StreamSnapshot;
  readonly granularity: Granularity;
  readonly selection: LevelSelection;
  /** Computes buckets that are not up to date; null where only stored ones are wanted. */
  readonly tail: LevelTail | null;
}

export interface Buckets {
  /** Of buckets that have data. */
  readonly block: Block;
  /** Where they were computed for the read; null when that was not asked for. */
  readonly live: RangeSet | null;
}

/** Who looks for the nearest bucket mostly has it nearby. */
const NEAR_BUCKET_COUNT = 16;
const SEARCH_GROWTH = 4;

/** The buckets of a lower level that have data: as they are stored, or as they are right now. */
export class LevelBuckets {
  /** From the first bucket that there is, with data or without, to the end of the last one. */
  readonly range: TimeRange;
  readonly #backend: Backend;
  readonly #source: LevelSource;

  constructor(backend: Backend, source: LevelSource) {
    this.#backend = backend;
    this.#source = source;
    const { snapshot, granularity, tail } = source;
    this.range = tail?.range ?? readableRange(backend, snapshot, granularity);
  }

  /**
   * Whether nobody knows what came before its first bucket: that has expired, at a time when the stream may have had
   * no statistics of values that are held.
   */
  get hasUnknownBefore(): boolean {
    const { granularity, snapshot } = this.#source;
    const { expiry } = snapshot.record;
    if (expiry?.filledMs?.[granularity.name] === undefined) return false;
    return this.range.startMs > bucketStartMs(expiry.originMs, granularity);
  }

  /** @param range on bucket boundaries, inside `this.range`. */
  async read(range: TimeRange): Promise<Buckets> {
    const { granularity, selection, snapshot, tail } = this.#source;
    if (tail !== null) return this.#current(tail, range);
    const { columns } = selection;
    const request = { streamId: snapshot.record.id, granularity, range, columns };
    return { block: await this.#backend.readRows(request), live: null };
  }

  /** The first bucket with data in the range, or the last one when reversed: one row, or none. */
  async nearest(range: TimeRange, isReverse: boolean): Promise<Block> {
    const searched = intersectRanges(range, this.range);
    if (isEmptyRange(searched)) return EMPTY_BLOCK;
    const { tail } = this.#source;
    return tail === null
      ? this.#nearestStored(searched, isReverse)
      : this.#nearestCurrent(tail, searched, isReverse);
  }

  async #nearestStored(range: TimeRange, isReverse: boolean): Promise<Block> {
    const { granularity, selection, snapshot } = this.#source;
    const request = { streamId: snapshot.record.id, granularity, range };
    const options = { columns: selection.columns, isReverse, firstRowCount: 1 };
    for await (const block of readBlocks(this.#backend, request, options)) {
      return endRow(block, isReverse);
    }
    return EMPTY_BLOCK;
  }

  /** In windows that grow: what is computed for each of them is held at once. */
  async #nearestCurrent(tail: LevelTail, range: TimeRange, isReverse: boolean): Promise<Block> {
    let rest = range;
    let bucketCount = NEAR_BUCKET_COUNT;
    while (!isEmptyRange(rest)) {
      const shape = { bucketCount: Math.min(bucketCount, tail.bucketCountMax), isReverse };
      const window = firstBuckets(rest, this.#source.granularity, shape);
      const { block } = await tail.read(window);
      if (block.timestamps.length > 0) return endRow(block, isReverse);
      rest = isReverse
        ? { startMs: rest.startMs, endMs: window.startMs }
        : restOfRange(rest, window.endMs);
      bucketCount *= SEARCH_GROWTH;
    }
    return EMPTY_BLOCK;
  }

  async #current(tail: LevelTail, range: TimeRange): Promise<Buckets> {
    const blocks: Block[] = [];
    const live: TimeRange[] = [];
    const windows = bucketWindows(range, this.#source.granularity, {
      from: 0,
      to: Number.POSITIVE_INFINITY,
      bucketCountMax: tail.bucketCountMax,
      isReverse: false,
    });
    for (const window of windows) {
      const current = await tail.read(window);
      blocks.push(current.block);
      live.push(...current.live);
    }
    return { block: concatBlocks(blocks), live };
  }
}

function endRow(block: Block, isReverse: boolean): Block {
  const row = isReverse ? block.timestamps.length - 1 : 0;
  return sliceBlock(block, row, row + 1);
}
