import { interpolate } from '../../model/interpolate.ts';
import { columnOf, type TimeSpan } from './columns.ts';
import { tickLabel, tickStep, tickTimes } from './ticks.ts';

/** Blank characters between two time labels. */
const LABEL_DISTANCE = 2;

const BINARY_PREFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
const DECIMAL_PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];

/** Sizes that are written without an exponent: from the first to below the second. */
const PLAIN_SIZE_MIN = 1e-6;
const PLAIN_SIZE_LIMIT = 1e18;
const EXPONENT_DIGIT_COUNT_MAX = 6;

interface ValueAxis {
  readonly min: number;
  /** More than `min`. */
  readonly max: number;
  readonly rowCount: number;
  readonly unit: string;
}

interface ValueLabels {
  readonly labels: readonly string[];
  /** With the prefix that all labels share. */
  readonly unit: string;
}

/** Labels of the value axis from top to bottom, of one width, in one prefix, told apart by their digits. */
export function valueLabels(axis: ValueAxis): ValueLabels {
  const size = Math.max(Math.abs(axis.min), Math.abs(axis.max));
  const isPlain = size >= PLAIN_SIZE_MIN && size < PLAIN_SIZE_LIMIT;
  const { labels, unit } = isPlain ? plainLabels(axis, size) : exponentLabels(axis, size);
  const width = Math.max(...labels.map((text) => text.length));
  return { labels: labels.map((text) => text.padStart(width)), unit };
}

function plainLabels(axis: ValueAxis, size: number): ValueLabels {
  const { unit } = axis;
  const base = unit === 'B' ? 1024 : 1000;
  const prefixes = unit === 'B' ? BINARY_PREFIXES : DECIMAL_PREFIXES;
  const hasPrefix = unit !== 's' && unit !== '%';
  let step = 0;
  while (hasPrefix && size >= base ** (step + 1) && step < prefixes.length - 1) step++;
  const digitCount = Math.ceil(1 - Math.log10(rowHeightOf(axis) / base ** step));
  const labels = rowValues(axis).map((value) =>
    (value / base ** step)
      .toFixed(Math.min(Math.max(digitCount, 0), 9))
      .replace(/^-(0(?:\.0*)?)$/, '$1'),
  );
  return { labels, unit: `${prefixes[step]}${unit}` };
}

function exponentLabels(axis: ValueAxis, size: number): ValueLabels {
  const rowHeight = rowHeightOf(axis);
  const digitCount = Math.ceil(Math.log10(size / rowHeight));
  const labels = rowValues(axis).map((value) =>
    // What is left of rounding around zero would show as a number of its own.
    Math.abs(value) < rowHeight * 1e-6
      ? '0'
      : value
          .toExponential(Math.min(Math.max(digitCount, 1), EXPONENT_DIGIT_COUNT_MAX))
          .replace('e+', 'e'),
  );
  return { labels, unit: axis.unit };
}

function rowHeightOf({ min, max, rowCount }: ValueAxis): number {
  return max / (rowCount - 1) - min / (rowCount - 1);
}

function rowValues({ min, max, rowCount }: ValueAxis): readonly number[] {
  return Array.from({ length: rowCount }, (_, row) => interpolate(max, min, row / (rowCount - 1)));
}

/** Two lines below the curve: the axis with its ticks at round times (UTC), and their labels. */
export function timeAxis(span: TimeSpan, columnCount: number): readonly [string, string] {
  const step = tickStep(span, { columnCount, labelDistance: LABEL_DISTANCE });
  const axis = new Array<string>(columnCount).fill('─');
  const labels = new Array<string>(columnCount).fill(' ');
  let freeColumn = 0;
  for (const timeMs of tickTimes(step, span)) {
    const column = columnOf(timeMs, span, columnCount);
    axis[column] = '┬';
    const text = tickLabel(timeMs, step, span);
    const start = Math.min(column, Math.max(columnCount - text.length, 0));
    if (start < freeColumn || start + text.length > columnCount) continue;
    for (const [i, character] of [...text].entries()) labels[start + i] = character;
    freeColumn = start + text.length + LABEL_DISTANCE;
  }
  return [axis.join(''), labels.join('').trimEnd()];
}
