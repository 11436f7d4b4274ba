// Right answers, computed from the workload in the plainest way.
import { LEVELS, START_SECONDS, STEP_SECONDS } from './workload.mjs';

/** Buckets of a level: rows of `{ seconds, mean, min, max, sum, count }`, ascending; the last may be part full. */
export function bucketsOf(values, levelName) {
  const { seconds: bucketSeconds } = LEVELS.find(({ name }) => name === levelName);
  const rowCount = bucketSeconds / STEP_SECONDS;
  const buckets = [];
  for (let from = 0; from < values.length; from += rowCount) {
    const rows = values.subarray(from, from + rowCount);
    const sum = rows.reduce((total, value) => total + value, 0);
    const count = rows.length;
    buckets.push({
      seconds: START_SECONDS + from * STEP_SECONDS,
      mean: sum / count,
      min: rows.reduce((a, b) => Math.min(a, b)),
      max: rows.reduce((a, b) => Math.max(a, b)),
      sum,
      count,
    });
  }
  return buckets;
}

/** Values of one stream of W2, from the ticks of all. */
export function valuesOf(ticks, { streamCount, index }) {
  return Float64Array.from(
    { length: ticks.length / streamCount },
    (_, tick) => ticks[tick * streamCount + index],
  );
}

/** Points that the non-negative derivatives of the counters have: a drop gives none. */
export function derivativeCount(ticks, { streamCount, counters }) {
  let count = 0;
  for (const { index } of counters) {
    for (let row = index + streamCount; row < ticks.length; row += streamCount) {
      if (ticks[row] >= ticks[row - streamCount]) count++;
    }
  }
  return count;
}

/** What some streams add up to at one tick. */
export function sumAt(ticks, { streamCount, streams, tick }) {
  return streams.reduce((sum, { index }) => sum + ticks[tick * streamCount + index], 0);
}

/** Whether buckets are those of the reference: sums and means but for the last digits, the others exactly. */
export function areBuckets(buckets, expected, aggregates = ['mean', 'min', 'max', 'sum', 'count']) {
  return (
    buckets.length === expected.length &&
    buckets.every((bucket, i) =>
      aggregates.every((name) =>
        name === 'mean' || name === 'sum'
          ? isNearly(bucket[name], expected[i][name])
          : bucket[name] === expected[i][name],
      ),
    )
  );
}

/** Engines add up in different orders. */
export function isNearly(a, b) {
  return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));
}
