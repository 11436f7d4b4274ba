import { useEffect, useRef, useState } from 'preact/hooks';
import { apiUrl } from '../api/client.ts';
import type { LiveEvent } from './live-event.ts';
import { LiveFeed, type LiveStatus } from './live-feed.ts';

/** Ids in one address; more would make it longer than servers take. */
const STREAM_COUNT_MAX = 150;
/** A list that scrolls names other streams many times a second. */
const SETTLE_MS = 300;
/** How often streams that are not followed are asked for. */
const LEFT_OUT_MS = 10_000;

export interface LiveState {
  readonly status: LiveStatus;
  readonly followedCount: number;
  /** Of streams beyond what one connection can follow: they are said to have changed now and then. */
  readonly leftOutCount: number;
}

interface LiveOptions {
  readonly isPaused?: boolean;
  /**
   * Whether to go on behind the last event when the streams become others. Whoever does reads streams that are new
   * by himself; whoever does not is told how far all of them are. Default: true.
   */
  readonly resumes?: boolean;
  /** May be another function each time. */
  readonly onEvent: (event: LiveEvent) => void;
}

/** Follows streams for as long as the component is there. Nothing is followed while it is paused, or without ids. */
export function useLive(
  streamIds: readonly string[],
  { isPaused = false, resumes = true, onEvent }: LiveOptions,
): LiveState {
  const [status, setStatus] = useState<LiveStatus>('connecting');
  const latest = useRef(onEvent);
  latest.current = onEvent;
  const lastEventId = useRef('');
  const key = streamIds.slice(0, STREAM_COUNT_MAX).join(',');
  const leftOut = streamIds.slice(STREAM_COUNT_MAX);
  useEffect(() => {
    if (key === '' || isPaused) return;
    // From before new streams are read: what they get from then on is behind it.
    const after = resumes ? lastEventId.current : '';
    let feed: LiveFeed | undefined;
    const settle = setTimeout(() => {
      feed = new LiveFeed(apiUrl('/events', { streams: key, after: after || null }), {
        onEvent: (event, id) => {
          lastEventId.current = id || lastEventId.current;
          latest.current(event);
        },
        onStatus: setStatus,
      });
    }, SETTLE_MS);
    return () => {
      clearTimeout(settle);
      feed?.close();
    };
  }, [key, isPaused, resumes]);
  useEffect(() => {
    if (leftOut.length === 0 || isPaused) return;
    const timer = setInterval(() => {
      for (const streamId of leftOut) latest.current({ kind: 'changed', streamId, fromMs: null });
    }, LEFT_OUT_MS);
    return () => clearInterval(timer);
  }, [leftOut.join(), isPaused]);
  return {
    status: isPaused ? 'paused' : status,
    followedCount: streamIds.length - leftOut.length,
    leftOutCount: leftOut.length,
  };
}
