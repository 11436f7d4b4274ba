import uPlot from 'uplot';
import { tickLabels } from '../format/tick-labels.ts';
import { timeTicks } from '../time/ticks.ts';
import { axisRange } from './axis-range.ts';
import { faded, type Palette, seriesColor } from './palette.ts';
import type { PlotEvent } from './plot-events.ts';
import type { PlotAxis, PlotModel } from './plot-model.ts';
import { tickStep, valueTicks } from './value-ticks.ts';

const TICK_PX = 90;
const VALUE_TICK_PX = 34;
/** Smaller steps uPlot takes only from a table of its own. */
const STEP_ALWAYS_FOUND = 5;
const POINT_PX = 14;
const EDGE_PX = 22;
const BAND_OPACITY = 0.18;
const STACK_OPACITY = 0.45;
const FONT = '12px system-ui, sans-serif';

export interface PlotLook {
  readonly palette: Palette;
  readonly zone: () => string;
  /** What happened, to be marked. */
  readonly events: () => readonly PlotEvent[];
  readonly syncKey: string;
  /** Told the row under the cursor; null: none. */
  readonly onRow: (row: number | null) => void;
  readonly onSelect: (startMs: number, endMs: number) => void;
}

/** How uPlot draws a model. Sizes and the window are set later. */
export function plotOptions(
  model: PlotModel,
  { palette, zone, events, syncKey, onRow, onSelect }: PlotLook,
): Omit<uPlot.Options, 'width' | 'height'> {
  const sync = uPlot.sync(syncKey);
  return {
    legend: { show: false },
    // The label of a tick at an edge goes beyond it.
    padding: [8, EDGE_PX, 0, model.axes.length === 0 ? EDGE_PX : 0],
    focus: { alpha: 0.25 },
    cursor: {
      y: false,
      // Zooming is the page's business, as all of its charts go together.
      drag: { x: true, y: false, setScale: false, dist: 4 },
      points: { size: 6 },
      bind: { dblclick: () => null },
      sync: {
        key: sync.key,
        scales: ['x', null],
        filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave', sub: () => true },
      },
    },
    scales: {
      x: { time: false, auto: false },
      ...Object.fromEntries(
        model.axes.map((axis) => [
          scaleOf(axis.key),
          {
            auto: true,
            range: (_plot: uPlot, low: number | null, high: number | null) =>
              drawnRange(low, high, axis),
          },
        ]),
      ),
    },
    axes: [
      {
        ...lines(palette),
        splits: (plot, _axis, min, max) =>
          ticksOf(plot, { startMs: min, endMs: max }, zone()).map(({ instantMs }) => instantMs),
        values: (plot) => {
          const { min = 0, max = 0 } = plot.scales['x'] ?? {};
          const window = { startMs: min ?? 0, endMs: max ?? 0 };
          return ticksOf(plot, window, zone()).map(({ label, context }) =>
            context === null ? label : `${label}\n${context}`,
          );
        },
        size: 42,
      },
      ...model.axes.map(({ key, unit, color, divisor }, index) => ({
        ...lines(palette),
        ...(model.axes.length > 1 && {
          label: key,
          labelFont: FONT,
          labelSize: 22,
          labelGap: 4,
          stroke: color === null ? palette.muted : seriesColor(palette, color),
        }),
        scale: scaleOf(key),
        side: index % 2 === 0 ? (3 as const) : (1 as const),
        // One grid is enough: lines of several would only confuse.
        grid: { show: index === 0, stroke: palette.grid, width: 1 },
        // Ticks are ours, as uPlot's labels know no prefixes; it only has to find that there is room for some.
        incrs: (_plot: uPlot, _axis: number, low: number, high: number) => [
          Math.max(STEP_ALWAYS_FOUND, high - low),
        ],
        splits: (plot: uPlot, _axis: number, low: number, high: number) =>
          valueTicks(low, high, stepOf(plot, low, high)),
        values: (plot: uPlot, splits: readonly number[]) => {
          const { min, max } = plot.scales[scaleOf(key)]!;
          const step = stepOf(plot, min ?? 0, max ?? 1) * divisor;
          const ticks = splits.map((tick) => tick * divisor);
          return [...tickLabels(ticks, { step, unit: unit === '%' ? '' : unit })];
        },
        size: (_plot: uPlot, labels: readonly string[] | null) =>
          14 + 6.6 * Math.max(3, ...(labels ?? []).map((label) => label?.length ?? 0)),
      })),
    ],
    series: [
      {},
      ...model.series.map(({ role, axis, color }, index) => ({
        scale: scaleOf(axis),
        stroke: role === 'value' ? seriesColor(palette, color) : 'transparent',
        width: role === 'value' ? 1.5 : 0,
        points:
          role === 'value'
            ? { show: pointsWhenFew, filter: isolatedPoints, size: 5 }
            : { show: false },
        ...(model.bands.some(({ high, low }) => high === index && low === null) && {
          fill: faded(seriesColor(palette, color), STACK_OPACITY),
        }),
      })),
    ] as uPlot.Series[],
    bands: model.bands.flatMap(({ high, low, color, isStack }) =>
      low === null
        ? []
        : [
            {
              series: [high + 1, low + 1] as [number, number],
              fill: faded(seriesColor(palette, color), isStack ? STACK_OPACITY : BAND_OPACITY),
            },
          ],
    ),
    hooks: {
      draw: [(plot) => drawEvents(plot, events(), palette)],
      setCursor: [(plot) => onRow(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          onSelect(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

/** A unit may be called `x`, as the scale of time is. */
function scaleOf(axis: string): string {
  return `y ${axis}`;
}

/** Ends of an axis as they are drawn: what is too large for uPlot is divided. */
function drawnRange(low: number | null, high: number | null, axis: PlotAxis): [number, number] {
  const own = (value: number | null): number | null =>
    value === null ? null : value * axis.divisor;
  const [from, to] = axisRange(own(low), own(high), axis);
  return [from / axis.divisor, to / axis.divisor];
}

function stepOf(plot: uPlot, low: number, high: number): number {
  const heightPx = plot.bbox.height / devicePixelRatio || plot.height;
  return tickStep(low, high, Math.max(2, Math.floor(heightPx / VALUE_TICK_PX)));
}

function lines(palette: Palette): Partial<uPlot.Axis> {
  return {
    stroke: palette.muted,
    font: FONT,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { stroke: palette.grid, width: 1, size: 4 },
    gap: 5,
  };
}

function ticksOf(plot: uPlot, window: { startMs: number; endMs: number }, zone: string) {
  const widthPx = plot.bbox.width / devicePixelRatio || plot.width;
  return timeTicks(window, { zone, countMax: Math.max(2, Math.floor(widthPx / TICK_PX)) });
}

/** Datapoints are worth a dot where there is room for dots. */
const pointsWhenFew = (plot: uPlot, _series: number, first: number, last: number): boolean => {
  const [times] = plot.data;
  const widthPx = plot.valToPos(times[last] ?? 0, 'x') - plot.valToPos(times[first] ?? 0, 'x');
  return last - first < widthPx / POINT_PX;
};

/** What has gaps on both sides is no line: it gets a dot in any case. */
const isolatedPoints = (plot: uPlot, series: number, show: boolean): number[] | null => {
  if (show) return null;
  const values = plot.data[series]!;
  const [first, last] = plot.series[0]!.idxs ?? [0, -1];
  const isolated: number[] = [];
  for (let row = first; row <= last; row++) {
    if (values[row] == null) continue;
    if (neighbour(values, row, -1) === null && neighbour(values, row, 1) === null) {
      isolated.push(row);
    }
  }
  return isolated;
};

/** The next value in a direction; null at a gap or at the end. */
function neighbour(values: uPlot.AlignedData[number], row: number, step: number): number | null {
  let at = row + step;
  while (at >= 0 && at < values.length && values[at] === undefined) at += step;
  return values[at] ?? null;
}

const FLAG_PX = { width: 9, height: 7 };

/** A line from top to bottom for each event, with a flag; labels where they do not run into each other. */
function drawEvents(plot: uPlot, events: readonly PlotEvent[], palette: Palette): void {
  const { ctx: context, bbox } = plot;
  const scale = devicePixelRatio;
  let freeFrom = Number.NEGATIVE_INFINITY;
  context.save();
  context.beginPath();
  context.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  context.clip();
  context.font = `${11 * scale}px system-ui, sans-serif`;
  context.textBaseline = 'top';
  // The axis that was drawn last has left its own.
  context.textAlign = 'left';
  for (const { timeMs, label, color } of events) {
    const x = Math.round(plot.valToPos(timeMs, 'x', true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    context.strokeStyle = context.fillStyle = seriesColor(palette, color);
    context.lineWidth = scale;
    context.setLineDash([3 * scale, 3 * scale]);
    context.beginPath();
    context.moveTo(x, bbox.top);
    context.lineTo(x, bbox.top + bbox.height);
    context.stroke();
    context.fillRect(x, bbox.top, FLAG_PX.width * scale, FLAG_PX.height * scale);
    if (x < freeFrom) continue;
    const left = x + (FLAG_PX.width + 4) * scale;
    context.fillText(label, left, bbox.top);
    freeFrom = left + context.measureText(label).width + 8 * scale;
  }
  context.restore();
}
