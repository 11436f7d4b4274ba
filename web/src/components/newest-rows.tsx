import type { JSX } from 'preact';
import type { ChartColumns } from '../chart/columns.ts';
import { lastRowUntil } from '../chart/join-columns.ts';
import { valueText } from '../format/value-text.ts';
import { instantText } from '../time/time-text.ts';
import { DataTable } from './data-table.tsx';

const ROW_COUNT = 20;

/** The newest rows of a chart as a table: for those who read, or hear, better than they see lines. */
export function NewestRows({
  columns,
  letter,
  unit,
  zone,
  endMs,
}: {
  readonly columns: ChartColumns;
  readonly letter: string;
  readonly unit: string;
  readonly zone: string;
  /** End of the window. */
  readonly endMs: number;
}): JSX.Element {
  const { isRaw, timestamps, letters, granularity } = columns;
  const last = lastRowUntil(timestamps, endMs);
  const rowCount = Math.min(ROW_COUNT, last + 1);
  const rows = Array.from({ length: rowCount }, (_, back) => last - back);
  const numberColumn = (title: string, name: string) => ({
    title,
    isNumber: true,
    cell: (row: number) => valueText(letters[name]?.[row], unit),
  });
  return (
    <details>
      <summary>Newest {isRaw ? 'datapoints' : granularity} as a table</summary>
      <DataTable<number>
        caption="Newest rows of the chart"
        rows={rows}
        keyOf={(row) => String(row)}
        empty="No datapoints in this window."
        columns={[
          { title: 'Time', cell: (row) => instantText(timestamps[row]!, zone) },
          numberColumn(isRaw ? 'Value' : 'Mean', isRaw ? 'm' : letter),
          ...(letters['l'] === undefined ? [] : [numberColumn('Minimum', 'l')]),
          ...(letters['u'] === undefined ? [] : [numberColumn('Maximum', 'u')]),
        ]}
      />
    </details>
  );
}
