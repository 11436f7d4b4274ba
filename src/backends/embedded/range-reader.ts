import {
  type Block,
  type Column,
  concatBlocks,
  cutBlock,
  EMPTY_BLOCK,
  lowerBound,
  ownBlock,
} from '../../model/block.ts';
import { ALL_TIME, intersectRanges, isEmptyRange, type TimeRange } from '../../model/time-range.ts';
import { decodeBlock } from '../codec/block-codec.ts';
import { BlockDecoder, isFloatEntry } from '../codec/block-decoder.ts';
import { ScratchColumn } from '../codec/scratch-columns.ts';
import type { BlockStore } from './block-store.ts';
import type { LevelPlace } from './journal-entry.ts';
import type { LevelState } from './level-state.ts';
import { isLoose, rowsIn } from './tail.ts';

export interface RangeOptions {
  readonly range: TimeRange;
  readonly columns: readonly string[] | undefined;
  /** Has the rows behind all blocks; null when there are none. */
  readonly state: LevelState | null;
}

/** Reads all rows of a range of one level, each column into an array of its own that has just its size. */
export function readLevelRows(blocks: BlockStore, level: LevelPlace, options: RangeOptions): Block {
  const pieces: Piece[] = [];
  const { columns, state } = options;
  const range = intersectRanges(options.range, ALL_TIME);
  if (isEmptyRange(range)) return ownBlock(EMPTY_BLOCK);
  if (state === null || state.mayHaveBlocks(range.startMs)) {
    // From the end on: that finds the block that reaches into the range without another look-up.
    const stored = [...blocks.inRange(level, { range, isReverse: true })].reverse();
    for (const { place, bytes } of stored) {
      pieces.push(new EncodedPiece(bytes, () => blocks.locate(place), range));
    }
  }
  for (const part of state === null ? [] : state.pendingParts(range)) {
    if (isLoose(part)) pieces.push(new LoosePiece(rowsIn(part, range, columns)));
    else {
      const place = { ordinal: level.ordinal, level: level.level, startMs: part.firstMs, tie: 0 };
      pieces.push(new EncodedPiece(part.bytes, () => blocks.locate(place), range));
    }
  }
  const filled = pieces.filter(({ rowCount }) => rowCount > 0);
  if (!filled.every((piece) => piece.isNumeric(columns))) {
    return ownBlock(concatBlocks(filled.map((piece) => piece.block(columns))));
  }
  return gather(filled, columns);
}

/** Rows of the range that stand together. */
interface Piece {
  /** In the range. */
  readonly rowCount: number;
  /** Whether the named columns have numbers, as far as they are there. */
  isNumeric(names: readonly string[] | undefined): boolean;
  columnNames(names: readonly string[] | undefined): readonly string[];
  /** As any block: it may share memory with the store. */
  block(names: readonly string[] | undefined): Block;
  /** Writes the timestamps to `out` from `at` on. */
  timestamps(out: Float64Array, at: number): void;
  /** The same for a column of numbers; NaN when it is not there. */
  floats(name: string, out: Float64Array, at: number): void;
  /** An array of its own with the timestamps. */
  ownTimestamps(): Float64Array;
  /** An array of its own with a column that is there. */
  ownFloats(name: string): Float64Array;
}

function gather(pieces: readonly Piece[], names: readonly string[] | undefined): Block {
  const [only] = pieces;
  const columns: [string, Column][] = [];
  if (only !== undefined && pieces.length === 1) {
    for (const name of only.columnNames(names)) columns.push([name, only.ownFloats(name)]);
    return { timestamps: only.ownTimestamps(), columns: Object.fromEntries(columns) };
  }
  let rowCount = 0;
  const found = new Set<string>();
  for (const piece of pieces) {
    rowCount += piece.rowCount;
    for (const name of piece.columnNames(names)) found.add(name);
  }
  const timestamps = new Float64Array(rowCount);
  fill(pieces, (piece, at) => piece.timestamps(timestamps, at));
  for (const name of found) {
    const values = new Float64Array(rowCount);
    fill(pieces, (piece, at) => piece.floats(name, values, at));
    columns.push([name, values]);
  }
  return { timestamps, columns: Object.fromEntries(columns) };
}

