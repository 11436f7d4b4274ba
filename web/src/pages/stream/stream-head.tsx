import type { ComponentChildren, JSX } from 'preact';
import type { StreamInfo } from '../../api/types.ts';
import type { ChartColumns } from '../../chart/columns.ts';
import { silenceAllowedMs } from '../../format/staleness.ts';
import { streamTitle, streamUnit, textTag } from '../../format/stream-title.ts';
import { valueText } from '../../format/value-text.ts';
import { useNow } from '../../state/use-now.ts';
import { agoText } from '../../time/time-text.ts';

/** Name, last value and state of a stream. */
export function StreamHead({
  stream,
  latestMs,
  columns,
  children,
}: {
  readonly stream: StreamInfo;
  readonly latestMs: number | null;
  readonly columns: ChartColumns;
  /** What stands at the right. */
  readonly children: ComponentChildren;
}): JSX.Element {
  const nowMs = useNow(1000);
  const raw = columns.isRaw ? columns.timestamps.slice(-8) : [];
  const isStale =
    latestMs !== null && nowMs - latestMs > silenceAllowedMs(raw, stream.highestGranularity);
  const last = columns.isRaw ? columns.letters['m']?.at(-1) : undefined;
  return (
    <div class="page-head">
      <h1>{streamTitle(stream)}</h1>
      {last !== undefined && (
        <span class="headline-value">{valueText(last, streamUnit(stream))}</span>
      )}
      {latestMs !== null && <span class="muted">{agoText(nowMs - latestMs)}</span>}
      {isStale && <span class="badge stale">stale</span>}
      {stream.derivedFrom !== null && <span class="badge">{stream.derivedFrom.op}</span>}
      <span class="spacer" />
      {children}
      <p class="muted description">{textTag(stream.tags, 'description')}</p>
    </div>
  );
}
