import type { JSX } from 'preact';
import { withGaps } from '../chart/columns.ts';
import { sparklinePath, sparklineRuns } from '../chart/sparkline.ts';
import type { StreamSummary } from '../live/stream-summary.ts';

const BOX = { width: 128, height: 32, margin: 3 };

/** A small line without axes; its end is marked. Says nothing to a screen reader that the row does not say. */
export function Sparkline({
  trend: { timestamps, values },
}: {
  readonly trend: StreamSummary['trend'];
}): JSX.Element {
  const { times, columns } = withGaps(timestamps, [values], 0);
  const runs = sparklineRuns(times, columns[0]!, BOX);
  const end = runs.at(-1)?.at(-1);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${BOX.width} ${BOX.height}`}
      width={BOX.width}
      height={BOX.height}
      aria-hidden="true"
    >
      <path d={sparklinePath(runs)} />
      {end !== undefined && <circle cx={end.x} cy={end.y} r="2" />}
    </svg>
  );
}
