import type { BlockLayout } from './block-layout.ts';
import type { ByteCursor } from './byte-cursor.ts';
import { readPacked, readVarints } from './integer-packing.ts';

/** Reader of version 1, docs/format/block-v1.md. Encodings of the timestamps between the first and the last, which the header has. */
const STEP = 0;
const PACKED_DELTAS = 1;
const VARINT_DELTAS = 2;
const FLOAT64 = 3;

/** Decodes the timestamps of a block into the rows of `out` from `at` on. */
export function decodeTimestampsV1(
  cursor: ByteCursor,
  layout: BlockLayout,
  out: Float64Array,
  at: number,
): void {
  const { rowCount, firstMs, lastMs, timestamps } = layout;
  const deltaCount = rowCount - 1;
  if (timestamps.encoding === STEP) fillSteps(cursor, layout, out, at);
  else {
    out[at] = firstMs;
    if (timestamps.encoding === PACKED_DELTAS) readPacked(cursor, out, at + 1, deltaCount);
    else if (timestamps.encoding === VARINT_DELTAS) readVarints(cursor, out, at + 1, deltaCount);
    else if (timestamps.encoding === FLOAT64) readTimestamps(cursor, out, at, rowCount);
    else throw cursor.corrupt(`timestamps have the unknown encoding ${timestamps.encoding}`);
    if (timestamps.encoding !== FLOAT64) sumUp(cursor, out, at, rowCount);
  }
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
