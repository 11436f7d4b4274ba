import type { BucketValue } from './buckets.ts';
import { escaped, page } from './html.ts';
import { clockText } from './zone-time.ts';

const WIDTH = 1160;
const HEIGHT = 480;
const MARGIN = 60;
const COLOURS = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#8c564b', '#e377c2', '#17becf'];

/** What is drawn of one series. */
export interface GraphLine {
  readonly name: string;
  readonly timeZone: string;
  readonly data: readonly BucketValue[];
}

/** A page with a chart of series, drawn as it is sent. */
export function graphPage(lines: readonly GraphLine[]): string {
  const points = lines.flatMap(({ data }) => data.filter(({ value }) => value !== null));
  if (points.length === 0) return page('Graph', '<p>There is no data in this time.</p>');
  const times = rangeOf(points.map(({ endMs }) => endMs));
  const values = rangeOf(points.map(({ value }) => value!));
  const x = (endMs: number): number => scaled(endMs, times, [MARGIN, WIDTH - MARGIN]);
  const y = (value: number): number => scaled(value, values, [HEIGHT - MARGIN, MARGIN]);
  const parts = lines.map(({ data }, index) => {
    const colour = COLOURS[index % COLOURS.length]!;
    return `<path d="${pathOf(data, { x, y })}" fill="none" stroke="${colour}"/>`;
  });
  const names = lines.map(({ name }, index) => {
    const place = `x="${MARGIN}" y="${20 + 16 * index}" fill="${COLOURS[index % COLOURS.length]}"`;
    return `<text ${place}>${escaped(name)}</text>`;
  });
  const zone = lines[0]!.timeZone;
  const labels = [
    label(clockText(times[0], zone), { x: MARGIN, y: HEIGHT - 20, anchor: 'start' }),
    label(clockText(times[1], zone), { x: WIDTH - MARGIN, y: HEIGHT - 20, anchor: 'end' }),
    label(shown(values[0]), { x: MARGIN - 5, y: HEIGHT - MARGIN, anchor: 'end' }),
    label(shown(values[1]), { x: MARGIN - 5, y: MARGIN, anchor: 'end' }),
  ];
  const content = [...parts, ...names, ...labels].join('\n');
  return page(
    'Graph',
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-size="12">\n${content}\n</svg>`,
  );
}

/** Lines from value to value; what is not known interrupts them. */
function pathOf(
  data: readonly BucketValue[],
  { x, y }: { readonly x: (endMs: number) => number; readonly y: (value: number) => number },
): string {
  let isOpen = false;
  let path = '';
  for (const { endMs, value } of data) {
    if (value !== null)
      path += `${isOpen ? 'L' : 'M'}${x(endMs).toFixed(1)},${y(value).toFixed(1)}`;
    isOpen = value !== null;
  }
  return path;
}

function label(
  text: string,
  { x, y, anchor }: { readonly x: number; readonly y: number; readonly anchor: 'start' | 'end' },
): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

function rangeOf(numbers: readonly number[]): readonly [number, number] {
  const least = numbers.reduce((a, b) => Math.min(a, b));
  const greatest = numbers.reduce((a, b) => Math.max(a, b));
  return [least, greatest];
}

function scaled(
  value: number,
  [from, to]: readonly [number, number],
  [first, last]: readonly [number, number],
): number {
  return to === from ? (first + last) / 2 : first + ((value - from) / (to - from)) * (last - first);
}

function shown(value: number): string {
  return String(Number(value.toPrecision(6)));
}
