import { DATE_KEY } from './inputs.ts';
import type { Row } from './rows.ts';

/** Rows of one axis. */
export interface AxisRows {
  readonly name: string;
  readonly rows: readonly Row[];
}

/** Rows as chart pages take them: `{"date": epoch seconds, "<axis>": y}`, oldest first, with their extremes. */
export interface ChartData {
  readonly data: readonly Readonly<Record<string, number | null>>[];
  readonly min_y: number | null;
  readonly max_y: number | null;
}

export function chartData(all: readonly AxisRows[]): ChartData {
  const items = all.flatMap(({ name, rows }) => rows.map((row) => ({ name, row })));
  items.sort((a, b) => a.row.id - b.row.id);
  const values = items.flatMap(({ row: { value } }) => (value === null ? [] : [value]));
  return {
    data: items.map(({ name, row }) =>
      Object.fromEntries([
        [DATE_KEY, row.timestampMs / 1000],
        [name, row.value],
      ]),
    ),
    min_y: values.length === 0 ? null : Math.min(...values),
    max_y: values.length === 0 ? null : Math.max(...values),
  };
}

/** 1: above the row before, -1: below, 0: equal; null where there is nothing to compare with. */
export function stateOf(newest: Row, before: Row | undefined): -1 | 0 | 1 | null {
  if (newest.value === null || before === undefined || before.value === null) return null;
  return Math.sign(newest.value - before.value) as -1 | 0 | 1;
}
