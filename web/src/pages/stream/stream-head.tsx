import type { ComponentChildren, JSX } from 'preact';
import type { StreamInfo } from '../../api/types.ts';
import { DirectionSign } from '../../components/direction-sign.tsx';
import { directionOf } from '../../format/direction.ts';
import { silenceAllowedMs } from '../../format/staleness.ts';
import { streamTitle, streamUnit, textTag } from '../../format/stream-title.ts';
import { valueText } from '../../format/value-text.ts';
import type { LiveRows } from '../../live/live-columns.ts';
import { useNow } from '../../state/use-now.ts';
import { agoText } from '../../time/time-text.ts';

/** Name, last value and state of a stream. */
export function StreamHead({
  stream,
  recent,
  children,
}: {
  readonly stream: StreamInfo;
  /** The newest raw datapoints. */
  readonly recent: LiveRows;
  /** What stands at the right. */
  readonly children?: ComponentChildren;
}): JSX.Element {
  const nowMs = useNow(1000);
  const { timestamps, values } = recent;
  const latestMs = timestamps.at(-1);
  const last = values.at(-1);
  const allowedMs = silenceAllowedMs(timestamps, stream.highestGranularity);
  const isStale = latestMs !== undefined && nowMs - latestMs > allowedMs;
  return (
    <div class="page-head">
      <h1>{streamTitle(stream)}</h1>
      {last !== undefined && (
        <>
          <span class="headline-value">{valueText(last, streamUnit(stream))}</span>
          <DirectionSign direction={directionOf(last, values.at(-2))} />
        </>
      )}
      {latestMs !== undefined && <span class="muted">{agoText(nowMs - latestMs)}</span>}
      {isStale && <span class="badge stale">stale</span>}
      {stream.derivedFrom !== null && <span class="badge">{stream.derivedFrom.op}</span>}
      {stream.pendingBackprocess && <span class="badge pending">still being derived</span>}
      <span class="spacer" />
      {children}
      <p class="muted description">{textTag(stream.tags, 'description')}</p>
    </div>
  );
}
