import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { readColumns } from '../../api/data.ts';
import type { StreamInfo } from '../../api/types.ts';
import { chartColumns } from '../../chart/columns.ts';
import { graphDrawing } from '../../chart/graph-layout.ts';
import { ExportMenu } from '../../components/export-menu.tsx';
import { LiveBadge } from '../../components/live-badge.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { streamTitle } from '../../format/stream-title.ts';
import { valueText } from '../../format/value-text.ts';
import { concernsStreamItself } from '../../live/live-event.ts';
import { useLive } from '../../live/use-live.ts';
import { useRecent } from '../../live/use-recent.ts';
import { useRequest } from '../../state/use-request.ts';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { instantText } from '../../time/time-text.ts';
import { StreamHead } from './stream-head.tsx';

const BOX = { width: 800, height: 420, margin: 36 };
const GRAPH_COUNT_MAX = 200;

/** A stream of graphs: one of its newest ones, to choose by a slider. */
export function GraphStream({
  stream,
  reload: reloadStream,
}: {
  readonly stream: StreamInfo;
  readonly reload: () => void;
}): JSX.Element {
  const zone = useTimeZone();
  const { data, error, reload } = useRequest(
    (signal) =>
      readColumns(
        stream.id,
        {
          granularity: stream.highestGranularity,
          reverse: true,
          limit: GRAPH_COUNT_MAX,
          live: null,
        },
        signal,
      ),
    [stream.id, stream.latestDatapoint],
  );
  const recent = useRecent(stream);
  const live = useLive([stream.id], {
    onEvent: (event) => {
      recent.take(event);
      reload();
      if (concernsStreamItself(event)) reloadStream();
    },
  });
  /** How many graphs before the newest one. */
  const [back, setBack] = useState(0);
  const value = data?.values?.[back] ?? null;
  const drawing = useMemo(() => graphDrawing(value, BOX), [value]);
  const count = data?.timestamps.length ?? 0;
  const timestampMs = data?.timestamps[back];
  const when = timestampMs === undefined ? '' : instantText(timestampMs, zone);
  return (
    <article>
      <StreamHead stream={stream} recent={recent.rows}>
        <LiveBadge live={live} />
        {data !== null && count > 0 && (
          <ExportMenu
            title={streamTitle(stream)}
            parts={[{ stream, columns: chartColumns(data) }]}
            window={{ startMs: data.timestamps[count - 1]!, endMs: data.timestamps[0]! }}
            zone={zone}
          />
        )}
      </StreamHead>
      {error !== null && <ProblemNote doing="Reading the graphs" error={error} onRetry={reload} />}
      <section class="panel graph-figure">
        <div class="panel-head">
          <h2>{when}</h2>
          {value !== null && <span class="muted">{valueText(value)}</span>}
        </div>
        <svg
          class="drawing"
          viewBox={`0 0 ${BOX.width} ${BOX.height}`}
          role="img"
          aria-label={`Graph of ${streamTitle(stream)}, ${when}`}
        >
          {drawing.edges.map(({ from, to }, index) => (
            <line key={index} class="edge" x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
          ))}
          {drawing.vertices.map(({ id, x, y }) => (
            <g key={id}>
              <circle class="vertex" cx={x} cy={y} r={6} />
              <text x={x} y={y - 11} text-anchor="middle">
                {id}
              </text>
            </g>
          ))}
        </svg>
        {count > 1 && (
          <label>
            <span class="muted">Earlier ← {count} graphs → newest</span>
            <input
              type="range"
              min={0}
              max={count - 1}
              value={count - 1 - back}
              aria-valuetext={when}
              onInput={({ currentTarget }) => setBack(count - 1 - Number(currentTarget.value))}
            />
          </label>
        )}
      </section>
    </article>
  );
}
