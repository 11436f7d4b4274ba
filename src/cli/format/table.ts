/** Rows that decide the column widths before the first line is written; later rows may stick out. */
const MEASURED_ROW_COUNT = 500;

export interface TableColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/**
 * Lays rows of cells out in columns, line by line, in bounded memory: the widths are those of the titles
 * and the first 500 rows.
 */
export async function* tableLines(
  columns: readonly TableColumn[],
  rows: AsyncIterable<readonly string[]>,
): AsyncGenerator<string, void, undefined> {
  const measured: (readonly string[])[] = [];
  let widths: readonly number[] | null = null;
  const start = (): readonly string[] => {
    widths = columns.map((column, i) =>
      Math.max(textWidth(column.title), ...measured.map((row) => textWidth(row[i] ?? ''))),
    );
    const titles = columns.map((column) => column.title);
    return [titles, ...measured].map((row) => line(columns, widths!, row));
  };
  for await (const row of rows) {
    if (widths !== null) {
      yield line(columns, widths, row);
      continue;
    }
    measured.push(row.map(oneLine));
    if (measured.length === MEASURED_ROW_COUNT) yield* start();
  }
  if (widths === null) yield* start();
}

/** Number of characters that a terminal shows; wide characters count once. */
export function textWidth(text: string): number {
  return [...text].length;
}

function line(
  columns: readonly TableColumn[],
  widths: readonly number[],
  row: readonly string[],
): string {
  const cells = columns.map((column, i) => {
    const cell = oneLine(row[i] ?? '');
    const padding = ' '.repeat(Math.max(widths[i]! - textWidth(cell), 0));
    return column.align === 'right' ? padding + cell : cell + padding;
  });
  return cells.join('  ').trimEnd();
}

/** Control characters of stored values must not move the cursor or colour the terminal. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to keep out
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '·');
}
