import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Series } from '../live/use-series.ts';
import type { TimeViewState } from '../state/use-time-view.ts';
import type { BoardChart } from './chart-board.tsx';
import { StreamsChart } from './streams-chart.tsx';
import { useInSight } from './use-in-sight.ts';

/** About as high as a chart of one or two lines: what is not drawn yet takes its place. */
const USUAL_HEIGHT_PX = 305;

/** The place of a chart on a board. It is drawn while it is in sight; before and after, only its title is there. */
export function ChartSlot({
  chart: { key, title, group, actions, note },
  series,
  time,
  zone,
  onSight,
}: {
  readonly chart: BoardChart;
  readonly series: Series;
  readonly time: TimeViewState;
  readonly zone: string;
  readonly onSight: (key: string, isInSight: boolean) => void;
}): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const heightPx = useRef(USUAL_HEIGHT_PX);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const isInSight = useInSight(frame);
  const isDrawn = useRef(false);
  if (isDrawn.current && !isInSight) {
    heightPx.current = frame.current?.offsetHeight ?? heightPx.current;
  }
  isDrawn.current = isInSight;
  useEffect(() => {
    onSight(key, isInSight);
    return () => onSight(key, false);
  }, [key, isInSight]);
  return (
    <div ref={frame} class="chart-slot">
      {isInSight ? (
        <StreamsChart
          title={title}
          group={group}
          series={series}
          time={time}
          zone={zone}
          actions={actions}
          note={note}
          hidden={hidden}
          onHidden={setHidden}
        />
      ) : (
        <section class="panel" aria-label={title} style={{ height: `${heightPx.current}px` }}>
          <h2 class="chart-title">{title}</h2>
        </section>
      )}
    </div>
  );
}
