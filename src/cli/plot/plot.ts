import asciichart from 'asciichart';
import { timeText } from '../../text/exact-json.ts';
import { timeAxis, valueLabels } from './axes.ts';
import { columnValues, type TimeSpan } from './columns.ts';
import { shareOf } from './share.ts';
import type { Point, Thinning } from './thinner.ts';

export interface PlotSeries {
  readonly name: string;
  readonly thinning: Thinning;
  /** Ascending in time. */
  readonly points: readonly Point[];
}

export interface PlotOptions {
  readonly title: string;
  readonly unit: string;
  /** Characters and lines of the whole drawing. */
  readonly width: number;
  readonly height: number;
  readonly hasColor: boolean;
}

/** The symbols that asciichart draws with, in its order. Series differ without colours too. */
const SYMBOLS: readonly (readonly string[])[] = [
  ['┼', '┤', '╶', '╴', '─', '╰', '╭', '╮', '╯', '│'],
  ['┼', '┤', '╶', '╴', '┈', '╰', '╭', '╮', '╯', '┊'],
  ['┼', '┤', '╶', '╴', '┄', '╰', '╭', '╮', '╯', '┆'],
  ['┼', '┤', '╶', '╴', '═', '╰', '╭', '╮', '╯', '║'],
];
const LINE_SYMBOL = 4;
const COLORS = ['\u001b[36m', '\u001b[32m', '\u001b[31m', '\u001b[33m'];
const COLOR_END = '\u001b[0m';

/** Lines beside the curve: title, axis, labels, legend. */
const FRAME_LINE_COUNT = 4;
const COLUMN_COUNT_MIN = 10;
const ROW_COUNT_MIN = 4;

/**
 * Draws series over time with a value axis, a time axis at round instants, and a legend. The first series
 * lies on top. Text without a final newline; a sentence where there is nothing to draw.
 */
export function plotText(series: readonly PlotSeries[], options: PlotOptions): string {
  const points = series.flatMap((one) => one.points);
  if (points.every(({ value }) => Number.isNaN(value)))
    return `${options.title}: no values to draw`;
  const span = timeSpan(points);
  const bounds = valueBounds(points);
  const rowCount = Math.max(options.height - FRAME_LINE_COUNT, ROW_COUNT_MIN);
  const { labels, unit } = valueLabels({ ...bounds, rowCount, unit: options.unit });
  const margin = ' '.repeat(labels[0]!.length);
  const columnCount = Math.max(options.width - margin.length - 2, COLUMN_COUNT_MIN);
  const grid = Array.from({ length: rowCount }, () => new Array<string>(columnCount).fill(' '));
  for (const [i, one] of [...series.entries()].reverse()) {
    const values = columnValues(one.points, { span, columnCount, thinning: one.thinning });
    const rows = values.map((value) => shareOf(value, bounds) * (rowCount - 1));
    drawSeries(grid, rows, { index: i, hasColor: options.hasColor });
  }
  const [axis, axisLabels] = timeAxis(span, columnCount);
  return [
    headline(span, { title: options.title, unit }),
    ...grid.map((row, i) => `${labels[i]} ┤${row.join('')}`.trimEnd()),
    `${margin} └${axis}`,
    `${margin}  ${axisLabels}`,
    ...(series.length > 1 ? [`${margin}  ${legend(series, options.hasColor)}`] : []),
  ].join('\n');
}

function headline(span: TimeSpan, { title, unit }: { title: string; unit: string }): string {
  const range = `${timeText(new Date(span.startMs))} – ${timeText(new Date(span.endMs))}`;
  return `${title}${unit === '' ? '' : ` [${unit}]`}  ${range}`;
}

function legend(series: readonly PlotSeries[], hasColor: boolean): string {
  return series
    .map(({ name }, i) => `${paint(symbolsOf(i)[LINE_SYMBOL]!.repeat(2), i, hasColor)} ${name}`)
    .join('   ');
}

function timeSpan(points: readonly Point[]): TimeSpan {
  let startMs = Number.POSITIVE_INFINITY;
  let endMs = Number.NEGATIVE_INFINITY;
  for (const { timeMs } of points) {
    startMs = Math.min(startMs, timeMs);
    endMs = Math.max(endMs, timeMs);
  }
  return { startMs, endMs };
}

/** A flat series gets room above and below, so that it has a height to be drawn in. */
function valueBounds(points: readonly Point[]): { min: number; max: number } {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const { value } of points) {
    if (Number.isNaN(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  if (min < max) return { min, max };
  const room = Math.abs(min) * 0.1 || 1;
  return {
    min: Math.max(min - room, -Number.MAX_VALUE),
    max: Math.min(max + room, Number.MAX_VALUE),
  };
}

/** `rows` counts from the bottom, one per column; NaN columns stay as they are. */
function drawSeries(
  grid: string[][],
  rows: Float64Array,
  { index, hasColor }: { readonly index: number; readonly hasColor: boolean },
): void {
  // asciichart draws from each value to the next: the last one is repeated to fill its column.
  const values = [...rows, rows.at(-1)!];
  const chart = asciichart
    .plot(
      values.map((value) => (Number.isNaN(value) ? 0 : value)),
      {
        min: 0,
        max: grid.length - 1,
        height: grid.length - 1,
        offset: 1,
        symbols: symbolsOf(index),
        format: () => ' ',
      },
    )
    .split('\n');
  for (let column = 0; column < rows.length; column++) {
    if (Number.isNaN(rows[column]!)) continue;
    if (Number.isNaN(values[column + 1]!)) {
      // The end of a piece: no line leaves it, a lone point would vanish.
      const row = grid.length - 1 - Math.round(rows[column]!);
      const isLone = column === 0 || Number.isNaN(rows[column - 1]!);
      grid[row]![column] = paint(isLone ? '•' : symbolsOf(index)[LINE_SYMBOL]!, index, hasColor);
      continue;
    }
    for (const [row, cells] of grid.entries()) {
      const character = chart[row]![column + 1];
      if (character !== undefined && character !== ' ') {
        cells[column] = paint(character, index, hasColor);
      }
    }
  }
}

function symbolsOf(index: number): readonly string[] {
  return SYMBOLS[index % SYMBOLS.length]!;
}

function paint(text: string, index: number, hasColor: boolean): string {
  return hasColor ? `${COLORS[index % COLORS.length]}${text}${COLOR_END}` : text;
}
