import { assert } from './assert.ts';

/**
 * One column of a block. In a `Float64Array`, NaN is null (there is no other NaN); in an array of JSON
 * values, `null` is.
 */
export type Column = Float64Array | readonly unknown[];

export type Columns = Readonly<Record<string, Column>>;

/**
 * Rows of one level of one stream: ascending timestamps, equal ones in order of arrival, and columns of
 * the same length. Raw data has the one column `v`; a lower level has its bucket states, and its
 * timestamps are bucket starts. A block may be empty. Whoever holds one must not write to it.
 */
export interface Block {
  /** Epoch milliseconds, whole numbers. */
  readonly timestamps: Float64Array;
  readonly columns: Columns;
}

/** Name of the column that holds raw values. */
export const VALUE_COLUMN = 'v';

export const EMPTY_BLOCK: Block = Object.freeze({
  timestamps: new Float64Array(0),
  columns: Object.freeze({}),
});

export function rawBlock(timestamps: Float64Array, values: Column): Block {
  assert(timestamps.length === values.length, 'timestamps and values have the same length');
  return { timestamps, columns: { [VALUE_COLUMN]: values } };
}

/** The densest column that holds the stored values: floats when all are numbers or null. */
export function valueColumn(values: readonly unknown[]): Column {
  const floats = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (typeof value === 'number') floats[row] = value;
    else if (value === null) floats[row] = Number.NaN;
    else return values;
  }
  return floats;
}

/** The columns with their rows in the opposite order. */
export function reverseColumns(columns: Columns): Columns {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, column.toReversed()]),
  );
}

/** The rows `[from, to)`, sharing memory with the block. */
export function sliceBlock(block: Block, from: number, to: number): Block {
  if (from === 0 && to === block.timestamps.length) return block;
  const columns: Record<string, Column> = {};
  for (const [name, column] of Object.entries(block.columns)) {
    columns[name] =
      column instanceof Float64Array ? column.subarray(from, to) : column.slice(from, to);
  }
  return { timestamps: block.timestamps.subarray(from, to), columns };
}

/** The rows in arrays of just their size that nobody else has. */
export function ownBlock({ timestamps, columns }: Block): Block {
  const own: Record<string, Column> = {};
  for (const [name, column] of Object.entries(columns)) own[name] = column.slice();
  return { timestamps: timestamps.slice(), columns: own };
}

/** The rows whose timestamps lie in `[startMs, endMs)`, sharing memory with the block. */
export function cutBlock(block: Block, range: { startMs: number; endMs: number }): Block {
  return sliceBlock(
    block,
    lowerBound(block.timestamps, range.startMs),
    lowerBound(block.timestamps, range.endMs),
  );
}

/** All rows one after the other. A column that a block lacks is null in its rows. */
export function concatBlocks(blocks: readonly Block[]): Block {
  const filled = blocks.filter((block) => block.timestamps.length > 0);
  if (filled.length === 0) return EMPTY_BLOCK;
  if (filled.length === 1) return filled[0]!;
  const rowCount = filled.reduce((sum, block) => sum + block.timestamps.length, 0);
  const timestamps = new Float64Array(rowCount);
  const names = new Set(filled.flatMap((block) => Object.keys(block.columns)));
  let row = 0;
  for (const block of filled) {
    timestamps.set(block.timestamps, row);
    row += block.timestamps.length;
  }
  const columns: Record<string, Column> = {};
  for (const name of names) columns[name] = concatColumn(filled, name, rowCount);
  return { timestamps, columns };
}

function concatColumn(blocks: readonly Block[], name: string, rowCount: number): Column {
  const isFloat = blocks.every((block) => {
    const column = block.columns[name];
    return column === undefined || column instanceof Float64Array;
  });
  if (!isFloat) return blocks.flatMap((block) => jsonColumn(block.columns[name], block));
  const values = new Float64Array(rowCount);
  let row = 0;
  for (const block of blocks) {
    const column = block.columns[name];
    if (column === undefined) values.fill(Number.NaN, row, row + block.timestamps.length);
    else values.set(column as Float64Array, row);
    row += block.timestamps.length;
  }
  return values;
}

