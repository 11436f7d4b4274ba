import { interpolate } from '../../model/interpolate.ts';
import { joinValues, type Point, type Thinning } from './thinner.ts';

/** A hole of at most this many usual distances between points is bridged, a longer one stays a gap. */
const BRIDGED_DISTANCE_COUNT = 3;

export interface TimeSpan {
  readonly startMs: number;
  /** Included. */
  readonly endMs: number;
}

/** The column that shows an instant; the span's ends are the first and the last column. */
export function columnOf(timeMs: number, span: TimeSpan, columnCount: number): number {
  const lengthMs = span.endMs - span.startMs;
  if (lengthMs === 0) return 0;
  return Math.round(((timeMs - span.startMs) / lengthMs) * (columnCount - 1));
}

/**
 * One value per column: points that share a column are joined, columns between neighbouring points lie
 * on the line between them, and columns in a gap of the data are NaN. A point without data is a gap too.
 */
export function columnValues(
  points: readonly Point[],
  options: {
    readonly span: TimeSpan;
    readonly columnCount: number;
    readonly thinning: Thinning;
  },
): Float64Array {
  const { span, columnCount, thinning } = options;
  const values = new Float64Array(columnCount).fill(Number.NaN);
  const counts = new Uint32Array(columnCount);
  const columnsAfterGap = new Set<number>();
  let isAfterGap = false;
  for (const { timeMs, value } of points) {
    if (Number.isNaN(value)) {
      isAfterGap = true;
      continue;
    }
    const column = columnOf(timeMs, span, columnCount);
    const count = counts[column]!;
    values[column] =
      count === 0
        ? value
        : joinValues(thinning, { value: values[column]!, count }, { value, count: 1 });
    counts[column] = count + 1;
    if (isAfterGap && count === 0) columnsAfterGap.add(column);
    isAfterGap = false;
  }
  bridge(values, columnsAfterGap);
  return values;
}

function bridge(values: Float64Array, columnsAfterGap: ReadonlySet<number>): void {
  const filled = [...values.keys()].filter((column) => !Number.isNaN(values[column]!));
  const distances = filled.slice(1).map((column, i) => column - filled[i]!);
  const usual = [...distances].sort((a, b) => a - b)[distances.length >>> 1] ?? 1;
  for (const [i, distance] of distances.entries()) {
    const from = filled[i]!;
    const to = from + distance;
    if (distance > usual * BRIDGED_DISTANCE_COUNT || columnsAfterGap.has(to)) continue;
    for (let column = from + 1; column < to; column++) {
      values[column] = interpolate(values[from]!, values[to]!, (column - from) / distance);
    }
  }
}
