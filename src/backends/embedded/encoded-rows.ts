import type { Block } from '../../model/block.ts';
import { encodeBlock, readBlockHeader } from '../codec/block-codec.ts';

/** Rows in the bytes of a block. */
export interface EncodedRows {
  readonly bytes: Uint8Array;
  readonly rowCount: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** What is left of a page of 4 KiB for a value that has pages of its own. */
const PAGE_ROOM_BYTES = 4072;
/** Two values of up to this size share a page; a larger one takes whole pages. */
const SHARED_SIZE_MAX_BYTES = 2004;
/** A value that fills so much of its room is as good as one that fills it. */
const FILL_MIN = 0.88;
/** What is aimed at, so that rows that are a little harder to pack than those before still fit. */
const FILL_AIM = 0.985;
const BYTES_PER_ROW_GUESS = 1;

/** Whether bytes fill half a page, or the pages of their own that they take. */
export function isWellSized(sizeBytes: number): boolean {
  if (sizeBytes <= SHARED_SIZE_MAX_BYTES) return sizeBytes >= SHARED_SIZE_MAX_BYTES * FILL_MIN;
  const pageCount = Math.ceil(sizeBytes / PAGE_ROOM_BYTES);
  return sizeBytes >= pageCount * PAGE_ROOM_BYTES * FILL_MIN;
}

/** @throws {BlockCorrupt} when the bytes are no block. */
export function encodedRows(bytes: Uint8Array, location: string): EncodedRows {
  const { rowCount, firstMs, lastMs } = readBlockHeader(bytes, location);
  return { bytes, rowCount, firstMs, lastMs };
}

/**
 * Encodes rows into blocks of at most the target count whose bytes fill pages, or share one. The
 * number of bytes that a row takes is taken from the block before; `bytesPerRow` is that of rows
 * like the first ones, if it is known.
 */
export function encodeInPages(
  rows: Block,
  { rowCountTarget, bytesPerRow }: { rowCountTarget: number; bytesPerRow?: number | undefined },
): readonly EncodedRows[] {
  const rowCount = rows.timestamps.length;
  const result: EncodedRows[] = [];
  let guess = bytesPerRow ?? BYTES_PER_ROW_GUESS;
  let from = 0;
  while (from < rowCount) {
    const left = rowCount - from;
    let count = pageRowCount(left, { rowCountTarget, bytesPerRow: guess });
    let bytes = encodeBlock(rows, from, from + count);
    guess = bytes.length / count;
    const better = pageRowCount(left, { rowCountTarget, bytesPerRow: guess });
    if (!isWellPlaced(bytes.length, { count, rowCountTarget, left }) && better !== count) {
      count = better;
      bytes = encodeBlock(rows, from, from + count);
      guess = bytes.length / count;
    }
    const { timestamps } = rows;
    const lastMs = timestamps[from + count - 1]!;
    result.push({ bytes, rowCount: count, firstMs: timestamps[from]!, lastMs });
    from += count;
  }
  return result;
}

function isWellPlaced(
  sizeBytes: number,
  { count, rowCountTarget, left }: { count: number; rowCountTarget: number; left: number },
): boolean {
  if (isWellSized(sizeBytes)) return true;
  return sizeBytes <= SHARED_SIZE_MAX_BYTES && (count === left || count === rowCountTarget);
}

/** How many of the rows go into the next block. */
function pageRowCount(
  rowCount: number,
  { rowCountTarget, bytesPerRow }: { rowCountTarget: number; bytesPerRow: number },
): number {
  const most = Math.min(rowCount, rowCountTarget);
  const sizeBytes = most * bytesPerRow;
  if (sizeBytes <= SHARED_SIZE_MAX_BYTES || isWellSized(sizeBytes)) return most;
  const pageCount = Math.floor(sizeBytes / PAGE_ROOM_BYTES);
  if (pageCount > 0) return within(most, (pageCount * PAGE_ROOM_BYTES * FILL_AIM) / bytesPerRow);
  // What is left is too much to share a page and too little to fill one: two blocks share pages.
  const half = Math.ceil(most / 2);
  const shared = (SHARED_SIZE_MAX_BYTES * FILL_AIM) / bytesPerRow;
  return within(most, most === rowCount ? Math.min(half, shared) : shared);
}

function within(most: number, rowCount: number): number {
  return Math.max(1, Math.min(most, Math.floor(rowCount)));
}
