import type { Backend } from '../backends/backend.ts';
import type { LevelSchema } from '../downsamplers/level-schema.ts';
import {
  type Block,
  cutBlock,
  EMPTY_BLOCK,
  insertRows,
  lastOfEachTimestamp,
  lowerBound,
  replaceRows,
} from '../model/block.ts';
import { bucketBeforeMs, bucketStartMs } from '../model/granularity.ts';
import { type Ladder, ladderOf } from '../model/ladder.ts';
import { isEmptyRange, TIME_END_MS, TIME_MIN_MS } from '../model/time-range.ts';
import { levelStartMs } from './expiry.ts';
import type { LevelChain, LevelPlace } from './level-chain.ts';
import type { LiveStream } from './live-stream.ts';
import type { StagedStream } from './staged-stream.ts';

/** Complete buckets that a level may lack and still be followed: more of them are left to maintenance. */
const MISSING_BUCKET_COUNT_MAX = 64;

/** What rows are read from. */
type RowSource = Pick<Backend, 'readRows' | 'supports'>;

/** The levels of a stream. */
export interface StreamLevels {
  readonly schema: LevelSchema;
  readonly ladder: Ladder;
}

/** Where each level of a stream stands; null when its levels are not to follow appends. */
export function currentPlaces(
  stream: LiveStream,
  { schema, ladder }: StreamLevels,
): readonly LevelPlace[] | null {
  const { record, earliestMs, latestMs } = stream;
  // Open buckets of one level alone are filled with rows.
  if (schema.isEmpty || ladder.fromRaw.length !== 1) return null;
  // What open buckets would be made of may lack components.
  if (record.isRefilling) return null;
  // What derives from a level becomes stale with each bucket: only maintenance tells it so.
  if (record.dependents.some(({ granularity }) => granularity !== record.highestGranularity)) {
    return null;
  }
  const places = ladder.levels.map((granularity): LevelPlace => {
    const untilMs = record.levels[granularity.name]?.untilMs ?? null;
    return { untilMs, floorMs: untilMs ?? levelStartMs(stream, granularity) ?? Number.NaN };
  });
  const { filledMs } = record.expiry ?? {};
  if (filledMs !== undefined) {
    // An open bucket that is made of rows from before has other components than the stream.
    const isMixed = places.some(
      ({ floorMs }, index) => floorMs < (filledMs[ladder.levels[index]!.name] ?? floorMs),
    );
    if (isMixed) return null;
  }
  if (earliestMs === null || latestMs === null) {
    return places.every(({ untilMs }) => untilMs === null) ? places : null;
  }
  /** Of each level, the start of its last bucket that is complete, or will be. */
  const latestCompleteMs: number[] = [];
  for (const [index, { granularity, finerIndex }] of ladder.rungs.entries()) {
    const place = places[index]!;
    const finer = places[finerIndex];
    // Maintenance that has not come to its end: a level that is ahead of what it is computed from.
    if (finer !== undefined && finer.floorMs < place.floorMs) return null;
    const completeMs = bucketStartMs(latestCompleteMs[finerIndex] ?? latestMs, granularity);
    const missingMs = completeMs - place.floorMs;
    if (missingMs > MISSING_BUCKET_COUNT_MAX * granularity.durationMs) return null;
    latestCompleteMs.push(bucketBeforeMs(Math.max(completeMs, place.floorMs), granularity));
  }
  return places;
}

/** What is stored of the open buckets of all levels but the finest. */
export interface OpenStates {
  /** By level. */
  readonly places: readonly LevelPlace[];
  /** By level: complete buckets of the one it is computed from, ascending; maybe none. */
  readonly states: readonly Block[];
}

/** Reads what the open buckets of all levels but the finest are made of. */
export async function readOpenStates(
  source: RowSource,
  streamId: LiveStream['streamId'],
  { places, ladder }: Pick<StreamLevels, 'ladder'> & { readonly places: readonly LevelPlace[] },
): Promise<OpenStates> {
  const states: Block[] = [];
  for (const [index, place] of places.entries()) {
    const rung = ladder.rungs[index]!;
    const finer = places[rung.finerIndex];
    const range = { startMs: place.floorMs, endMs: finer?.untilMs ?? Number.NEGATIVE_INFINITY };
    const isNone = finer === undefined || Number.isNaN(range.startMs) || isEmptyRange(range);
    const granularity = rung.finer;
    states.push(isNone ? EMPTY_BLOCK : await source.readRows({ streamId, granularity, range }));
  }
  return { places, states };
}

/** Fills an empty chain. */
export function fillChain(chain: LevelChain, { places, states }: OpenStates): void {
  for (const [index, place] of places.entries()) {
    chain.setPlace(index, place);
    chain.addStates(index, states[index]!);
  }
}

/** The stored raw rows from the finest level's watermark on. */
export async function openRows(source: RowSource, stream: LiveStream): Promise<Block> {
  const startMs = finestUntilMs(stream);
  if (stream.latestMs === null || stream.latestMs < startMs) return EMPTY_BLOCK;
  // What others add meanwhile is not what the batch is built on: its commit will notice.
  const range = { startMs, endMs: stream.latestMs + 1 };
  const { streamId, highest: granularity } = stream;
  return source.readRows({ streamId, granularity, range });
}

/** The stored raw rows with what a batch does to them, from the finest level's watermark on. */
export async function openRowsWith(source: RowSource, staged: StagedStream): Promise<Block> {
  const range = { startMs: finestUntilMs(staged.stream), endMs: TIME_END_MS };
  let rows = await openRows(source, staged.stream);
  for (const { range: replaced, block } of staged.replacements) {
    rows = replaceRows(rows, replaced, cutBlock(block, range));
  }
  rows = insertRows(rows, cutBlock(staged.rows(), range));
  return source.supports.equalTimestamps ? rows : lastOfEachTimestamp(rows);
}

/** Whether a batch changes rows from the finest level's watermark on other than by adding to their end. */
export function reachesOpen(staged: StagedStream): boolean {
  const { lateRowCount, replacements } = staged;
  if (lateRowCount === 0 && replacements.length === 0) return false;
  const startMs = finestUntilMs(staged.stream);
  if (lateRowCount > 0 && staged.rows().timestamps[lateRowCount - 1]! >= startMs) return true;
  return replacements.some(({ range }) => range.endMs > startMs);
}

/**
 * How many rows of a batch, from its first, open buckets do not take: late ones, and those that levels have
 * passed already, because there were later datapoints once.
 */
export function knownRowCount(staged: StagedStream): number {
  const startMs = finestUntilMs(staged.stream);
  return Math.max(staged.lateRowCount, lowerBound(staged.rows().timestamps, startMs));
}

/** The earliest instant that there is before the first bucket is complete. */
function finestUntilMs(stream: LiveStream): number {
  const record = stream.currentRecord();
  const [finest] = ladderOf(record).fromRaw;
  return (finest && record.levels[finest.name]?.untilMs) ?? TIME_MIN_MS;
}