function fill(pieces: readonly Piece[], write: (piece: Piece, at: number) => void): void {
  let at = 0;
  for (const piece of pieces) {
    write(piece, at);
    at += piece.rowCount;
  }
}

/** An array costs more than a few hundred rows of it: what is cut off afterwards is decoded in here. */
const scratch = new ScratchColumn();

class EncodedPiece implements Piece {
  readonly #bytes: Uint8Array;
  readonly #location: () => string;
  readonly #decoder: BlockDecoder;
  readonly #range: TimeRange;
  /** The rows `[from, to)` of the block are in the range. */
  readonly #from: number = 0;
  readonly #to: number;

  constructor(bytes: Uint8Array, location: () => string, range: TimeRange) {
    this.#bytes = bytes;
    this.#location = location;
    this.#decoder = new BlockDecoder(bytes, location);
    this.#range = range;
    const { rowCount, firstMs, lastMs } = this.#decoder.layout;
    this.#to = rowCount;
    if (firstMs >= range.startMs && lastMs < range.endMs) return;
    if (lastMs < range.startMs) {
      this.#to = 0;
      return;
    }
    const timestamps = this.#scratchTimestamps();
    this.#from = lowerBound(timestamps, range.startMs);
    this.#to = lowerBound(timestamps, range.endMs);
  }

  get rowCount(): number {
    return this.#to - this.#from;
  }

  isNumeric(names: readonly string[] | undefined): boolean {
    return this.#decoder.asked(names).every(isFloatEntry);
  }

  columnNames(names: readonly string[] | undefined): readonly string[] {
    return this.#decoder.asked(names).map(({ name }) => name);
  }

  block(names: readonly string[] | undefined): Block {
    return cutBlock(decodeBlock(this.#bytes, this.#location(), names), this.#range);
  }

  timestamps(out: Float64Array, at: number): void {
    if (this.#isWhole) this.#decoder.timestamps(out, at);
    else out.set(this.#scratchTimestamps().subarray(this.#from, this.#to), at);
  }

  floats(name: string, out: Float64Array, at: number): void {
    const entry = this.#decoder.entry(name);
    if (entry === undefined) out.fill(Number.NaN, at, at + this.rowCount);
    else if (this.#isWhole) this.#decoder.floats(entry, out, at);
    else out.set(this.#scratchFloats(name).subarray(this.#from, this.#to), at);
  }

  ownTimestamps(): Float64Array {
    return this.#scratchTimestamps().slice(this.#from, this.#to);
  }

  ownFloats(name: string): Float64Array {
    return this.#scratchFloats(name).slice(this.#from, this.#to);
  }

  get #isWhole(): boolean {
    return this.rowCount === this.#decoder.rowCount;
  }

  #scratchTimestamps(): Float64Array {
    const { rowCount } = this.#decoder;
    const rows = scratch.ensure(rowCount);
    this.#decoder.timestamps(rows, 0);
    return rows.subarray(0, rowCount);
  }

  #scratchFloats(name: string): Float64Array {
    const rows = scratch.ensure(this.#decoder.rowCount);
    this.#decoder.floats(this.#decoder.entry(name)!, rows, 0);
    return rows;
  }
}

/** Rows that are in memory as numbers. */
class LoosePiece implements Piece {
  readonly #rows: Block;

  constructor(rows: Block) {
    this.#rows = rows;
  }

  get rowCount(): number {
    return this.#rows.timestamps.length;
  }

  isNumeric(): boolean {
    return Object.values(this.#rows.columns).every((column) => column instanceof Float64Array);
  }

  columnNames(): readonly string[] {
    return Object.keys(this.#rows.columns);
  }

  block(): Block {
    return this.#rows;
  }

  timestamps(out: Float64Array, at: number): void {
    out.set(this.#rows.timestamps, at);
  }

  floats(name: string, out: Float64Array, at: number): void {
    const column = this.#rows.columns[name];
    if (column === undefined) out.fill(Number.NaN, at, at + this.rowCount);
    else out.set(column as Float64Array, at);
  }

  ownTimestamps(): Float64Array {
    return this.#rows.timestamps.slice();
  }

  ownFloats(name: string): Float64Array {
    return (this.#rows.columns[name] as Float64Array).slice();
  }
}
