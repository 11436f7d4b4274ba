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
  /** Lines with the same one share a y axis. */
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

interface PlotAxis {
  readonly key: string;
  readonly unit: string;
  readonly minimum: number | null;
  readonly maximum: number | null;
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
  /** As drawn: of stacked lines the sums. */
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
  return {
    series,
    bands: bandsOf(series),
    axes: axesOf(shown),
    joined: { times: own.times, columns: stacked(series, own.columns) },
    own,
  };
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
function axesOf(lines: readonly PlotLine[]): readonly PlotAxis[] {
  const axes = new Map<string, PlotAxis>();
  for (const { axis: key, unit, minimum = null, maximum = null } of lines) {
    const before = axes.get(key) ?? { key, unit, minimum: null, maximum: null };
    axes.set(key, {
      key,
      unit: before.unit,
      minimum: widest(before.minimum, minimum, Math.min),
      maximum: widest(before.maximum, maximum, Math.max),
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
