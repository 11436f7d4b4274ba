import type { SeriesShape } from './series-shape.ts';

/** Rows with values, between two gaps that are shown. */
interface Run {
  readonly pointCount: number;
  readonly pickCount: number;
}

/** Which points are shown, of so many. */
export interface PointPlan {
  /** Of the rows without a value that are shown: one for each gap. Ascending. */
  readonly gapPositions: readonly number[];
  readonly runs: readonly Run[];
}

/** Of the points that there may be, so many are left for gaps: a fifth, so that each run has two for its ends. */
export function gapCountMax(pointCountMax: number): number {
  return Math.max(0, Math.floor((pointCountMax - 2) / 5));
}

/**
 * Shares points among the runs of a series by their lengths; its first and last row are always shown, where
 * there are three points. Gaps between values that are not shown are bridged: they are the shortest.
 */
export function planPoints(shape: SeriesShape, pointCountMax: number): PointPlan {
  const { rowCount, valueCount, gaps } = shape;
  if (valueCount === 0) return { gapPositions: endsOf(rowCount, pointCountMax), runs: [] };
  const isStartShown = shape.startsWithGap && pointCountMax >= 2;
  const isEndShown = shape.endsWithGap && pointCountMax >= 3;
  const gapPositions = [
    ...(isStartShown ? [0] : []),
    ...gaps.map(({ position }) => position),
    ...(isEndShown ? [rowCount - 1] : []),
  ];
  const starts = [0, ...gaps.map(({ valueCountBefore }) => valueCountBefore)];
  const counts = starts.map((start, run) => (starts[run + 1] ?? valueCount) - start);
  const pickCounts = share(counts, pointCountMax - gapPositions.length);
  const runs = counts.map((pointCount, run) => ({ pointCount, pickCount: pickCounts[run]! }));
  return { gapPositions, runs };
}

function endsOf(rowCount: number, pointCountMax: number): readonly number[] {
  if (rowCount === 0) return [];
  return rowCount === 1 || pointCountMax === 1 ? [0] : [0, rowCount - 1];
}

/** Two for each run, and of the rest its part; never more than it has. */
function share(counts: readonly number[], pickCount: number): readonly number[] {
  if (counts.length === 1) return [Math.min(counts[0]!, pickCount)];
  const ends = counts.map((count) => Math.min(count, 2));
  const inner = counts.map((count, run) => count - ends[run]!);
  const innerCount = sum(inner);
  const restCount = Math.min(pickCount - sum(ends), innerCount);
  let before = 0;
  return counts.map((_, run) => {
    const from = Math.floor((restCount * before) / Math.max(1, innerCount));
    before += inner[run]!;
    return ends[run]! + Math.floor((restCount * before) / Math.max(1, innerCount)) - from;
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
