import { assert } from '../../model/assert.ts';
import type { ByteCursor, ByteWriter } from './byte-cursor.ts';
import { CHUNK_ROW_COUNT } from './chunks.ts';
import { decodeIntegers, encodeIntegers } from './integer-series.ts';
import { ScratchColumn } from './scratch-columns.ts';

/** Encodings of the timestamps after the first, which the header has. */
export const STEP = 0;
export const DELTAS = 1;
export const FLOAT64 = 2;

const FLOAT64_SIZE_BYTES = 8;

const deltaScratch = new ScratchColumn();

/**
 * The encoding of ascending timestamps, at least one: FLOAT64 when their span is no safe integer.
 * Asserts that they ascend and are whole.
 */
export function timestampEncoding(timestamps: Float64Array): number {
  const last = timestamps.length - 1;
  if (last === 0) return STEP;
  const spanMs = timestamps[last]! - timestamps[0]!;
  if (isRegular(timestamps) && spanMs <= Number.MAX_SAFE_INTEGER) return STEP;
  let isAscending = true;
  for (let i = 1; i <= last; i++) {
    const delta = timestamps[i]! - timestamps[i - 1]!;
    // Also false for NaN.
    if (!(delta >= 0 && Math.floor(delta) === delta)) isAscending = false;
  }
  assert(isAscending, 'timestamps are ascending whole milliseconds');
  return spanMs <= Number.MAX_SAFE_INTEGER ? DELTAS : FLOAT64;
}

function isRegular(timestamps: Float64Array): boolean {
  const step = timestamps[1]! - timestamps[0]!;
  if (!(step >= 0 && Math.floor(step) === step)) return false;
  for (let from = 2; from < timestamps.length; from += CHUNK_ROW_COUNT) {
    if (!isRegularFrom(timestamps, from, step)) return false;
  }
  return true;
}

/** Looks at one chunk, of which the first row must have one before it. */
function isRegularFrom(timestamps: Float64Array, from: number, step: number): boolean {
  const end = Math.min(from + CHUNK_ROW_COUNT, timestamps.length);
  let previousMs = timestamps[from - 1]!;
  for (let i = from; i < end; i++) {
    const timestampMs = timestamps[i]!;
    if (timestampMs - previousMs !== step) return false;
    previousMs = timestampMs;
  }
  return true;
}

/** Appends what the header does not say. */
export function writeTimestamps(
  writer: ByteWriter,
  timestamps: Float64Array,
  encoding: number,
): void {
  if (encoding === STEP) return;
  if (encoding === FLOAT64) {
    for (const timestamp of timestamps) writer.float64(timestamp);
    return;
  }
  const deltaCount = timestamps.length - 1;
  const deltas = deltaScratch.ensure(deltaCount);
  for (let i = 0; i < deltaCount; i++) deltas[i] = timestamps[i + 1]! - timestamps[i]!;
  encodeIntegers(writer, deltas, deltaCount);
}

/** What a reader of the timestamps takes from the header. */
interface TimestampHeader {
  readonly rowCount: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly timestamps: { readonly encoding: number };
}

/** Decodes the cursor's section into the rows of `out` from `at` on. */
export function decodeTimestamps(
  cursor: ByteCursor,
  { rowCount, firstMs, lastMs, timestamps }: TimestampHeader,
  out: Float64Array,
  at: number,
): void {
  const last = rowCount - 1;
  if (timestamps.encoding === STEP) {
    const stepMs = last === 0 ? 0 : (lastMs - firstMs) / last;
    const rows = out.subarray(at, at + rowCount);
    for (let from = 0; from < rowCount; from += CHUNK_ROW_COUNT) {
      fillSteps(rows, from, firstMs, stepMs);
    }
    return;
  }
  if (timestamps.encoding === FLOAT64) readTimestamps(cursor, out, at, rowCount);
  else {
    out[at] = firstMs;
    decodeIntegers(cursor, out, at + 1, last);
    sumUp(cursor, out, at, rowCount);
  }
  if (out[at] !== firstMs || out[at + last] !== lastMs) {
    throw cursor.corrupt('timestamps do not run from the first to the last of the header');
  }
}

function fillSteps(out: Float64Array, from: number, firstMs: number, stepMs: number): void {
  const end = Math.min(from + CHUNK_ROW_COUNT, out.length);
  for (let i = from; i < end; i++) out[i] = firstMs + i * stepMs;
}

function sumUp(cursor: ByteCursor, out: Float64Array, at: number, rowCount: number): void {
  let timestampMs = out[at]!;
  for (let i = at + 1; i < at + rowCount; i++) {
    const deltaMs = out[i]!;
    if (!(deltaMs >= 0)) throw cursor.corrupt('timestamps descend');
    timestampMs += deltaMs;
    out[i] = timestampMs;
  }
}

function readTimestamps(cursor: ByteCursor, out: Float64Array, at: number, rowCount: number): void {
  let previousMs = Number.NEGATIVE_INFINITY;
  for (let i = at; i < at + rowCount; i++) {
    const timestampMs = cursor.float64();
    if (!(timestampMs >= previousMs) || !Number.isSafeInteger(timestampMs)) {
      throw cursor.corrupt('timestamps descend or are not whole', cursor.position - 1);
    }
    // Without the sign of a zero.
    out[i] = timestampMs + 0;
    previousMs = timestampMs;
  }
}

/** Size of a section of the encoding; NaN when the header must say it. */
export function timestampSizeBytes(encoding: number, rowCount: number): number {
  if (encoding === STEP) return 0;
  return encoding === FLOAT64 ? rowCount * FLOAT64_SIZE_BYTES : Number.NaN;
}