function jsonColumn(column: Column | undefined, { timestamps }: Block): readonly unknown[] {
  if (column === undefined) return new Array(timestamps.length).fill(null);
  if (!(column instanceof Float64Array)) return column;
  return Array.from(column, (value) => (Number.isNaN(value) ? null : value));
}

/**
 * The block with the rows inserted after every row of the same or an earlier timestamp, in their own
 * order: a multiset ordered by (timestamp, arrival) takes late arrivals this way.
 */
export function insertRows(block: Block, rows: Block): Block {
  if (block.timestamps.length === 0) return rows;
  if (rows.timestamps.length === 0) return block;
  if (rows.timestamps[0]! >= block.timestamps.at(-1)!) return concatBlocks([block, rows]);
  const pieces: Block[] = [];
  let taken = 0;
  let row = 0;
  while (row < rows.timestamps.length) {
    const position = upperBound(block.timestamps, rows.timestamps[row]!);
    const followingMs = block.timestamps[position] ?? Number.POSITIVE_INFINITY;
    let end = row + 1;
    while (end < rows.timestamps.length && rows.timestamps[end]! < followingMs) end++;
    pieces.push(sliceBlock(block, taken, position), sliceBlock(rows, row, end));
    taken = position;
    row = end;
  }
  pieces.push(sliceBlock(block, taken, block.timestamps.length));
  return concatBlocks(pieces);
}

/** The rows of raw data by timestamp, equal ones in the order in which they stand. */
export function sortRows(rows: Block): Block {
  const { timestamps } = rows;
  const order = Array.from(timestamps.keys()).sort(
    (a, b) => timestamps[a]! - timestamps[b]! || a - b,
  );
  const values = rows.columns[VALUE_COLUMN] ?? EMPTY_BLOCK.timestamps;
  return rawBlock(
    Float64Array.from(order, (row) => timestamps[row]!),
    values instanceof Float64Array
      ? Float64Array.from(order, (row) => values[row]!)
      : order.map((row) => values[row]),
  );
}

/** The block with only the last row of each timestamp: where later arrivals overwrite earlier ones. */
export function lastOfEachTimestamp(block: Block): Block {
  const { timestamps } = block;
  const isLast = (row: number): boolean => timestamps[row] !== timestamps[row + 1];
  if (timestamps.every((_timestampMs, row) => isLast(row))) return block;
  const columns: Record<string, Column> = {};
  for (const [name, column] of Object.entries(block.columns)) {
    columns[name] =
      column instanceof Float64Array
        ? column.filter((_value, row) => isLast(row))
        : column.filter((_value, row) => isLast(row));
  }
  return { timestamps: timestamps.filter((_timestampMs, row) => isLast(row)), columns };
}

/** The block without the rows inside the range, and with the given rows (all inside it) in their place. */
export function replaceRows(
  block: Block,
  range: { startMs: number; endMs: number },
  rows: Block,
): Block {
  const from = lowerBound(block.timestamps, range.startMs);
  const to = lowerBound(block.timestamps, range.endMs);
  return concatBlocks([
    sliceBlock(block, 0, from),
    rows,
    sliceBlock(block, to, block.timestamps.length),
  ]);
}

/** Index of the first timestamp at or after `timestampMs`; the length when there is none. */
export function lowerBound(timestamps: Float64Array, timestampMs: number): number {
  let low = 0;
  let high = timestamps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timestamps[middle]! < timestampMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first timestamp after `timestampMs`; the length when there is none. */
export function upperBound(timestamps: Float64Array, timestampMs: number): number {
  let low = 0;
  let high = timestamps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timestamps[middle]! <= timestampMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
