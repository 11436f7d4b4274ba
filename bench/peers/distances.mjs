// How far our figures are from what the machine and the data allow.
import { W1_BATCH_ROW_COUNT } from './workload.mjs';

/**
 * One line for each limit whose figure was measured.
 * @param figures ours
 * @param size of the work
 */
export function distanceLines(figures, limits, { streamCount, tickCount }) {
  const flushed = 'of what flushes allow (writes of 8 kB into a file that has its size)';
  const passed = 'of a plain pass over as many doubles';
  const pointCount = streamCount * tickCount;
  return [
    share('W1 ingest', figures.w1_ingest, limits.writesPerSecond * W1_BATCH_ROW_COUNT, flushed),
    share('W2 ingest', figures.w2_ingest, limits.writesPerSecond * streamCount, flushed),
    share('W2 levels kept current', figures.w2_live, limits.writesPerSecond * streamCount, flushed),
    share('W2 levels at once', pointCount / figures.w2_rollup, limits.doublesPerSecond, passed),
    share('W1 ingest', figures.w1_ingest, limits.doublesPerSecond, passed),
    bytes('W1', figures.w1_bytes_raw, limits.w1EntropyBytes),
    bytes('W2', figures.w2_bytes_raw, limits.w2EntropyBytes),
  ].filter((line) => line !== null);
}

function share(title, rate, limit, what) {
  if (!(rate > 0)) return null;
  return `- ${title}: ${(100 * (rate / limit)).toPrecision(2)} % ${what}.`;
}

function bytes(title, stored, entropy) {
  if (stored === undefined) return null;
  return `- ${title} stored, raw only: ${(stored / entropy).toFixed(2)} × the entropy.`;
}
