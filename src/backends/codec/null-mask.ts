import type { ByteCursor, ByteWriter } from './byte-cursor.ts';
import { decodeIntegers, encodeIntegers } from './integer-series.ts';

/** Which rows have a value: a bitmap, or the lengths of runs where these are long. */
const RUN_BITS_OTHER = 3;
const RUNS_BITS_LEAST = 48;

/** Appends the mask of a column of which some values, but not all, are NaN. */
export function writeMask(writer: ByteWriter, column: Float64Array): void {
  const runCount = countRuns(column);
  const runBits = RUN_BITS_OTHER + Math.log2(column.length / runCount);
  if (RUNS_BITS_LEAST + runCount * runBits < column.length) {
    const runs = runsOf(column, runCount);
    writer.uvarint(runCount);
    encodeIntegers(writer, runs, runCount);
  } else {
    writer.uvarint(0);
    writeBitmap(writer, column);
  }
}

/** Runs of rows with and without value, by turns; the first one has values, and may be empty. */
function countRuns(column: Float64Array): number {
  let runCount = 1;
  let isPresent = true;
  for (let i = 0; i < column.length; i++) {
    if (!Number.isNaN(column[i]) === isPresent) continue;
    isPresent = !isPresent;
    runCount++;
  }
  return runCount;
}

function runsOf(column: Float64Array, runCount: number): Float64Array {
  const runs = new Float64Array(runCount);
  let run = 0;
  let isPresent = true;
  for (let i = 0; i < column.length; i++) {
    if (!Number.isNaN(column[i]) !== isPresent) {
      isPresent = !isPresent;
      run++;
    }
    runs[run]!++;
  }
  return runs;
}

function writeBitmap(writer: ByteWriter, column: Float64Array): void {
  const sizeBytes = (column.length + 7) >>> 3;
  writer.reserve(sizeBytes);
  const { bytes, position } = writer;
  bytes.fill(0, position, position + sizeBytes);
  for (let i = 0; i < column.length; i++) {
    if (!Number.isNaN(column[i])) bytes[position + (i >>> 3)]! |= 1 << (i & 7);
  }
  writer.position = position + sizeBytes;
}

/** A mask that was read. */
export interface Mask {
  /** Rows with a value: some, but not all. */
  readonly presentCount: number;
  /** Lengths of the runs; null when there is a bitmap instead. */
  readonly runs: Float64Array | null;
  readonly bitmapOffset: number;
}

export function readMask(cursor: ByteCursor, rowCount: number): Mask {
  const offset = cursor.position;
  const runCount = cursor.uvarint();
  if (runCount > rowCount + 1) throw cursor.corrupt('a null mask has too many runs', offset);
  const mask = runCount === 0 ? readBitmap(cursor, rowCount) : readRuns(cursor, runCount, rowCount);
  if (mask.presentCount === 0 || mask.presentCount === rowCount) {
    throw cursor.corrupt('a null mask is uniform', offset);
  }
  return mask;
}

function readBitmap(cursor: ByteCursor, rowCount: number): Mask {
  const bitmapOffset = cursor.take((rowCount + 7) >>> 3);
  const { bytes } = cursor;
  let presentCount = 0;
  for (let i = 0; i < rowCount; i++) {
    presentCount += (bytes[bitmapOffset + (i >>> 3)]! >>> (i & 7)) & 1;
  }
  return { presentCount, runs: null, bitmapOffset };
}

function readRuns(cursor: ByteCursor, runCount: number, rowCount: number): Mask {
  const offset = cursor.position;
  const runs = new Float64Array(runCount);
  decodeIntegers(cursor, runs, 0, runCount);
  let presentCount = 0;
  let covered = 0;
  for (let run = 0; run < runCount; run++) {
    const length = runs[run]!;
    if (!(length >= 0 && length <= rowCount)) {
      throw cursor.corrupt('a run of a null mask is impossible', offset);
    }
    covered += length;
    if (run % 2 === 0) presentCount += length;
  }
  if (covered !== rowCount) throw cursor.corrupt('a null mask is not of all rows', offset);
  return { presentCount, runs, bitmapOffset: 0 };
}

/** Moves the values at the front of the rows to where the mask has them; from the end, in place. */
export function spreadByMask(
  { bytes }: ByteCursor,
  { presentCount, runs, bitmapOffset }: Mask,
  out: Float64Array,
  { at, rowCount }: { readonly at: number; readonly rowCount: number },
): void {
  let from = at + presentCount;
  if (runs === null) {
    for (let i = rowCount - 1; i >= 0; i--) {
      const isPresent = ((bytes[bitmapOffset + (i >>> 3)]! >>> (i & 7)) & 1) === 1;
      out[at + i] = isPresent ? out[--from]! : Number.NaN;
    }
    return;
  }
  let end = at + rowCount;
  for (let run = runs.length - 1; run >= 0; run--) {
    const start = end - runs[run]!;
    if (run % 2 === 1) out.fill(Number.NaN, start, end);
    else {
      from -= end - start;
      out.copyWithin(start, from, from + (end - start));
    }
    end = start;
  }
}
