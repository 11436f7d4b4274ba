import type { JSX } from 'preact';
import type { LiveStatus } from '../live/live-feed.ts';
import type { LiveState } from '../live/use-live.ts';

const TEXTS: Readonly<Record<LiveStatus, readonly [text: string, title: string]>> = {
  connecting: ['connecting', 'Connecting to the live events of the service.'],
  live: ['live', 'New datapoints appear as they arrive.'],
  reconnecting: ['reconnecting', 'The connection broke; what was missed comes when it is back.'],
  polling: [
    'every 5 s',
    'The service sends no live events; new datapoints are asked for every 5 s.',
  ],
  paused: ['paused', 'New datapoints appear when you go on.'],
};

/** Whether what is seen is as new as it can be, and what is not. */
export function LiveBadge({ live }: { readonly live: LiveState }): JSX.Element {
  const { status, followedCount, leftOutCount } = live;
  const [text, title] = TEXTS[status];
  const isPart = status === 'live' && leftOutCount > 0;
  return (
    <span
      class={`live-badge ${status}`}
      role="status"
      title={isPart ? `${title} Of ${leftOutCount} streams they are asked for every 10 s.` : title}
    >
      {isPart ? `${followedCount} of ${followedCount + leftOutCount} streams live` : text}
    </span>
  );
}
