import type { TimeWindow } from '../time/time-window.ts';
import { DAY_MS, granularityMs, HOUR_MS, MINUTE_MS, SECOND_MS, WEEK_MS } from '../time/units.ts';
import { instantOfLocal, localMs } from '../time/zone.ts';
import { type ChartColumns, gapLeastMs, gapRows, numberOf } from './columns.ts';

/** A stretch of time, and how much of the data it has that there could be. */
export interface CoverageCell extends TimeWindow {
  /** Datapoints; null: there are some, and nobody knows how many. */
  readonly count: number | null;
  /** 0: there is nothing; 1: as dense as the stream usually is. */
  readonly share: number;
}

const LENGTHS_MS = [
  SECOND_MS,
  10 * SECOND_MS,
  MINUTE_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  6 * HOUR_MS,
  DAY_MS,
  WEEK_MS,
  4 * WEEK_MS,
  52 * WEEK_MS,
] as const;
/** The Monday after the clock showed 1970. */
const MONDAY_MS = 4 * DAY_MS;
/** What is denser than so many parts of the cells counts as full. */
const USUAL_PART = 0.75;

/**
 * Where a history has data: cells of equal lengths on the clock of the zone, ascending, without holes. `columns` are
 * of the whole history; `areCounted` says that their letter `c`, or each of their rows, counts datapoints.
 */
export function coverageCells(
  columns: ChartColumns,
  {
    zone,
    countMax,
    areCounted,
  }: { readonly zone: string; readonly countMax: number; readonly areCounted: boolean },
): readonly CoverageCell[] {
  const { timestamps, isRaw, granularity, letters } = columns;
  const firstMs = timestamps[0];
  if (firstMs === undefined) return [];
  const bucketMs = isRaw ? 0 : granularityMs(granularity);
  const lastMs = timestamps.at(-1)! + Math.max(bucketMs, 1);
  const leastMs = cellLeastMs(timestamps, bucketMs);
  const bounds = boundsOf({ startMs: firstMs, endMs: lastMs }, { zone, countMax, leastMs });
  const counts = new Array<number>(bounds.length - 1).fill(0);
  let cell = 0;
  for (const [row, timestampMs] of timestamps.entries()) {
    while (cell < counts.length - 1 && bounds[cell + 1]! <= timestampMs + bucketMs / 2) cell++;
    counts[cell]! += isRaw ? 1 : (numberOf(letters['c']?.[row]) ?? 1);
  }
  const densities = counts.map((count, index) => {
    const startMs = Math.max(bounds[index]!, firstMs);
    const endMs = Math.min(bounds[index + 1]!, lastMs);
    return count / Math.max(endMs - startMs, bucketMs, 1);
  });
  const sorted = densities.filter((density) => density > 0).sort((a, b) => a - b);
  const usual = sorted[Math.floor(sorted.length * USUAL_PART)] ?? 1;
  return counts.map((count, index) => ({
    startMs: bounds[index]!,
    endMs: bounds[index + 1]!,
    count: areCounted || count === 0 ? count : null,
    share: areCounted ? Math.min(1, densities[index]! / usual) : Math.sign(count),
  }));
}

/** Cells are no shorter than buckets, nor than what must pass without a datapoint to be a gap. */
function cellLeastMs(timestamps: readonly number[], bucketMs: number): number {
  const gapMs = gapLeastMs(timestamps, bucketMs);
  // Where buckets follow each other, a cell may be a single one. Days are shorter where clocks are put forward.
  return Number.isFinite(gapMs) && gapMs > 2 * bucketMs ? gapMs : bucketMs * 0.9;
}

/** Ends of cells, one more than there are cells: the shortest that are long enough, and not too many. */
function boundsOf(
  { startMs, endMs }: TimeWindow,
  {
    zone,
    countMax,
    leastMs,
  }: { readonly zone: string; readonly countMax: number; readonly leastMs: number },
): readonly number[] {
  const wantedMs = Math.max(leastMs, (endMs - startMs) / countMax);
  const lengthMs = LENGTHS_MS.find((candidate) => candidate >= wantedMs) ?? wantedMs;
  const originMs = lengthMs % WEEK_MS === 0 ? MONDAY_MS : 0;
  const shownMs = localMs(startMs, zone);
  const bounds: number[] = [];
  for (let index = Math.floor((shownMs - originMs) / lengthMs); ; index++) {
    const boundMs = instantOfLocal(index * lengthMs + originMs, zone);
    // A clock that is put forward shows some bounds never.
    if (boundMs > (bounds.at(-1) ?? Number.NEGATIVE_INFINITY)) bounds.push(boundMs);
    if (boundMs >= endMs && bounds.length > 1) return bounds;
  }
}

/** Where nothing is although there usually would be something, the longest first; as exact as the level of the columns. */
export function coverageGaps({
  timestamps,
  isRaw,
  granularity,
}: ChartColumns): readonly TimeWindow[] {
  const bucketMs = isRaw ? 0 : granularityMs(granularity);
  return gapRows(timestamps, bucketMs)
    .map((row) => ({ startMs: timestamps[row]! + bucketMs, endMs: timestamps[row + 1]! }))
    .sort((a, b) => b.endMs - b.startMs - (a.endMs - a.startMs));
}
