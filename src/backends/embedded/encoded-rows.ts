import type { Block } from '../../model/block.ts';
import { encodeBlock, encodeDraft, isDraft, readBlockHeader } from '../codec/block-codec.ts';
import { type LeafRoom, SHARED_SIZE_MAX_BYTES } from './leaf-room.ts';

/** Rows in the bytes of a block. */
export interface EncodedRows {
  readonly bytes: Uint8Array;
  readonly rowCount: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Whether sealing is to encode the rows again; it is not unless this says so. */
  readonly isDraft?: boolean;
}

/** What is left of a page of 4 KiB for a value that has pages of its own. */
const PAGE_ROOM_BYTES = 4072;
/** A value that fills so much of its room is as good as one that fills it. */
const FILL_MIN = 0.88;
/** What is aimed at, so that rows that are a little harder to pack than those before still fit. */
const FILL_AIM = 0.985;
const BYTES_PER_ROW_GUESS = 1;
/**
 * Rows that are encoded to learn how many bytes such rows take, when no block before says so. Fewer
 * rows are tried as one block.
 */
const SAMPLE_ROW_COUNT = 256;
/** What a block costs beside its rows, and each of its columns. */
const BLOCK_COST_BYTES = 24;
const COLUMN_COST_BYTES = 14;
/** So much room may be left unused before a block is encoded again. */
const SLACK_BYTES = 80;
/** So much of the room is aimed at. */
const FIT_AIM = 0.985;
/** More attempts cost more time than they save room. */
const ATTEMPT_COUNT_MAX = 3;

/** Whether bytes fill half a page, or the pages of their own that they take. */
export function isWellSized(sizeBytes: number): boolean {
  if (sizeBytes <= SHARED_SIZE_MAX_BYTES) return sizeBytes >= SHARED_SIZE_MAX_BYTES * FILL_MIN;
  const pageCount = Math.ceil(sizeBytes / PAGE_ROOM_BYTES);
  return sizeBytes >= pageCount * PAGE_ROOM_BYTES * FILL_MIN;
}

/** @throws {BlockCorrupt} when the bytes are no block. */
export function encodedRows(bytes: Uint8Array, location: string): EncodedRows {
  const { rowCount, firstMs, lastMs } = readBlockHeader(bytes, location);
  return { bytes, rowCount, firstMs, lastMs, isDraft: isDraft(bytes, location) };
}

/** Encodes rows into drafts of at most the target count, and of about as many rows each. */
export function encodeDrafts(rows: Block, rowCountTarget: number): readonly EncodedRows[] {
  const { timestamps } = rows;
  const draftCount = Math.ceil(timestamps.length / rowCountTarget);
  const result: EncodedRows[] = [];
  for (let i = 0; i < draftCount; i++) {
    const from = Math.floor((timestamps.length * i) / draftCount);
    const to = Math.floor((timestamps.length * (i + 1)) / draftCount);
    const bytes = encodeDraft(rows, from, to);
    const firstMs = timestamps[from]!;
    result.push({
      bytes,
      rowCount: to - from,
      firstMs,
      lastMs: timestamps[to - 1]!,
      isDraft: true,
    });
  }
  return result;
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
    let block = encodedSlice(rows, from, count);
    guess = block.bytes.length / count;
    const better = pageRowCount(left, { rowCountTarget, bytesPerRow: guess });
    if (!isWellPlaced(block.bytes.length, { count, rowCountTarget, left }) && better !== count) {
      count = better;
      block = encodedSlice(rows, from, count);
      guess = block.bytes.length / count;
    }
    result.push(block);
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

/**
 * Encodes rows into blocks of at most the target count that fill the room behind the last block, and
 * the pages after it. Each block is to be noted in `room` before the next one is asked for.
 */
export function* encodeIntoRoom(
  rows: Block,
  options: { rowCountTarget: number; bytesPerRow?: number | undefined; room: LeafRoom },
): Generator<EncodedRows> {
  const { rowCountTarget, room } = options;
  const rowCount = rows.timestamps.length;
  const costBytes = BLOCK_COST_BYTES + COLUMN_COST_BYTES * Object.keys(rows.columns).length;
  let guess = options.bytesPerRow ?? (rowCount > SAMPLE_ROW_COUNT ? sampled(rows, costBytes) : 0);
  for (let from = 0; from < rowCount; ) {
    const most = Math.min(rowCount - from, rowCountTarget);
    const sizeMaxBytes = room.valueSizeMaxBytes;
    const block = fitted(rows, { from, most, sizeMaxBytes, costBytes, bytesPerRow: guess });
    guess = netBytesPerRow(block.bytes.length, block.rowCount, costBytes);
    yield block;
    from += block.rowCount;
  }
}

/** Bytes that a row takes in a block of many, about. */
function sampled(rows: Block, costBytes: number): number {
  const sizeBytes = encodeBlock(rows, 0, SAMPLE_ROW_COUNT).length;
  return netBytesPerRow(sizeBytes, SAMPLE_ROW_COUNT, costBytes);
}

function netBytesPerRow(sizeBytes: number, rowCount: number, costBytes: number): number {
  return Math.max(sizeBytes - costBytes, 1) / rowCount;
}

interface Fit {
  readonly from: number;
  /** Rows at most. */
  readonly most: number;
  /** A block of one row may be larger. */
  readonly sizeMaxBytes: number;
  readonly costBytes: number;
  readonly bytesPerRow: number;
}

/** The next block: one that fits, and is seldom smaller than needed. */
function fitted(
  rows: Block,
  { from, most, sizeMaxBytes, costBytes, bytesPerRow }: Fit,
): EncodedRows {
  let count = fittingRowCount(most, { sizeMaxBytes, costBytes, bytesPerRow });
  let best: EncodedRows | null = null;
  for (let attempt = 1; ; attempt++) {
    const block = encodedSlice(rows, from, count);
    const sizeBytes = block.bytes.length;
    const isFitting = sizeBytes <= sizeMaxBytes;
    if (isFitting) best = block;
    const isGood = isFitting && (count === most || sizeBytes >= sizeMaxBytes - SLACK_BYTES);
    const isLast = attempt >= ATTEMPT_COUNT_MAX || count === 1 || (best !== null && !isFitting);
    if (isGood || isLast) return best ?? block;
    const guess = netBytesPerRow(sizeBytes, count, costBytes);
    const better = fittingRowCount(most, { sizeMaxBytes, costBytes, bytesPerRow: guess });
    if (isFitting && better <= count) return block;
    count = isFitting ? better : Math.min(better, count - 1);
  }
}

function fittingRowCount(
  most: number,
  { sizeMaxBytes, costBytes, bytesPerRow }: Pick<Fit, 'sizeMaxBytes' | 'costBytes' | 'bytesPerRow'>,
): number {
  if (costBytes + most * bytesPerRow <= sizeMaxBytes) return most;
  return within(most, (sizeMaxBytes * FIT_AIM - costBytes) / bytesPerRow);
}

function encodedSlice(rows: Block, from: number, rowCount: number): EncodedRows {
  const to = from + rowCount;
  const { timestamps } = rows;
  const bytes = encodeBlock(rows, from, to);
  return {
    bytes,
    rowCount,
    firstMs: timestamps[from]!,
    lastMs: timestamps[to - 1]!,
    isDraft: false,
  };
}
