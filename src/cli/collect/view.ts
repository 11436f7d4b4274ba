import { timeText } from '../format/exact-json.ts';
import { humanQuantity } from '../format/human.ts';
import { textWidth } from '../format/table.ts';
import { sparkline } from '../plot/sparkline.ts';
import type { ViewRow } from './view-rows.ts';

const VALUE_WIDTH = 12;
const TITLE_WIDTH_MAX = 24;
const SPARKLINE_WIDTH_MIN = 5;
const SPARKLINE_WIDTH_MAX = 60;

/** One line with the values of a moment: for logs and pipes. */
export function plainLine(rows: readonly ViewRow[], timestamp: Date): string {
  const cells = rows.map(({ title, unit, value }) => `${title} ${humanQuantity(value, unit)}`);
  return [timeText(timestamp), ...cells].join('  ');
}

/**
 * The lines of the live view: a headline, one line per row, then problems. Never wider than
 * `columnCount` nor longer than `rowCount`.
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
  const titleWidth = Math.min(
    Math.max(...rows.map(({ title }) => textWidth(title)), 1),
    TITLE_WIDTH_MAX,
  );
  const fixedWidth = titleWidth + (VALUE_WIDTH + 2) * 4 + 2;
  const sparklineWidth = Math.min(
    Math.max(columnCount - fixedWidth, SPARKLINE_WIDTH_MIN),
    SPARKLINE_WIDTH_MAX,
  );
  const title = [
    ' '.repeat(titleWidth),
    'now'.padStart(VALUE_WIDTH),
    'last minute'.slice(0, sparklineWidth).padStart(sparklineWidth),
    ...['mean', 'min', 'max'].map((name) => name.padStart(VALUE_WIDTH)),
  ].join('  ');
  const lines = rows.map((row) => rowLine(row, { titleWidth, sparklineWidth }));
  const all = [headline, title, ...lines, ...problems.map((problem) => `! ${problem}`)];
  return all.slice(0, rowCount).map((line) => [...line].slice(0, columnCount).join('').trimEnd());
}

function rowLine(
  { title, unit, value, recent, summary }: ViewRow,
  { titleWidth, sparklineWidth }: { readonly titleWidth: number; readonly sparklineWidth: number },
): string {
  const quantity = (amount: number | null): string =>
    humanQuantity(amount, unit).padStart(VALUE_WIDTH);
  return [
    [...title].slice(0, titleWidth).join('').padEnd(titleWidth),
    quantity(value),
    sparkline(recent.slice(-sparklineWidth)).padStart(sparklineWidth),
    ...[summary?.mean, summary?.min, summary?.max].map((amount) => quantity(amount ?? null)),
  ].join('  ');
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
