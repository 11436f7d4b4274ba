import { Fold } from '../downsamplers/fold.ts';
import type { LevelSchema } from '../downsamplers/level-schema.ts';
import { type Block, EMPTY_BLOCK, VALUE_COLUMN } from '../model/block.ts';
import { bucketStartMs, type Granularity } from '../model/granularity.ts';
import { isStoredGroup } from '../model/value.ts';
import { COUNT_LETTER } from '../model/value-letters.ts';

/** Buckets of one level that have become complete. */
export interface LevelAdvance {
  readonly granularity: Granularity;
  /** May be empty. */
  readonly block: Block;
  /** The level's new watermark. */
  readonly untilMs: number;
}

/** How far a level of a stream has come. */
export interface LevelPlace {
  /** Start of the first bucket that is not complete; NaN before the first datapoint. */
  readonly floorMs: number;
  /** The level's watermark; null before the first bucket. */
  readonly untilMs: number | null;
}

interface ChainLevel {
  readonly granularity: Granularity;
  readonly fold: Fold;
  floorMs: number;
  untilMs: number | null;
  /** Start of the open bucket of the fold; -Infinity when the fold has none. */
  openMs: number;
}

/**
 * The open buckets of all levels of one stream, from the finest to the coarsest: raw rows go into the
 * finest, and the buckets that become complete there into the next one. What is complete, and what the
 * buckets hold, is what maintenance would find and store.
 */
export class LevelChain {
  readonly #levels: readonly ChainLevel[];
  readonly #schema: LevelSchema;

  constructor(schema: LevelSchema, granularities: readonly Granularity[]) {
    this.#schema = schema;
    this.#levels = granularities.map((granularity) => ({
      granularity,
      fold: new Fold(schema, granularity),
      floorMs: Number.NaN,
      untilMs: null,
      openMs: Number.NEGATIVE_INFINITY,
    }));
  }

  place(index: number): LevelPlace {
    return this.#levels[index]!;
  }

  /** Puts an empty level where it belongs. */
  setPlace(index: number, { floorMs, untilMs }: LevelPlace): void {
    const level = this.#levels[index]!;
    level.floorMs = floorMs;
    level.untilMs = untilMs;
  }

  /** Empties the finest level, whose open bucket is to be filled anew. */
  clearFinest(): void {
    const [finest] = this.#levels;
    finest!.fold.finish();
    finest!.openMs = Number.NEGATIVE_INFINITY;
    if (finest!.untilMs !== null) return;
    // Nothing is complete yet: the first datapoint may be another one now.
    for (const level of this.#levels) level.floorMs = Number.NaN;
  }

  /** Adds raw rows, none of them before the first incomplete bucket of the finest level. */
  addRaw(rows: Block): void {
    if (rows.timestamps.length === 0) return;
    const [finest] = this.#levels;
    if (Number.isNaN(finest!.floorMs)) {
      for (const level of this.#levels) {
        level.floorMs = bucketStartMs(rows.timestamps[0]!, level.granularity);
      }
    }
    finest!.fold.addRaw(rows);
    const lastMs = lastPresentMs(rows, this.#schema);
    if (lastMs !== null) finest!.openMs = bucketStartMs(lastMs, finest!.granularity);
  }

  /** Adds buckets of the finer level (of the level itself: its open one) to a level. */
  addStates(index: number, rows: Block): void {
    if (rows.timestamps.length === 0) return;
    const level = this.#levels[index]!;
    level.fold.addStates(rows);
    level.openMs = bucketStartMs(rows.timestamps.at(-1)!, level.granularity);
  }

  /** Takes out what is complete once the latest raw row, null or not, is at `latestMs`, level by level. */
  advance(latestMs: number): readonly LevelAdvance[] {
    const advances: LevelAdvance[] = [];
    let finerLatestMs = latestMs;
    for (const [index, level] of this.#levels.entries()) {
      const { granularity } = level;
      const untilMs = bucketStartMs(finerLatestMs, granularity);
      if (untilMs > level.floorMs) {
        const block = takeBefore(level, untilMs);
        level.floorMs = untilMs;
        level.untilMs = untilMs;
        advances.push({ granularity, block, untilMs });
        if (index + 1 < this.#levels.length) this.addStates(index + 1, block);
      }
      if (level.untilMs === null) break;
      finerLatestMs = level.untilMs - granularity.durationMs;
    }
    return advances;
  }

  /** Takes the open bucket out of a level from which all complete ones have been taken: a row, or none. */
  takeOpen(index: number): Block {
    const level = this.#levels[index]!;
    level.openMs = Number.NEGATIVE_INFINITY;
    return level.fold.finish();
  }
}

/** Rows of nulls complete a bucket in which the fold, which does not see them, is still adding. */
function takeBefore(level: ChainLevel, untilMs: number): Block {
  if (level.openMs >= untilMs) return level.fold.takeClosed();
  if (level.openMs === Number.NEGATIVE_INFINITY) return EMPTY_BLOCK;
  level.openMs = Number.NEGATIVE_INFINITY;
  return level.fold.finish();
}

/** The timestamp of the last row with data; null when there is none. */
function lastPresentMs(
  { timestamps, columns }: Block,
  { isNumeric }: Pick<LevelSchema, 'isNumeric'>,
): number | null {
  const values = columns[VALUE_COLUMN]!;
  for (let row = timestamps.length - 1; row >= 0; row--) {
    const value = values[row];
    // A column of nulls alone is one of NaN, whatever the stream's type.
    if (value === null || Number.isNaN(value)) continue;
    const isEmptyGroup = isNumeric && isStoredGroup(value) && value[COUNT_LETTER] === 0;
    if (!isEmptyGroup) return timestamps[row]!;
  }
  return null;
}
