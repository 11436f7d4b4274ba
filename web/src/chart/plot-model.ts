import { granularityMs } from '../time/units.ts';
import { type ChartColumns, drawnTimes, numbersOf, withGaps } from './columns.ts';
import { type Joined, joinTables, type Table } from './join-columns.ts';

/** How a stream is drawn: a line with a band between it and its extremes, the band alone, or on top of others. */
export type LineKind = 'line' | 'band' | 'stack';

/** One stream in a chart. */
export interface PlotLine {
  readonly id: string;
  readonly label: string;
  readonly unit: string;
  /** Lines with the same one share a y axis, and it stands there where there are several. */
  readonly axis: string;
  /** Index into the palette. */
  readonly color: number;
  readonly kind: LineKind;
  /** Whose column is the line; `m` for raw datapoints. */
  readonly letter: string;
  readonly columns: ChartColumns;
  /** Ends of the y axis that somebody fixed. */
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
}

export type SeriesRole = 'value' | 'low' | 'high';

/** One column of the plot. */
interface PlotSeries {
  readonly lineId: string;
  readonly role: SeriesRole;
  readonly axis: string;
  readonly color: number;
  readonly kind: LineKind;
}

export interface PlotAxis {
  readonly key: string;
  readonly unit: string;
  readonly minimum: number | null;
  readonly maximum: number | null;
  /** Whether lines are stacked on it. */
  readonly isOfAreas: boolean;
  /** What its values are divided by to be drawn: uPlot draws no axis for numbers of more than 17 digits. */
  readonly divisor: number;
  /** Of its only line; null: it has several. */
  readonly color: number | null;
}

/** Everything that a plot draws, without knowing how. */
export interface PlotModel {
  readonly series: readonly PlotSeries[];
  /** Column indices of the upper and lower edge of each filled area; `low` null: down to zero. */
  readonly bands: readonly {
    readonly high: number;
    readonly low: number | null;
    readonly color: number;
    readonly isStack: boolean;
  }[];
  readonly axes: readonly PlotAxis[];
  /** As drawn: of stacked lines the sums, divided as their axis says. */
  readonly joined: Joined;
  /** As the streams have them. */
  readonly own: Joined;
}

/** Lays lines out as columns; hidden ones are left out. */
export function plotModel(
  lines: readonly PlotLine[],
  hidden: ReadonlySet<string> = new Set(),
): PlotModel {
  const shown = lines.filter(({ id }) => !hidden.has(id));
  const parts = shown.map(partOf);
  const series = parts.flatMap(({ series: own }) => own);
  const own = joinTables(parts.map(({ table }) => table));
  const columns = stacked(series, own.columns);
  const axes = axesOf(shown).map((axis) => ({
    ...axis,
    divisor: divisorOf(columns.filter((_, index) => series[index]!.axis === axis.key)),
  }));
  return {
    series,
    bands: bandsOf(series),
    axes,
    joined: {
      times: own.times,
      columns: columns.map((column, index) =>
        divided(column, axes.find(({ key }) => key === series[index]!.axis)!.divisor),
      ),
    },
    own,
  };
}

type Column = readonly (number | null | undefined)[];

const UNDIVIDED_MAX = 1e15;

function divisorOf(columns: readonly Column[]): number {
  let largest = 0;
  for (const column of columns) {
    for (const value of column) if (value) largest = Math.max(largest, Math.abs(value));
  }
  return largest <= UNDIVIDED_MAX ? 1 : 10 ** Math.floor(Math.log10(largest));
}

function divided(column: (number | null | undefined)[], divisor: number): typeof column {
  return divisor === 1 ? column : column.map((value) => (value ? value / divisor : value));
}

function partOf(line: PlotLine): { readonly table: Table; readonly series: readonly PlotSeries[] } {
  const { columns, letter, kind, id: lineId, axis, color } = line;
  const seriesOf = (role: SeriesRole): PlotSeries => ({ lineId, role, axis, color, kind });
  const { l: low, u: high } = columns.letters;
  const isBandOnly = kind === 'band' && !columns.isRaw;
  const value = columns.letters[columns.isRaw ? 'm' : letter];
  const values = numbersOf(value ?? columns.letters['m'] ?? []);
  const roles: SeriesRole[] = isBandOnly ? [] : ['value'];
  if (kind !== 'stack' && low !== undefined && letter !== 'l') roles.push('low');
  if (kind !== 'stack' && high !== undefined && letter !== 'u') roles.push('high');
  const byRole = {
    value: () => values,
    low: () => numbersOf(low),
    high: () => numbersOf(high),
  };
  const table = withGaps(
    drawnTimes(columns),
    roles.map((role) => byRole[role]()),
    columns.isRaw ? 0 : granularityMs(columns.granularity),
  );
  return { table, series: roles.map(seriesOf) };
}

function bandsOf(series: readonly PlotSeries[]): PlotModel['bands'] {
  const stackIndices = series.flatMap(({ kind }, index) => (kind === 'stack' ? [index] : []));
  const stacks = stackIndices.map((high, place) => ({
    high,
    low: place === 0 ? null : stackIndices[place - 1]!,
    color: series[high]!.color,
    isStack: true,
  }));
  const bands = [...new Set(series.map(({ lineId }) => lineId))].flatMap((lineId) => {
    const at = (role: SeriesRole): number =>
      series.findIndex((other) => other.lineId === lineId && other.role === role);
    const ends = [at('high'), at('value'), at('low')];
    const [high, value, low] = ends as [number, number, number];
    const edges = { high: high === -1 ? value : high, low: low === -1 ? value : low };
    if (edges.high === edges.low || edges.high === -1 || edges.low === -1) return [];
    return [{ ...edges, color: series[edges.high]!.color, isStack: false }];
  });
  return [...stacks, ...bands];
}

/** One for each key, in the order of the lines, with the widest ends that were fixed. */
function axesOf(lines: readonly PlotLine[]): readonly Omit<PlotAxis, 'divisor'>[] {
  const axes = new Map<string, Omit<PlotAxis, 'divisor'>>();
  for (const { axis: key, unit, kind, color, minimum = null, maximum = null } of lines) {
    const first = { key, unit, minimum: null, maximum: null, isOfAreas: false, color };
    const before = axes.get(key) ?? first;
    axes.set(key, {
      key,
      unit: before.unit,
      minimum: widest(before.minimum, minimum, Math.min),
      maximum: widest(before.maximum, maximum, Math.max),
      isOfAreas: before.isOfAreas || kind === 'stack',
      color: axes.has(key) ? null : color,
    });
  }
  return [...axes.values()];
}

function widest(
  a: number | null,
  b: number | null,
  pick: (a: number, b: number) => number,
): number | null {
  if (a === null || b === null) return a ?? b;
  return pick(a, b);
}

/** Stacked columns as sums of themselves and those below; a missing one adds nothing. */
function stacked(
  series: readonly PlotSeries[],
  columns: readonly (number | null | undefined)[][],
): (number | null | undefined)[][] {
  let below: (number | null | undefined)[] | null = null;
  return columns.map((column, index) => {
    if (series[index]!.kind !== 'stack') return column;
    const base: (number | null | undefined)[] | null = below;
    below = column.map((value, row) => {
      const under = base?.[row];
      if (value === null || value === undefined) return under ?? value;
      return value + (under ?? 0);
    });
    return below;
  });
}
