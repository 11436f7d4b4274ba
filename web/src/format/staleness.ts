import { granularityMs, MINUTE_MS } from '../time/units.ts';

/** How many usual distances may pass before a stream counts as stale. */
const MISSED_COUNT = 5;

/**
 * How long a stream may be silent: some of the usual distance of its newest datapoints, at least a minute.
 * `timestamps` ascend or descend; fewer than two say nothing, and the granularity decides.
 */
export function silenceAllowedMs(timestamps: readonly number[], granularity: string): number {
  const distances = timestamps
    .slice(1)
    .map((timestampMs, index) => Math.abs(timestampMs - timestamps[index]!))
    .sort((a, b) => a - b);
  const usualMs = distances[Math.floor(distances.length / 2)] ?? granularityMs(granularity);
  return Math.max(MINUTE_MS, MISSED_COUNT * usualMs);
}
