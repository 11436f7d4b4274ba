import type { JSX } from 'preact';
import type { StreamInfo } from '../api/types.ts';
import { DIRECTION_SIGN, DIRECTION_TEXT, directionOf } from '../format/direction.ts';
import { silenceAllowedMs } from '../format/staleness.ts';
import { streamTitle, streamUnit, tagValueText, tagWords } from '../format/stream-title.ts';
import { shortValueText, wholeValueText } from '../format/value-text.ts';
import type { StreamSummary } from '../live/stream-summary.ts';
import type { Observable } from '../state/observable.ts';
import { useObservable } from '../state/use-observable.ts';
import { agoText, durationText, instantText } from '../time/time-text.ts';
import { Sparkline } from './sparkline.tsx';

const NO_TREND: StreamSummary['trend'] = { timestamps: [], values: [] };

/** One stream of the list: what it is, how it went, and its last value. */
export function StreamRow({
  stream,
  summary,
  nowMs,
  zone,
  onTag,
}: {
  readonly stream: StreamInfo;
  readonly summary: Observable<StreamSummary | null>;
  readonly nowMs: number;
  readonly zone: string;
  readonly onTag: (name: string, value: string) => void;
}): JSX.Element {
  const shown = useObservable(summary);
  const timestamps = shown?.recent.timestamps ?? [];
  const values = shown?.recent.values ?? [];
  const latestMs = timestamps.at(-1) ?? dateOrNull(stream.latestDatapoint);
  const unit = streamUnit(stream);
  const direction = directionOf(values.at(-1), values.at(-2));
  const allowedMs = silenceAllowedMs(timestamps, stream.highestGranularity);
  const isStale = shown !== null && latestMs !== null && nowMs - latestMs > allowedMs;
  return (
    <article class="stream-row">
      <div class="what">
        <a class="title" href={`/streams/${stream.id}`}>
          {streamTitle(stream)}
        </a>
        <span class="tags">
          {stream.derivedFrom !== null && <span class="badge">{stream.derivedFrom.op}</span>}
          {tagWords(stream.tags).map(({ name, value }) => (
            <button
              type="button"
              class="tag"
              key={name}
              title={`Search ${name}=${tagValueText(value)}`}
              onClick={() => onTag(name, tagValueText(value))}
            >
              <span class="tag-name">{name}</span> {tagValueText(value)}
            </button>
          ))}
        </span>
      </div>
      <Sparkline trend={shown?.trend ?? NO_TREND} />
      <div class={`last ${direction}`}>
        {shown !== null && (
          <span class="value" title={wholeValueText(values.at(-1), unit)}>
            {shortValueText(values.at(-1), unit)}
          </span>
        )}
        <span class="direction" title={DIRECTION_TEXT[direction]}>
          <span aria-hidden="true">{DIRECTION_SIGN[direction]}</span>
          <span class="visually-hidden">{DIRECTION_TEXT[direction]}</span>
        </span>
      </div>
      <div class="when">
        {latestMs === null ? (
          <span class="muted">no datapoints</span>
        ) : (
          <time dateTime={new Date(latestMs).toISOString()} title={instantText(latestMs, zone)}>
            {agoText(nowMs - latestMs)}
          </time>
        )}
        {isStale && (
          <span
            class="badge stale"
            title={`Nothing for longer than ${durationText(allowedMs)}, five times what is usual here.`}
          >
            stale
          </span>
        )}
      </div>
    </article>
  );
}

function dateOrNull(iso: string | null): number | null {
  return iso === null ? null : Date.parse(iso);
}
