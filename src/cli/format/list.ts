import type { CommandContext } from '../command-context.ts';
import { type TableColumn, tableLines } from './table.ts';

/** Prints items as a table, or as one JSON array with one item a line. */
export async function printList<Item extends object>(
  context: CommandContext,
  items: readonly Item[],
  {
    isJson,
    titles,
    rowOf,
  }: {
    readonly isJson: boolean;
    readonly titles: readonly string[];
    readonly rowOf: (item: Item) => readonly string[];
  },
): Promise<void> {
  if (isJson) {
    const lines = items.map((item) => JSON.stringify(item));
    await context.out.line(lines.length === 0 ? '[]' : `[\n${lines.join(',\n')}\n]`);
    return;
  }
  const columns: readonly TableColumn[] = titles.map((title) => ({ title }));
  for await (const line of tableLines(columns, rows(items, rowOf))) await context.out.line(line);
}

async function* rows<Item>(
  items: readonly Item[],
  rowOf: (item: Item) => readonly string[],
): AsyncGenerator<readonly string[], void, undefined> {
  for (const item of items) yield rowOf(item);
}
