import type { ComponentChildren, JSX } from 'preact';
import type { StreamInfo } from '../../api/types.ts';
import type { ChartColumns } from '../../chart/columns.ts';
import { silenceAllowedMs } from '../../format/staleness.ts';
import { streamTitle, streamUnit, textTag } from '../../format/stream-title.ts';
import { valueText } from '../../format/value-text.ts';
import { useNow } from '../../state/use-now.ts';
import { agoText } from '../../time/time-text.ts';

const RECENT_COUNT = 8;

/** Name, last value and state of a stream. */
export function StreamHead({
  stream,
  latestMs,
  recent,
  children,
}: {
  readonly stream: StreamInfo;
  readonly latestMs: number | null;
  /** What is shown; null or levels say nothing of the last value. */
  readonly recent: ChartColumns | null;
  /** What stands at the right. */
  readonly children?: ComponentChildren;
}): JSX.Element {
  const nowMs = useNow(1000);
  const isNewest = recent?.isRaw === true && recent.timestamps.at(-1) === latestMs;
  const timestamps = isNewest ? recent.timestamps.slice(-RECENT_COUNT) : [];
  const allowedMs = silenceAllowedMs(timestamps, stream.highestGranularity);
  const isStale = isNewest && latestMs !== null && nowMs - latestMs > allowedMs;
  const last = isNewest ? recent.letters['m']?.at(-1) : undefined;
  return (
    <div class="page-head">
      <h1>{streamTitle(stream)}</h1>
      {last !== undefined && (
        <span class="headline-value">{valueText(last, streamUnit(stream))}</span>
      )}
      {latestMs !== null && <span class="muted">{agoText(nowMs - latestMs)}</span>}
      {isStale && <span class="badge stale">stale</span>}
      {stream.derivedFrom !== null && <span class="badge">{stream.derivedFrom.op}</span>}
      {stream.pendingBackprocess && <span class="badge pending">still being derived</span>}
      <span class="spacer" />
      {children}
      <p class="muted description">{textTag(stream.tags, 'description')}</p>
    </div>
  );
}
