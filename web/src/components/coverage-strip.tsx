import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { ChartColumns } from '../chart/columns.ts';
import { type CoverageCell, coverageCells, coverageGaps } from '../chart/coverage.ts';
import { windowShares } from '../chart/navigator.ts';
import type { TimeViewState } from '../state/use-time-view.ts';
import { durationText, windowText } from '../time/time-text.ts';
import { spanOf, type TimeWindow, widened } from '../time/time-window.ts';

const CELL_COUNT_MAX = 200;
const GAP_COUNT_MAX = 20;
const WIDTH = 1000;
const HEIGHT = 12;
/** The faintest that is still seen. */
const OPACITY_MIN = 0.3;
/** A gap is shown with so much before and behind it. */
const BESIDE_PART = 0.6;

/** Where the whole history has data: the fuller, the darker; pressing a part goes there. Gaps are listed below. */
export function CoverageStrip({
  columns,
  areCounted,
  whole,
  time,
  zone,
}: {
  /** Of the whole history. */
  readonly columns: ChartColumns;
  readonly areCounted: boolean;
  /** What the strip stands for, as the navigator above it. */
  readonly whole: TimeWindow;
  readonly time: TimeViewState;
  readonly zone: string;
}): JSX.Element | null {
  const cells = useMemo(
    () => coverageCells(columns, { zone, countMax: CELL_COUNT_MAX, areCounted }),
    [columns, zone, areCounted],
  );
  const gaps = useMemo(() => coverageGaps(columns), [columns]);
  if (cells.length < 2) return null;
  const show = (window: TimeWindow): void => time.setView({ kind: 'fixed', window });
  const jump = (event: PointerEvent): void => {
    const index = (event.target as Element).getAttribute('data-cell');
    if (index !== null) show(cells[Number(index)]!);
  };
  return (
    <div class="coverage">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        onPointerDown={jump}
      >
        {cells.map((cell, index) => {
          const { start, end } = windowShares(cell, whole);
          return (
            <rect
              key={cell.startMs}
              data-cell={index}
              class={cell.share === 0 ? 'missing' : undefined}
              x={start * WIDTH}
              width={(end - start) * WIDTH}
              height={HEIGHT}
              fill-opacity={cell.share === 0 ? 1 : OPACITY_MIN + (1 - OPACITY_MIN) * cell.share}
            >
              <title>{cellText(cell, zone)}</title>
            </rect>
          );
        })}
      </svg>
      {gaps.length === 0 ? (
        <p class="muted">No gaps</p>
      ) : (
        <details>
          <summary>{gapsText(gaps)}</summary>
          <ul class="gaps">
            {gaps.slice(0, GAP_COUNT_MAX).map((gap) => (
              <li key={gap.startMs}>
                <button type="button" class="small" onClick={() => show(widened(gap, BESIDE_PART))}>
                  {windowText(gap, zone)}
                </button>
                <span class="muted">{durationText(spanOf(gap))}</span>
              </li>
            ))}
          </ul>
          {gaps.length > GAP_COUNT_MAX && (
            <p class="muted">These are the longest of {gaps.length}.</p>
          )}
        </details>
      )}
    </div>
  );
}

function cellText(cell: CoverageCell, zone: string): string {
  const when = windowText(cell, zone);
  if (cell.count === 0) return `${when}: no datapoints`;
  if (cell.count === null) return `${when}: has datapoints`;
  return `${when}: ${cell.count} ${cell.count === 1 ? 'datapoint' : 'datapoints'}`;
}

function gapsText(gaps: readonly TimeWindow[]): string {
  const missing = gaps.reduce((sum, gap) => sum + spanOf(gap), 0);
  const count = gaps.length === 1 ? '1 gap' : `${gaps.length} gaps`;
  return `${count}, ${durationText(missing)} without data`;
}
