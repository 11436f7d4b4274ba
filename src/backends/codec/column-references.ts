import type { ByteCursor } from './byte-cursor.ts';

/** Encodings of a column that another one of the block tells: inline, the place of that one in the directory. */
const SAME = 0x05;
const SQUARES = 0x06;
/** Others that a column is held against, at most: blocks may have thousands of columns. */
const TOLD_COUNT_MAX = 8;

/** How a column follows from one that stands before it in the directory. */
export interface ColumnReference {
  readonly encoding: number;
  readonly place: number;
}

/** A column with a section of its own. */
interface ToldColumn {
  readonly column: Float64Array;
  readonly place: number;
}

/** The columns of a block being written that later ones may follow from. */
export class ToldColumns {
  readonly #told: ToldColumn[] = [];

  /** Notes a column that was written into a section. */
  add(told: ToldColumn): void {
    if (this.#told.length < TOLD_COUNT_MAX) this.#told.push(told);
  }

  /** How a column follows from a noted one, to the bit; null when it does not. */
  referenceOf(column: Float64Array): ColumnReference | null {
    for (const { column: told, place } of this.#told) {
      if (isSame(column, told)) return { encoding: SAME, place };
      if (areSquares(column, told)) return { encoding: SQUARES, place };
    }
    return null;
  }
}

export function isReference(encoding: number): boolean {
  return encoding === SAME || encoding === SQUARES;
}

export function isOfSquares(encoding: number): boolean {
  return encoding === SQUARES;
}

/** @throws {BlockCorrupt} when the place is not one of the columns before it. */
export function readPlace(cursor: ByteCursor, columnCount: number): number {
  const offset = cursor.position;
  const place = cursor.uvarint();
  if (place >= columnCount) throw cursor.corrupt('a column follows from one behind it', offset);
  return place;
}

/** Squares the rows `[at, at + rowCount)` of `out`. */
export function square(out: Float64Array, at: number, rowCount: number): void {
  for (let row = at; row < at + rowCount; row++) out[row] = out[row]! * out[row]!;
}

function isSame(column: Float64Array, told: Float64Array): boolean {
  for (let row = 0; row < column.length; row++) {
    const value = column[row]!;
    // Only of zeros and of NaN there is more to know than whether they are equal.
    const isEqual = value === told[row] ? value !== 0 : false;
    if (!isEqual && !Object.is(value, told[row])) return false;
  }
  return true;
}

function areSquares(column: Float64Array, told: Float64Array): boolean {
  for (let row = 0; row < column.length; row++) {
    const value = told[row]!;
    // NaN is not its own square here, and there is no square -0.
    if (column[row] !== value * value || Object.is(column[row], -0)) return false;
  }
  return true;
}
