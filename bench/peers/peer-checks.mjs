// Whether a peer's answers are right.
import { areBuckets, bucketsOf, derivativeCount, valuesOf } from './reference.mjs';
import { HOUR_POINT_COUNT } from './workload.mjs';

/** Buckets of W1 (`values`), or of one stream of W2 (`ticks` and its `index`). */
export function checkBuckets(run, buckets, { values, ticks, index, level, aggregates }) {
  const { streamCount } = run.workload.size;
  const rows = values ?? valuesOf(ticks, { streamCount, index });
  run.check(`buckets of ${level}`, areBuckets(buckets, bucketsOf(rows, level), aggregates));
}

/** The raw values of the last hour of a stream of W2. */
export function checkHourOf(run, values, { ticks, index }) {
  const { streamCount, tickCount } = run.workload.size;
  const expected = valuesOf(ticks, { streamCount, index }).subarray(tickCount - HOUR_POINT_COUNT);
  run.check('last hour', expected.join() === Array.from(values).join());
}

/** How many rows computations over W2 give. */
export function expectedCounts(run, ticks) {
  const { counters, wide, size } = run.workload;
  const { streamCount, tickCount } = size;
  return {
    derivatives: derivativeCount(ticks, { streamCount, counters }),
    sums: tickCount,
    wideMinutes: wide.length * (tickCount / 6),
  };
}
