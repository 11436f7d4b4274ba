import { assert } from '../../model/assert.ts';
import type { BlockLayout } from './block-layout.ts';
import type { ByteCursor, ByteWriter } from './byte-cursor.ts';
import {
  packedSizeBytes,
  readPacked,
  readVarints,
  varintsSizeBytes,
  writePacked,
  writeVarints,
} from './integer-packing.ts';
import { ScratchColumn } from './scratch-columns.ts';

/** Encodings of the timestamps between the first and the last, which the header has. */
const STEP = 0;
const PACKED_DELTAS = 1;
const VARINT_DELTAS = 2;
const FLOAT64 = 3;

const deltaScratch = new ScratchColumn();

/** Appends ascending timestamps, at least one, and returns the encoding. */
export function encodeTimestamps(writer: ByteWriter, timestamps: Float64Array): number {
  const deltaCount = timestamps.length - 1;
  if (deltaCount === 0) return STEP;
  if (isRegular(timestamps)) return STEP;
  const deltas = deltaScratch.ensure(deltaCount);
  const deltaMax = computeDeltas(timestamps, deltas);
  if (deltaMax > Number.MAX_SAFE_INTEGER) {
    for (const timestamp of timestamps) writer.float64(timestamp);
    return FLOAT64;
  }
  const packedBytes = packedSizeBytes(deltas, deltaCount);
  if (packedBytes > deltaCount && varintsSizeBytes(deltas, deltaCount) < packedBytes) {
    writeVarints(writer, deltas, deltaCount);
    return VARINT_DELTAS;
  }
  writePacked(writer, deltas, deltaCount);
  return PACKED_DELTAS;
}

function isRegular(timestamps: Float64Array): boolean {
  const step = timestamps[1]! - timestamps[0]!;
  if (!(step >= 0 && Math.floor(step) === step)) return false;
  for (let i = 2; i < timestamps.length; i++) {
    if (timestamps[i]! - timestamps[i - 1]! !== step) return false;
  }
  return timestamps[timestamps.length - 1]! - timestamps[0]! <= Number.MAX_SAFE_INTEGER;
}

/** Fills `deltas` and returns the largest. */
function computeDeltas(timestamps: Float64Array, deltas: Float64Array): number {
  let deltaMax = 0;
  let isAscending = true;
  for (let i = 1; i < timestamps.length; i++) {
    const delta = timestamps[i]! - timestamps[i - 1]!;
    deltas[i - 1] = delta;
    if (delta > deltaMax) deltaMax = delta;
    // Also false for NaN, which no comparison above notices.
    if (!(delta >= 0 && Math.floor(delta) === delta)) isAscending = false;
  }
  assert(isAscending, 'timestamps are ascending whole milliseconds');
  return deltaMax;
}

/** Decodes the timestamps of a block into the rows of `out` from `at` on. */
export function decodeTimestamps(
  cursor: ByteCursor,
  layout: BlockLayout,
  out: Float64Array,
  at: number,
): void {
  const { rowCount, firstMs, lastMs, timestamps } = layout;
  const deltaCount = rowCount - 1;
  cursor.open(timestamps.offset, timestamps.sizeBytes);
  if (timestamps.encoding === STEP) fillSteps(cursor, layout, out, at);
  else {
    out[at] = firstMs;
    if (timestamps.encoding === PACKED_DELTAS) readPacked(cursor, out, at + 1, deltaCount);
    else if (timestamps.encoding === VARINT_DELTAS) readVarints(cursor, out, at + 1, deltaCount);
    else if (timestamps.encoding === FLOAT64) readTimestamps(cursor, out, at, rowCount);
    else throw cursor.corrupt(`timestamps have the unknown encoding ${timestamps.encoding}`);
    if (timestamps.encoding !== FLOAT64) sumUp(cursor, out, at, rowCount);
  }
  cursor.expectEnd();
  if (out[at] !== firstMs || out[at + deltaCount] !== lastMs) {
    throw cursor.corrupt('timestamps do not run from the first to the last of the header');
  }
}

function fillSteps(
  cursor: ByteCursor,
  { rowCount, firstMs, lastMs }: BlockLayout,
  out: Float64Array,
  at: number,
): void {
  const spanMs = lastMs - firstMs;
  const stepMs = rowCount === 1 ? 0 : spanMs / (rowCount - 1);
  if (!Number.isSafeInteger(stepMs) || spanMs > Number.MAX_SAFE_INTEGER) {
    throw cursor.corrupt('timestamps have no whole step');
  }
  for (let i = 0; i < rowCount; i++) out[at + i] = firstMs + i * stepMs;
}

function sumUp(cursor: ByteCursor, out: Float64Array, at: number, rowCount: number): void {
  let timestampMs = out[at]!;
  for (let i = at + 1; i < at + rowCount; i++) {
    const deltaMs = out[i]!;
    if (deltaMs < 0) throw cursor.corrupt('timestamps descend');
    timestampMs += deltaMs;
    out[i] = timestampMs;
  }
}

function readTimestamps(cursor: ByteCursor, out: Float64Array, at: number, rowCount: number): void {
  let previousMs = Number.NEGATIVE_INFINITY;
  for (let i = at; i < at + rowCount; i++) {
    const timestampMs = cursor.float64();
    if (!(timestampMs >= previousMs) || !Number.isSafeInteger(timestampMs)) {
      throw cursor.corrupt('timestamps descend or are not whole', cursor.position - 8);
    }
    out[i] = timestampMs;
    previousMs = timestampMs;
  }
}
