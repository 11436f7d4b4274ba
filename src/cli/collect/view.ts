import { timeText } from '../../text/exact-json.ts';
import { humanQuantity } from '../format/human.ts';
import { textWidth } from '../format/table.ts';
import { sparkline } from '../plot/sparkline.ts';
import type { ViewRow } from './view-rows.ts';

const GAP = 2;
const VALUE_WIDTH = 12;
const VALUE_WIDTH_MIN = 8;
const TITLE_WIDTH_MIN = 8;
const TITLE_WIDTH_MAX = 24;
const SPARKLINE_WIDTH_MIN = 5;
const SPARKLINE_WIDTH_MAX = 60;
const SUMMARY_NAMES = ['mean', 'min', 'max'] as const;

/** One line with the values of a moment: for logs and pipes. */
export function plainLine(rows: readonly ViewRow[], timestamp: Date): string {
  const cells = rows.map(({ title, unit, value }) => `${title} ${humanQuantity(value, unit)}`);
  return [timeText(timestamp), ...cells].join('  ');
}

/** The first line of the live view; the URL of the store is shortened where room is short. */
export function headlineText(
  timestamp: Date,
  { storeUrl, columnCount }: { readonly storeUrl: string; readonly columnCount: number },
): string {
  const start = `${timeText(timestamp)}  (Ctrl-C ends)  `;
  const room = Math.max(columnCount - start.length, 1);
  return start + shorten(storeUrl, room);
}

/**
 * The lines of the live view: a headline, one line per row, then problems. Never wider than
 * `columnCount` nor longer than `rowCount`. Where room is short the sparkline goes before any value.
 */
export function viewLines(
  rows: readonly ViewRow[],
  options: {
    readonly headline: string;
    readonly problems: readonly string[];
    readonly columnCount: number;
    readonly rowCount: number;
  },
): readonly string[] {
  const { headline, problems, columnCount, rowCount } = options;
  const layout = layoutOf(rows, columnCount);
  const all = [
    headline,
    titleLine(layout),
    ...rows.map((row) => rowLine(row, layout)),
    ...problems.map((problem) => `! ${problem}`),
  ];
  return all.slice(0, rowCount).map((line) => [...line].slice(0, columnCount).join('').trimEnd());
}

interface Layout {
  readonly titleWidth: number;
  readonly valueWidth: number;
  /** Of `now`, `mean`, `min` and `max`, from the left. */
  readonly valueCount: number;
  /** 0: none. */
  readonly sparklineWidth: number;
}

function layoutOf(rows: readonly ViewRow[], columnCount: number): Layout {
  const titles = rows.map(({ title }) => textWidth(title));
  const titleWidth = Math.min(Math.max(...titles, 1), TITLE_WIDTH_MAX);
  const valueCount = SUMMARY_NAMES.length + 1;
  const narrowWidth = Math.min(Math.max(...rows.map(valueWidthOf), VALUE_WIDTH_MIN), VALUE_WIDTH);
  for (const valueWidth of [VALUE_WIDTH, narrowWidth]) {
    const room = columnCount - titleWidth - (valueWidth + GAP) * valueCount - GAP;
    if (room >= SPARKLINE_WIDTH_MIN) {
      const sparklineWidth = Math.min(room, SPARKLINE_WIDTH_MAX);
      return { titleWidth, valueWidth, valueCount, sparklineWidth };
    }
  }
  const valuesWidth = (narrowWidth + GAP) * valueCount;
  const shortWidth = Math.max(columnCount - valuesWidth, Math.min(TITLE_WIDTH_MIN, titleWidth));
  const leastTitleWidth = Math.min(titleWidth, shortWidth);
  const fittingCount = Math.floor((columnCount - leastTitleWidth) / (narrowWidth + GAP));
  return {
    titleWidth: leastTitleWidth,
    valueWidth: narrowWidth,
    valueCount: Math.min(Math.max(fittingCount, 1), valueCount),
    sparklineWidth: 0,
  };
}

/** Times of the day need eight characters, and longer durations can be shortened. */
function valueWidthOf({ unit, value, summary }: ViewRow): number {
  if (unit === 's') return VALUE_WIDTH_MIN;
  return Math.max(...amountsOf({ value, summary }).map((each) => humanQuantity(each, unit).length));
}

function amountsOf({ value, summary }: Pick<ViewRow, 'value' | 'summary'>): (number | null)[] {
  return [value, ...SUMMARY_NAMES.map((name) => summary?.[name] ?? null)];
}

function titleLine(layout: Layout): string {
  const { titleWidth, sparklineWidth } = layout;
  const sparklineTitle = sparklineWidth < 'last minute'.length ? '1 min' : 'last minute';
  return joinCells(layout, {
    title: ' '.repeat(titleWidth),
    sparkline: sparklineTitle,
    values: ['now', ...SUMMARY_NAMES],
  });
}

function rowLine({ title, unit, value, recent, summary }: ViewRow, layout: Layout): string {
  const { titleWidth, valueWidth, sparklineWidth } = layout;
  return joinCells(layout, {
    title: shorten(title, titleWidth).padEnd(titleWidth),
    sparkline: sparklineWidth === 0 ? '' : sparkline(recent.slice(-sparklineWidth)),
    values: amountsOf({ value, summary }).map((each) => humanQuantity(each, unit, valueWidth)),
  });
}

function joinCells(
  { valueWidth, valueCount, sparklineWidth }: Layout,
  cells: { readonly title: string; readonly sparkline: string; readonly values: readonly string[] },
): string {
  const [now, ...others] = cells.values
    .slice(0, valueCount)
    .map((text) => text.padStart(valueWidth));
  const line = sparklineWidth === 0 ? [] : [cells.sparkline.padStart(sparklineWidth)];
  return [cells.title, now, ...line, ...others].join(' '.repeat(GAP));
}

/** A text that is too long loses its middle: how names end (`rx`, `tx`) tells them apart. */
function shorten(text: string, width: number): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  const endLength = Math.floor((width - 1) / 2);
  const start = characters.slice(0, width - 1 - endLength);
  return [...start, '…', ...characters.slice(characters.length - endLength)].join('');
}

/**
 * Terminal text that puts `lines` in the place of the `previousCount` lines drawn before: the cursor
 * goes up, and what is below it is erased, so that the scroll-back stays clean.
 */
export function redrawText(lines: readonly string[], previousCount: number): string {
  const up = previousCount > 0 ? `\u001b[${previousCount}A` : '';
  return `${up}\r\u001b[J${lines.map((line) => `${line}\n`).join('')}`;
}

export const HIDE_CURSOR = '\u001b[?25l';
export const SHOW_CURSOR = '\u001b[?25h';
