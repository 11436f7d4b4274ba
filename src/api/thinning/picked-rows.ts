import { type Block, type Column, concatBlocks } from '../../model/block.ts';
import { mapColumns } from '../datapoint-columns.ts';
import type { DatapointColumns } from '../types.ts';

interface Source {
  /** Of its first row, among all rows. */
  readonly position: number;
  readonly columns: DatapointColumns;
  /** Those that were picked. */
  readonly rows: number[];
}

/**
 * Gathers some rows of columns that come block by block. A block is held until a row behind it has been
 * picked.
 */
export class PickedRows {
  readonly #pieces: Block[] = [];
  readonly #sources: Source[] = [];
  #rowCount = 0;
  #shape: DatapointColumns | null = null;

  addBlock(columns: DatapointColumns): void {
    this.#shape ??= columns;
    this.#sources.push({ position: this.#rowCount, columns, rows: [] });
    this.#rowCount += columns.timestamps.length;
  }

  /** Picks a row of the blocks so far by its position among all rows; positions ascend. */
  pick(position: number): void {
    for (;;) {
      const [{ position: start, columns, rows }] = this.#sources as [Source];
      if (position < start + columns.timestamps.length) {
        rows.push(position - start);
        return;
      }
      this.#retire();
    }
  }

  /** All that was picked. Call once, at the end. */
  finish(): DatapointColumns {
    while (this.#sources.length > 0) this.#retire();
    return unflattened(concatBlocks(this.#pieces), this.#shape ?? { timestamps: NO_TIMESTAMPS });
  }

  #retire(): void {
    const { columns, rows } = this.#sources.shift()!;
    this.#pieces.push(selectRows(flattened(columns), rows));
  }
}

const NO_TIMESTAMPS = new Float64Array(0);

/** The columns side by side, by names of their own. */
function flattened({ timestamps, values, v = {}, t = {}, live }: DatapointColumns): Block {
  const columns: Record<string, Column> = {};
  if (values !== undefined) columns['values'] = values;
  if (live !== undefined) columns['live'] = Float64Array.from(live);
  for (const [letter, column] of Object.entries(v)) columns[`v.${letter}`] = column;
  for (const [letter, column] of Object.entries(t)) columns[`t.${letter}`] = column;
  return { timestamps, columns };
}

function unflattened(
  { timestamps, columns }: Block,
  { values, v, t, live }: DatapointColumns,
): DatapointColumns {
  const column = (name: string): Column => columns[name] ?? NO_TIMESTAMPS;
  return {
    timestamps,
    ...(values && { values: column('values') }),
    ...(v && { v: mapColumns(v, (_column, letter) => column(`v.${letter}`)) }),
    ...(t && { t: mapColumns(t, (_column, letter) => column(`t.${letter}`) as Float64Array) }),
    ...(live && { live: Uint8Array.from(column('live') as Float64Array) }),
  };
}

function selectRows({ timestamps, columns }: Block, rows: readonly number[]): Block {
  return {
    timestamps: Float64Array.from(rows, (row) => timestamps[row]!),
    columns: mapColumns(columns, (column) =>
      column instanceof Float64Array
        ? Float64Array.from(rows, (row) => column[row]!)
        : rows.map((row) => column[row]),
    ),
  };
}
