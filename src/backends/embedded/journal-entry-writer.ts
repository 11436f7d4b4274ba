import { crc32 } from 'node:zlib';
import { assert } from '../../model/assert.ts';
import type { Block } from '../../model/block.ts';
import { TIME_MAX_MS } from '../../model/time-range.ts';
import { encodeBlock } from '../codec/block-codec.ts';
import { ColumnDirectories } from './column-directories.ts';
import type { EncodedRows } from './encoded-rows.ts';
import type { BucketRows, LevelPlace, TickRows } from './journal-entry.ts';
import {
  ADVANCE,
  ADVANCE_SIZE_BYTES,
  BLOCKS,
  BLOCKS_HEADER_SIZE_BYTES,
  BUCKET,
  BUCKET_HEADER_SIZE_BYTES,
  CHECKSUM_OFFSET,
  DELETED,
  FLAGS_OFFSET,
  HEADER_SIZE_BYTES,
  JOURNAL_ENTRY_VERSION,
  MAGIC,
  OP_HEADER_SIZE_BYTES,
  PLACE_SIZE_BYTES,
  PLAIN_HEADER_SIZE_BYTES,
  PLAIN_ROWS,
  padded,
  RECORD,
  ROWS,
  RUN,
  RUN_HEADER_SIZE_BYTES,
  SEALED,
  TICK,
  TICK_HEADER_SIZE_BYTES,
  TOUCH,
  UNCHECKED,
} from './journal-entry-layout.ts';
import { uniformCell } from './uniform-cell.ts';

/** Gathers what one commit did into the bytes of its journal entry. */
export class JournalEntryWriter {
  #bytes: Uint8Array = new Uint8Array(1 << 14);
  #view: DataView = new DataView(this.#bytes.buffer);
  #sizeBytes = HEADER_SIZE_BYTES;
  /** The list of ordinals that was looked at last, and whether they follow each other. */
  #latest: { readonly ordinals: Uint32Array; readonly isRun: boolean } | null = null;
  readonly #directories = new ColumnDirectories();

  get isEmpty(): boolean {
    return this.#sizeBytes === HEADER_SIZE_BYTES;
  }

  /** Forgets what was gathered. */
  reset(): void {
    this.#sizeBytes = HEADER_SIZE_BYTES;
  }

  tick({ timestampMs, level, ordinals, values }: TickRows): void {
    const count = ordinals.length;
    assert(count > 0 && values.length === count, 'a journaled tick has a value for each stream');
    const isRun = this.#isRun(ordinals);
    const headerSizeBytes = isRun ? RUN_HEADER_SIZE_BYTES : TICK_HEADER_SIZE_BYTES;
    const at = this.#op(isRun ? RUN : TICK, headerSizeBytes + count * (isRun ? 8 : 12));
    this.#view.setFloat64(at, timestampMs, true);
    this.#view.setUint32(at + 8, count, true);
    this.#view.setUint32(at + 12, level, true);
    const { buffer } = this.#bytes;
    const valuesAt = at + headerSizeBytes;
    new Float64Array(buffer, valuesAt, count).set(values);
    if (isRun) {
      this.#view.setUint32(at + 16, ordinals[0]!, true);
      this.#view.setUint32(at + 20, 0, true);
    } else {
      new Uint32Array(buffer, valuesAt + count * 8, count).set(ordinals);
    }
  }

