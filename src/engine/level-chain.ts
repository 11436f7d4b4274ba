import { Fold } from '../downsamplers/fold.ts';
import type { LevelSchema } from '../downsamplers/level-schema.ts';
import { type Block, EMPTY_BLOCK, VALUE_COLUMN } from '../model/block.ts';
import { bucketBeforeMs, bucketStartMs, type Granularity } from '../model/granularity.ts';
import type { Ladder, Rung } from '../model/ladder.ts';
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
  readonly rung: Rung;
  /** Indexes of the levels that are computed from it. */
  readonly coarser: readonly number[];
  readonly fold: Fold;
  floorMs: number;
  untilMs: number | null;
  /** Start of the open bucket of the fold; -Infinity when the fold has none. */
  openMs: number;
  /** Whether it is left to maintenance, until the chain is filled anew: a bucket of it is not made of finer ones. */
  isLeft: boolean;
}

/**
 * The open buckets of all levels of one stream, from the finest to the coarsest: raw rows go into the
 * finest, and the buckets that become complete there into those that are computed from it. What is complete,
 * and what the buckets hold, is what maintenance would find and store.
 */
export class LevelChain {
  readonly #levels: readonly ChainLevel[];
  readonly #ladder: Ladder;
  readonly #schema: LevelSchema;

  /** @param ladder with one level that is computed from raw rows. */
  constructor(schema: LevelSchema, ladder: Ladder) {
    this.#schema = schema;
    this.#ladder = ladder;
    this.#levels = ladder.rungs.map((rung) => ({
      granularity: rung.granularity,
      rung,
      coarser: rung.coarser.map((level) => ladder.levels.indexOf(level)),
      fold: new Fold(schema, rung.granularity),
      floorMs: Number.NaN,
      untilMs: null,
      openMs: Number.NEGATIVE_INFINITY,
      isLeft: false,
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
    level.isLeft = false;
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
    if (level.isLeft) return;
    level.fold.addStates(rows);
    level.openMs = bucketStartMs(rows.timestamps.at(-1)!, level.granularity);
  }

  /** Takes out what is complete once the latest raw row, null or not, is at `latestMs`, level by level. */
  advance(latestMs: number): readonly LevelAdvance[] {
    const advances: LevelAdvance[] = [];
    for (const level of this.#levels) {
      const { granularity } = level;
      const finerLatestMs = level.rung.isFromRaw ? latestMs : this.#latestCompleteMs(level.rung);
      if (finerLatestMs === null) continue;
      const untilMs = bucketStartMs(finerLatestMs, granularity);
      // The negated form also catches NaN.
      if (!(untilMs > level.floorMs) || this.#isLeft(level, untilMs)) continue;
      const block = takeBefore(level, untilMs);
      level.floorMs = untilMs;
      level.untilMs = untilMs;
      advances.push({ granularity, block, untilMs });
      for (const index of level.coarser) this.addStates(index, block);
    }
    return advances;
  }

  /** Start of the last complete bucket of the finer level; null when it has none. */
  #latestCompleteMs({ finer, finerIndex }: Rung): number | null {
    const { untilMs } = this.#levels[finerIndex]!;
    return untilMs === null ? null : bucketBeforeMs(untilMs, finer);
  }

  /** Whether the level is left to maintenance, as it is where a bucket up to `untilMs` needs raw rows. */
  #isLeft(level: ChainLevel, untilMs: number): boolean {
    const { rung } = level;
    if (level.isLeft || rung.isNested) return level.isLeft;
    const sources = this.#ladder.sourcesOf(rung, { startMs: level.floorMs, endMs: untilMs });
    if (sources.every(({ finer }) => finer === rung.finer)) return false;
    level.fold.finish();
    level.openMs = Number.NEGATIVE_INFINITY;
    level.isLeft = true;
    return true;
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
