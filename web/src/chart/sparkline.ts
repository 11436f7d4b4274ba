/** A drawing of so many units; the line keeps off the edge so that its stroke is not cut. */
export interface SparklineBox {
  readonly width: number;
  readonly height: number;
  readonly margin: number;
}

export interface SparklinePoint {
  readonly x: number;
  readonly y: number;
}

/**
 * Places values in a box: x by time, y by the range of the values themselves, so that negative ones and small
 * changes are seen. A constant line lies in the middle. What is null is a gap: the line begins anew after it.
 */
export function sparklineRuns(
  timestamps: readonly number[],
  values: readonly (number | null)[],
  { width, height, margin }: SparklineBox,
): readonly (readonly SparklinePoint[])[] {
  const numbers = values.filter((value): value is number => value !== null);
  if (numbers.length === 0) return [];
  const low = numbers.reduce((a, b) => Math.min(a, b));
  const high = numbers.reduce((a, b) => Math.max(a, b));
  const startMs = timestamps[0]!;
  const spanMs = timestamps.at(-1)! - startMs;
  const placeX = (timestampMs: number): number =>
    spanMs === 0
      ? width - margin
      : margin + ((timestampMs - startMs) / spanMs) * (width - 2 * margin);
  const placeY = (value: number): number =>
    high === low ? height / 2 : margin + ((high - value) / (high - low)) * (height - 2 * margin);
  const runs: SparklinePoint[][] = [];
  let run: SparklinePoint[] = [];
  for (const [row, value] of values.entries()) {
    if (value === null) {
      if (run.length > 0) runs.push(run);
      run = [];
    } else run.push({ x: placeX(timestamps[row]!), y: placeY(value) });
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

/** The runs as the `d` of an SVG path; a single point is a short stroke. */
export function sparklinePath(runs: readonly (readonly SparklinePoint[])[]): string {
  return runs
    .map((run) => {
      const [first, ...rest] = run;
      const start = `M${round(first!.x)} ${round(first!.y)}`;
      if (rest.length === 0) return `${start}h0.01`;
      return start + rest.map(({ x, y }) => `L${round(x)} ${round(y)}`).join('');
    })
    .join('');
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
