import { useEffect, useRef, useState } from 'preact/hooks';
import { apiUrl } from '../api/client.ts';
import type { LiveEvent } from './live-event.ts';
import { LiveFeed, type LiveStatus } from './live-feed.ts';

/** Ids in one address; more would make it longer than servers take. */
const STREAM_COUNT_MAX = 150;
/** A list that scrolls names other streams many times a second. */
const SETTLE_MS = 300;

/**
 * Follows streams for as long as the component is there. Nothing is followed while `isPaused`, or without ids.
 * `onEvent` may be another function each time.
 */
export function useLive(
  streamIds: readonly string[],
  { isPaused = false, onEvent }: { isPaused?: boolean; onEvent: (event: LiveEvent) => void },
): LiveStatus {
  const [status, setStatus] = useState<LiveStatus>('connecting');
  const latest = useRef(onEvent);
  latest.current = onEvent;
  const key = streamIds.slice(0, STREAM_COUNT_MAX).join(',');
  useEffect(() => {
    if (key === '' || isPaused) return;
    let feed: LiveFeed | undefined;
    const settle = setTimeout(() => {
      feed = new LiveFeed(apiUrl('/events', { streams: key }), {
        onEvent: (event) => latest.current(event),
        onStatus: setStatus,
      });
    }, SETTLE_MS);
    return () => {
      clearTimeout(settle);
      feed?.close();
    };
  }, [key, isPaused]);
  return status;
}
