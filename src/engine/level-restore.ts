import type { LevelSchema } from '../downsamplers/level-schema.ts';
import {
  type Block,
  concatBlocks,
  cutBlock,
  insertRows,
  lastOfEachTimestamp,
  replaceRows,
} from '../model/block.ts';
import { bucketStartMs, Granularity } from '../model/granularity.ts';
import { isEmptyRange, TIME_END_MS, TIME_MIN_MS } from '../model/time-range.ts';
import { type PageSource, readBlocks } from './block-reader.ts';
import type { LevelChain, LevelPlace } from './level-chain.ts';
import type { LiveStream } from './live-stream.ts';
import type { StagedStream } from './staged-stream.ts';

/** Complete buckets that a level may lack and still be followed: more of them are left to maintenance. */
const MISSING_BUCKET_COUNT_MAX = 64;

/** The levels of a stream, from the finest to the coarsest. */
export interface StreamLevels {
  readonly schema: LevelSchema;
  readonly granularities: readonly Granularity[];
}

/** Where each level of a stream stands; null when its levels are not to follow appends. */
export function currentPlaces(
  { record, earliestMs, latestMs }: LiveStream,
  { schema, granularities }: StreamLevels,
): readonly LevelPlace[] | null {
  if (schema.isEmpty || granularities.length === 0) return null;
  // What derives from a level becomes stale with each bucket: only maintenance tells it so.
  if (record.dependents.some(({ granularity }) => granularity !== record.highestGranularity)) {
    return null;
  }
  const places = granularities.map((granularity): LevelPlace => {
    const untilMs = record.levels[granularity.name]?.untilMs ?? null;
    const firstMs = earliestMs === null ? Number.NaN : bucketStartMs(earliestMs, granularity);
    return { untilMs, floorMs: untilMs ?? firstMs };
  });
  if (earliestMs === null || latestMs === null) {
    return places.every(({ untilMs }) => untilMs === null) ? places : null;
  }
  let finer: LevelPlace | null = null;
  let finerLatestMs = latestMs;
  for (const [index, granularity] of granularities.entries()) {
    const place = places[index]!;
    // Maintenance that has not come to its end: a level that is ahead of what it is computed from.
    if (finer !== null && finer.floorMs < place.floorMs) return null;
    const completeMs = bucketStartMs(finerLatestMs, granularity);
    const missingMs = completeMs - place.floorMs;
    if (missingMs > MISSING_BUCKET_COUNT_MAX * granularity.durationMs) return null;
    finerLatestMs = Math.max(completeMs, place.floorMs) - granularity.durationMs;
    finer = place;
  }
  return places;
}

/** Fills the open buckets of all levels but the finest into an empty chain. */
export async function restoreCoarser(
  source: PageSource,
  streamId: LiveStream['streamId'],
  {
    chain,
    places,
    granularities,
  }: Pick<StreamLevels, 'granularities'> & {
    readonly chain: LevelChain;
    readonly places: readonly LevelPlace[];
  },
): Promise<void> {
  for (const [index, place] of places.entries()) {
    chain.setPlace(index, place);
    const finer = places[index - 1];
    const range = { startMs: place.floorMs, endMs: finer?.untilMs ?? Number.NEGATIVE_INFINITY };
    if (finer === undefined || Number.isNaN(range.startMs) || isEmptyRange(range)) continue;
    const request = { streamId, granularity: granularities[index - 1]!, range };
    for await (const rows of readBlocks(source, request)) chain.addStates(index, rows);
  }
}

/** The stored raw rows from the finest level's watermark on. */
export async function openRows(source: PageSource, stream: LiveStream): Promise<Block> {
  const startMs = finestUntilMs(stream);
  if (stream.latestMs === null || stream.latestMs < startMs) return NO_ROWS;
  const range = { startMs, endMs: TIME_END_MS };
  const blocks: Block[] = [];
  const request = { streamId: stream.streamId, granularity: stream.highest, range };
  for await (const block of readBlocks(source, request)) blocks.push(block);
  return concatBlocks(blocks);
}

/** The stored raw rows with what a batch does to them, from the finest level's watermark on. */
export async function openRowsWith(source: PageSource, staged: StagedStream): Promise<Block> {
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

/** The earliest instant that there is before the first bucket is complete. */
function finestUntilMs(stream: LiveStream): number {
  const record = stream.currentRecord();
  const finest = Granularity.values[Granularity.values.indexOf(stream.highest) + 1];
  return (finest && record.levels[finest.name]?.untilMs) ?? TIME_MIN_MS;
}

const NO_ROWS: Block = { timestamps: new Float64Array(0), columns: {} };
