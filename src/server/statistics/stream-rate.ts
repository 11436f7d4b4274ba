import type { Datastream } from '../../api/datastream.ts';
import type { Stream } from '../../api/types.ts';

const MINUTE_MS = 60_000;
const WINDOW_MS = 60 * MINUTE_MS;

/**
 * Datapoints a minute, on average of the last hour, or of the stream's time where it began later. Reads the
 * timestamps of that hour, as far as the store does not know their number.
 */
export async function ratePerMinute(
  datastream: Datastream,
  { id, highestGranularity, earliestDatapoint, latestDatapoint }: Stream,
  nowMs: number,
): Promise<number> {
  const windowStartMs = nowMs - WINDOW_MS;
  if (earliestDatapoint === null || (latestDatapoint?.getTime() ?? 0) < windowStartMs) return 0;
  const startMs = Math.max(windowStartMs, earliestDatapoint.getTime());
  if (startMs >= nowMs) return 0;
  const range = { start: startMs, endExclusive: nowMs };
  const count = await datastream.getData(id, highestGranularity, range).count();
  return (count * MINUTE_MS) / Math.max(MINUTE_MS, nowMs - startMs);
}
