import { lowerBound } from '../../model/block.ts';
import type { TimeRange } from '../../model/time-range.ts';
import type { SkippedRows } from '../backend.ts';
import { BlockDecoder } from '../codec/block-decoder.ts';
import type { BlockStore } from './block-store.ts';
import type { EncodedRows } from './encoded-rows.ts';
import type { LevelPlace } from './journal-entry.ts';
import type { LevelState } from './level-state.ts';
import { isLoose, rowsIn } from './tail.ts';

export interface SkipOptions {
  readonly range: TimeRange;
  readonly rowCountMax: number;
  readonly isReverse: boolean;
  /** Has the rows behind all blocks; null when there are none. */
  readonly state: LevelState | null;
}

/** Rows of the range that stand together. */
interface Piece {
  readonly rowCount: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * Passes over rows by what blocks say of themselves: as many as there are whole blocks for. Only those at
 * the rim of the range are looked into.
 */
export function skipLevelRows(
  blocks: BlockStore,
  level: LevelPlace,
  options: SkipOptions,
): SkippedRows {
  const { range, rowCountMax, isReverse } = options;
  let skipped: SkippedRows = { rowCount: 0, rest: range };
  let rowCount = 0;
  /** Timestamp of the last row that was passed. */
  let passedMs: number | null = null;
  for (const piece of pieces(blocks, level, options)) {
    if (piece.rowCount === 0) continue;
    const nextMs = isReverse ? piece.lastMs : piece.firstMs;
    // Only between two timestamps can the range be cut.
    if (nextMs !== passedMs) skipped = { rowCount, rest: restFrom(nextMs, options) };
    if (rowCount + piece.rowCount > rowCountMax) return skipped;
    rowCount += piece.rowCount;
    passedMs = isReverse ? piece.firstMs : piece.lastMs;
  }
  return { rowCount, rest: null };
}

function restFrom(nextMs: number, { range, isReverse }: SkipOptions): TimeRange {
  return isReverse
    ? { startMs: range.startMs, endMs: nextMs + 1 }
    : { startMs: nextMs, endMs: range.endMs };
}

function* pieces(blocks: BlockStore, level: LevelPlace, options: SkipOptions): Generator<Piece> {
  if (options.isReverse) {
    yield* pendingPieces(options);
    yield* storedPieces(blocks, level, options);
  } else {
    yield* storedPieces(blocks, level, options);
    yield* pendingPieces(options);
  }
}

function* storedPieces(
  blocks: BlockStore,
  level: LevelPlace,
  options: SkipOptions,
): Generator<Piece> {
  const { range, state } = options;
  if (state?.mayHaveBlocks(range.startMs) === false) return;
  for (const stored of blocks.inRange(level, options)) {
    const { rowCount, firstMs, lastMs } = blocks.header(stored);
    const { bytes, place } = stored;
    yield encodedPiece({ bytes, rowCount, firstMs, lastMs }, range, () => blocks.locate(place));
  }
}

function* pendingPieces({ range, state, isReverse }: SkipOptions): Generator<Piece> {
  const parts = state === null ? [] : state.pendingParts(range);
  for (const part of isReverse ? parts.reverse() : parts) {
    yield isLoose(part)
      ? pieceOf(rowsIn(part, range, NO_COLUMNS).timestamps)
      : encodedPiece(part, range, () => 'a block of the journal');
  }
}

const NO_COLUMNS: readonly string[] = [];

function encodedPiece(rows: EncodedRows, range: TimeRange, location: () => string): Piece {
  if (rows.firstMs >= range.startMs && rows.lastMs < range.endMs) return rows;
  const timestamps = new Float64Array(rows.rowCount);
  new BlockDecoder(rows.bytes, location).timestamps(timestamps, 0);
  const from = lowerBound(timestamps, range.startMs);
  return pieceOf(timestamps.subarray(from, lowerBound(timestamps, range.endMs)));
}

function pieceOf(timestamps: Float64Array): Piece {
  const rowCount = timestamps.length;
  if (rowCount === 0) return { rowCount, firstMs: 0, lastMs: 0 };
  return { rowCount, firstMs: timestamps[0]!, lastMs: timestamps[rowCount - 1]! };
}
