import { columnOf, type TimeSpan } from './columns.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Distances between time labels that people count in. */
const TICK_STEPS_MS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR_MS),
  ...[1, 2, 7, 14, 30, 90, 365, 3650, 36_500].map((count) => count * DAY_MS),
];

/** Blank characters between two time labels. */
const LABEL_DISTANCE = 2;

const BINARY_PREFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
const DECIMAL_PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];

/** Labels of the value axis from top to bottom, of one width, in one prefix, told apart by their digits. */
export function valueLabels(options: {
  readonly min: number;
  readonly max: number;
  readonly rowCount: number;
  readonly unit: string;
}): { readonly labels: readonly string[]; readonly unit: string } {
  const { min, max, rowCount, unit } = options;
  const base = unit === 'B' ? 1024 : 1000;
  const prefixes = unit === 'B' ? BINARY_PREFIXES : DECIMAL_PREFIXES;
  const size = Math.max(Math.abs(min), Math.abs(max));
  const hasPrefix = unit !== 's' && unit !== '%';
  let step = 0;
  while (hasPrefix && size >= base ** (step + 1) && step < prefixes.length - 1) step++;
  const rowHeight = (max - min) / (rowCount - 1) / base ** step;
  const digitCount = Math.min(Math.max(Math.ceil(1 - Math.log10(rowHeight)), 0), 9);
  const texts = Array.from({ length: rowCount }, (_, row) => {
    const value = max - ((max - min) * row) / (rowCount - 1);
    return (value / base ** step).toFixed(digitCount).replace(/^-(0(?:\.0*)?)$/, '$1');
  });
  const width = Math.max(...texts.map((text) => text.length));
  return { labels: texts.map((text) => text.padStart(width)), unit: `${prefixes[step]}${unit}` };
}

/** Two lines below the curve: the axis with its ticks at round times (UTC), and their labels. */
export function timeAxis(span: TimeSpan, columnCount: number): readonly [string, string] {
  const stepMs = tickStepMs(span, columnCount);
  const axis = new Array<string>(columnCount).fill('─');
  const labels = new Array<string>(columnCount).fill(' ');
  const first = Math.ceil(span.startMs / stepMs) * stepMs;
  let freeColumn = 0;
  for (let timeMs = first; timeMs <= span.endMs; timeMs += stepMs) {
    const column = columnOf(timeMs, span, columnCount);
    axis[column] = '┬';
    const text = timeLabel(timeMs, stepMs, span);
    const start = Math.min(column, Math.max(columnCount - text.length, 0));
    if (start < freeColumn || start + text.length > columnCount) continue;
    for (const [i, character] of [...text].entries()) labels[start + i] = character;
    freeColumn = start + text.length + LABEL_DISTANCE;
  }
  return [axis.join(''), labels.join('').trimEnd()];
}

function tickStepMs(span: TimeSpan, columnCount: number): number {
  const lengthMs = span.endMs - span.startMs;
  const fitting = TICK_STEPS_MS.find((stepMs) => {
    const labelLength = timeLabel(span.endMs, stepMs, span).length;
    return (stepMs / lengthMs) * (columnCount - 1) >= labelLength + LABEL_DISTANCE;
  });
  return fitting ?? TICK_STEPS_MS.at(-1)!;
}

function timeLabel(timeMs: number, stepMs: number, span: TimeSpan): string {
  const [date, clock] = new Date(timeMs).toISOString().split('T') as [string, string];
  if (stepMs >= DAY_MS) return date;
  const time = stepMs % MINUTE_MS === 0 ? clock.slice(0, 5) : clock.slice(0, 8);
  const isOneDay = Math.floor(span.startMs / DAY_MS) === Math.floor(span.endMs / DAY_MS);
  return isOneDay ? time : `${date.slice(-5)} ${time}`;
}
