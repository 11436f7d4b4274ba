import { type Block, type Column, concatBlocks, lowerBound } from '../../model/block.ts';
import { mapColumns } from '../datapoint-columns.ts';
import type { DatapointColumns } from '../types.ts';

/** Rows that are held. */
interface Source {
  /** Of each row among all rows, ascending; null where they follow each other from `position` on. */
  readonly positions: Float64Array | null;
  /** Of its first row, among all rows. */
  readonly position: number;
  readonly rows: Block;
  /** Those that were picked, by their place here. */
  readonly picked: number[];
}

/** Rows beside the picked ones that are held before those are let go of that cannot be picked any more. */
const HELD_ROW_COUNT_MAX = 2 ** 18;

/**
 * Gathers some rows of columns that come block by block. A row is held until one behind it has been picked, or
 * until it is known that it will not be.
 */
export class PickedRows {
  readonly #pieces: Block[] = [];
  #sources: Source[] = [];
  #rowCount = 0;
  #heldCount = 0;
  #shape: DatapointColumns | null = null;

  addBlock(columns: DatapointColumns): void {
    this.#shape ??= columns;
    const position = this.#rowCount;
    this.#sources.push({ positions: null, position, rows: flattened(columns), picked: [] });
    this.#rowCount += columns.timestamps.length;
    this.#heldCount += columns.timestamps.length;
  }

  /** Whether there are so many rows that those should be let go of that nobody will pick. */
  get isFull(): boolean {
    return this.#heldCount > HELD_ROW_COUNT_MAX;
  }

  /** Picks a row of the blocks so far by its position among all rows; positions ascend. */
  pick(position: number): void {
    for (;;) {
      const [source] = this.#sources as [Source];
      const row = rowAt(source, position);
      if (row !== null) {
        source.picked.push(row);
        return;
      }
      this.#retire();
    }
  }

  /** Lets go of all rows but those that were picked, and those at the given positions, which ascend. */
  keepOnly(positions: readonly number[]): void {
    const held = this.#sources.map((source) => {
      const rows = positions.flatMap((position) => rowAt(source, position) ?? []);
      return selectRows(source.rows, rows);
    });
    while (this.#sources.length > 0) this.#retire();
    this.#heldCount = positions.length;
    if (positions.length === 0) return;
    const rows = concatBlocks(held);
    const source = { positions: Float64Array.from(positions), position: positions[0]!, rows };
    this.#sources.push({ ...source, picked: [] });
  }

  /** All that was picked. Call once, at the end. */
  finish(): DatapointColumns {
    while (this.#sources.length > 0) this.#retire();
    return unflattened(concatBlocks(this.#pieces), this.#shape ?? { timestamps: NO_TIMESTAMPS });
  }

  #retire(): void {
    const { rows, picked } = this.#sources.shift()!;
    this.#heldCount -= rows.timestamps.length;
    if (picked.length > 0) this.#pieces.push(selectRows(rows, picked));
  }
}

/** Where a source has a row; null when it has not. */
function rowAt({ positions, position: start, rows }: Source, position: number): number | null {
  if (positions === null) {
    const row = position - start;
    return row >= 0 && row < rows.timestamps.length ? row : null;
  }
  const row = lowerBound(positions, position);
  return positions[row] === position ? row : null;
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
