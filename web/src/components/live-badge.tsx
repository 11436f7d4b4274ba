import type { JSX } from 'preact';
import type { LiveStatus } from '../live/live-feed.ts';

const TEXTS: Readonly<Record<LiveStatus, readonly [text: string, title: string]>> = {
  connecting: ['connecting', 'Connecting to the live events of the service.'],
  live: ['live', 'New datapoints appear as they arrive.'],
  reconnecting: ['reconnecting', 'The connection broke; what was missed comes when it is back.'],
  polling: [
    'every 5 s',
    'The service sends no live events; new datapoints are asked for every 5 s.',
  ],
};

export function LiveBadge({ status }: { readonly status: LiveStatus }): JSX.Element {
  const [text, title] = TEXTS[status];
  return (
    <span class={`live-badge ${status}`} title={title} role="status">
      {text}
    </span>
  );
}