  bucket({ startMs, untilMs, level, ordinals, columns }: BucketRows): void {
    const count = ordinals.length;
    assert(count > 0, 'a journaled bucket has streams');
    const isRun = this.#isRun(ordinals);
    const directory = this.#directories.of(columns);
    let cellCount = 0;
    for (const cells of columns.values()) cellCount += typeof cells === 'number' ? 1 : count;
    const sizeBytes =
      BUCKET_HEADER_SIZE_BYTES + directory.length + cellCount * 8 + (isRun ? 0 : count * 4);
    const at = this.#op(BUCKET, sizeBytes);
    this.#view.setFloat64(at, startMs, true);
    this.#view.setFloat64(at + 8, untilMs, true);
    this.#view.setUint32(at + 16, count, true);
    this.#view.setUint16(at + 20, level, true);
    this.#view.setUint16(at + 22, isRun ? 1 : 0, true);
    this.#view.setUint32(at + 24, isRun ? ordinals[0]! : 0, true);
    this.#view.setUint16(at + 28, columns.size, true);
    this.#view.setUint16(at + 30, directory.length, true);
    let cellsAt = at + BUCKET_HEADER_SIZE_BYTES;
    this.#bytes.set(directory, cellsAt);
    cellsAt += directory.length;
    for (const cells of columns.values()) cellsAt = this.#cells(cellsAt, cells);
    if (!isRun) new Uint32Array(this.#bytes.buffer, cellsAt, count).set(ordinals);
  }

  blocks(place: LevelPlace, blocks: readonly EncodedRows[]): void {
    let sizeBytes = BLOCKS_HEADER_SIZE_BYTES + blocks.length * 4;
    for (const { bytes } of blocks) sizeBytes += bytes.length;
    const at = this.#op(BLOCKS, sizeBytes);
    this.#place(at, place);
    this.#view.setUint32(at + 8, blocks.length, true);
    this.#view.setUint32(at + 12, 0, true);
    let sizeAt = at + BLOCKS_HEADER_SIZE_BYTES;
    let bytesAt = sizeAt + blocks.length * 4;
    for (const { bytes } of blocks) {
      this.#view.setUint32(sizeAt, bytes.length, true);
      this.#bytes.set(bytes, bytesAt);
      sizeAt += 4;
      bytesAt += bytes.length;
    }
  }

  advance(place: LevelPlace, untilMs: number): void {
    const at = this.#op(ADVANCE, ADVANCE_SIZE_BYTES);
    this.#place(at, place);
    this.#view.setFloat64(at + PLACE_SIZE_BYTES, untilMs, true);
  }

  rows(place: LevelPlace, block: Block): void {
    if (hasNumbersOnly(block)) this.#plainRows(place, block);
    else this.#encodedRows(place, block);
  }

  #encodedRows(place: LevelPlace, block: Block): void {
    const bytes = encodeBlock(block);
    const at = this.#op(ROWS, PLACE_SIZE_BYTES + bytes.length);
    this.#place(at, place);
    this.#bytes.set(bytes, at + PLACE_SIZE_BYTES);
  }

