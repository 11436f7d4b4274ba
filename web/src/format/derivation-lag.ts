import type { StreamInfo } from '../api/types.ts';
import { granularityMs, MINUTE_MS } from '../time/units.ts';

/** Sources and what is derived may differ by some buckets before it is worth a word. */
const BUCKET_COUNT = 3;

/**
 * How far a derived stream is behind its sources, in milliseconds: infinity when all of it is still to be derived,
 * null when it is up to date, is no derived stream, or its sources are not known here.
 */
export function derivationLag(
  stream: StreamInfo,
  byId: ReadonlyMap<string, StreamInfo>,
): number | null {
  const { derivedFrom, latestDatapoint, pendingBackprocess } = stream;
  if (derivedFrom === null) return null;
  if (pendingBackprocess) return Number.POSITIVE_INFINITY;
  const lags = derivedFrom.sources.flatMap(({ stream: id, granularity }) => {
    const latest = id === null ? null : byId.get(id)?.latestDatapoint;
    if (latest === null || latest === undefined || latestDatapoint === null) return [];
    const lagMs = Date.parse(latest) - Date.parse(latestDatapoint);
    const allowedMs = Math.max(MINUTE_MS, BUCKET_COUNT * granularityMs(granularity));
    return lagMs > allowedMs ? [lagMs] : [];
  });
  return lags.length === 0 ? null : lags.reduce((a, b) => Math.max(a, b));
}