  #plainRows(place: LevelPlace, { timestamps, columns }: NumberBlock): void {
    const rowCount = timestamps.length;
    const stepMs = regularStepMs(timestamps);
    const cells = new Map<string, Float64Array | number>();
    let cellCount = stepMs === null ? rowCount : 2;
    for (const [name, column] of Object.entries(columns)) {
      assert(column.length === rowCount, 'columns are as long as the timestamps');
      const cell = uniformCell(column);
      cells.set(name, cell ?? column);
      cellCount += cell === null ? rowCount : 1;
    }
    const directory = this.#directories.of(cells);
    const at = this.#op(PLAIN_ROWS, PLAIN_HEADER_SIZE_BYTES + directory.length + cellCount * 8);
    this.#place(at, place);
    this.#view.setUint32(at + 8, rowCount, true);
    this.#view.setUint16(at + 12, cells.size, true);
    this.#view.setUint16(at + 14, directory.length, true);
    this.#view.setUint32(at + 16, stepMs === null ? 0 : 1, true);
    this.#view.setUint32(at + 20, 0, true);
    this.#bytes.set(directory, at + PLAIN_HEADER_SIZE_BYTES);
    let cellsAt = at + PLAIN_HEADER_SIZE_BYTES + directory.length;
    if (stepMs === null) {
      cellsAt = this.#cells(cellsAt, timestamps);
    } else {
      cellsAt = this.#cells(cellsAt, timestamps[0]!);
      cellsAt = this.#cells(cellsAt, stepMs);
    }
    for (const column of cells.values()) cellsAt = this.#cells(cellsAt, column);
  }

  sealed(places: readonly LevelPlace[]): void {
    this.#places(SEALED, places);
  }

  touch(places: readonly LevelPlace[]): void {
    this.#places(TOUCH, places);
  }

  record(ordinals: readonly number[]): void {
    this.#ordinals(RECORD, ordinals);
  }

  deleted(ordinals: readonly number[]): void {
    this.#ordinals(DELETED, ordinals);
  }

  /**
   * The finished entry, without a checksum of its own, valid until the next call of this writer.
   */
  finish(): Uint8Array {
    assert(!this.isEmpty, 'a journal entry says something');
    const { buffer } = this.#bytes;
    this.#view.setUint16(0, MAGIC, true);
    this.#view.setUint8(2, JOURNAL_ENTRY_VERSION);
    this.#view.setUint8(FLAGS_OFFSET, UNCHECKED);
    this.#view.setUint32(CHECKSUM_OFFSET, 0, true);
    return new Uint8Array(buffer, 0, this.#sizeBytes);
  }

  /** The lists of cohorts are never written to: the same one is looked at once. */
  #isRun(ordinals: Uint32Array): boolean {
    if (this.#latest?.ordinals !== ordinals) {
      this.#latest = { ordinals, isRun: isConsecutive(ordinals) };
    }
    return this.#latest.isRun;
  }

  #places(kind: number, places: readonly LevelPlace[]): void {
    if (places.length === 0) return;
    let at = this.#op(kind, places.length * PLACE_SIZE_BYTES);
    for (const place of places) {
      this.#place(at, place);
      at += PLACE_SIZE_BYTES;
    }
  }

  #place(at: number, { ordinal, level }: LevelPlace): void {
    this.#view.setUint32(at, ordinal, true);
    this.#view.setUint32(at + 4, level, true);
  }

  #ordinals(kind: number, ordinals: readonly number[]): void {
    if (ordinals.length === 0) return;
    let at = this.#op(kind, ordinals.length * 4);
    for (const ordinal of ordinals) {
      this.#view.setUint32(at, ordinal, true);
      at += 4;
    }
  }

  /** Writes a column, or the cell that is all of it, and gives the offset behind it. */
  #cells(at: number, cells: Float64Array | number): number {
    if (typeof cells === 'number') {
      this.#view.setFloat64(at, cells, true);
      return at + 8;
    }
    new Float64Array(this.#bytes.buffer, at, cells.length).set(cells);
    return at + cells.length * 8;
  }

  /** Writes the header of an op and gives the offset of its payload, on a multiple of 8. */
  #op(kind: number, payloadSizeBytes: number): number {
    const at = this.#sizeBytes;
    const payloadAt = at + OP_HEADER_SIZE_BYTES;
    const end = payloadAt + padded(payloadSizeBytes);
    this.#reserve(end);
    this.#view.setUint32(at, kind, true);
    this.#view.setUint32(at + 4, payloadSizeBytes, true);
    this.#bytes.fill(0, payloadAt + payloadSizeBytes, end);
    this.#sizeBytes = end;
    return payloadAt;
  }

  #reserve(sizeBytes: number): void {
    if (sizeBytes <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(sizeBytes, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#sizeBytes));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** Gives an entry its checksum, in place: it will stand where nothing else vouches for it. */
export function checkEntry(entry: Uint8Array): void {
  entry[FLAGS_OFFSET]! &= ~UNCHECKED;
  const view = new DataView(entry.buffer, entry.byteOffset, entry.length);
  view.setUint32(CHECKSUM_OFFSET, crc32(entry.subarray(HEADER_SIZE_BYTES)), true);
}

/** A block without JSON values. */
export interface NumberBlock extends Block {
  readonly columns: Readonly<Record<string, Float64Array>>;
}

export function hasNumbersOnly(block: Block): block is NumberBlock {
  return Object.values(block.columns).every((column) => column instanceof Float64Array);
}

/**
 * The time from each row to the next; null when it differs. Asserts what blocks ask of timestamps: once
 * they are journaled, sealing must not fail.
 */
function regularStepMs(timestamps: Float64Array): number | null {
  const firstMs = timestamps[0]!;
  const last = timestamps.length - 1;
  const stepMs = last === 0 ? 0 : timestamps[1]! - firstMs;
  let isRegular = true;
  let isValid = Math.abs(firstMs) <= TIME_MAX_MS && Math.abs(timestamps[last]!) <= TIME_MAX_MS;
  isValid &&= Math.floor(firstMs) === firstMs;
  for (let row = 1; row <= last; row++) {
    const deltaMs = timestamps[row]! - timestamps[row - 1]!;
    if (deltaMs !== stepMs) isRegular = false;
    // Also false for NaN.
    if (!(deltaMs >= 0 && Math.floor(deltaMs) === deltaMs)) isValid = false;
  }
  assert(isValid, 'timestamps are ascending whole milliseconds that a date can have');
  return isRegular ? stepMs : null;
}

function isConsecutive(ordinals: Uint32Array): boolean {
  const first = ordinals[0]!;
  for (let i = 1; i < ordinals.length; i++) if (ordinals[i] !== first + i) return false;
  return true;
}
