import { type ByteCursor, type ByteWriter, svarintSizeBytes } from './byte-cursor.ts';
import { planEntropyCoding, readEntropyCoded, writeEntropyCoded } from './entropy-coding.ts';
import {
  estimatePackedSizeBytes,
  readPacked,
  readVarints,
  typicalValue,
  varintsSizeBytes,
  writePacked,
  writeVarints,
} from './integer-packing.ts';
import {
  residualBounds as bounds,
  choosePredictor,
  computeResiduals,
  DELTA,
  leadCount,
  NO_PREDICTION,
  PREDICTOR_MAX,
  type RestoredRows,
  restoreIntegers,
} from './predictors.ts';
import { rangedSizeBytes, readRanged, writeRanged } from './ranged-integers.ts';
import { ScratchColumn } from './scratch-columns.ts';

/**
 * A series of safe integers, predicted from each other and with the residuals in the smallest of the
 * forms below. Everything in a block that varies is made of such series. Format: docs/format/block.md.
 */
const CONSTANT = 0;
const PACKED = 1;
const VARINTS = 2;
const RANGED = 3;
const ENTROPY = 4;
const SPARSE = 5;
const CODING_MASK = 0x07;
const PREDICTOR_SHIFT = 3;
const PREDICTOR_MASK = 0x0f;
/** Set when all residuals are multiples of a unit, which follows. */
const UNIT_FLAG = 0x80;

/** Of the residuals of a sparse series, at most this share differs from the typical one. */
const SPARSE_DIVISOR = 4;
/** Shorter series do not pay for a table of code lengths. */
const ENTROPY_COUNT_MIN = 48;
/** What a slower form must save against bit packing. */
const SLOWER_RATIO = 0.98;
/** Bytes a row of the best form above which varints are tried. */
const VARINT_TRIAL_RATIO = 1.25;
/** Residuals whose greatest common divisor is looked for before all are checked for it. */
const UNIT_SAMPLE_COUNT = 6;
const TWO_POW_31: number = 2 ** 31;

const residualScratch = new ScratchColumn();

/** Appends the first `count` integers. A series without integers takes no bytes. */
export function encodeIntegers(writer: ByteWriter, integers: Float64Array, count: number): void {
  if (count > 0) encodePredicted(writer, integers, count, choosePredictor(integers, count));
}

/** The same for integers, at least one, that say nothing about each other. */
export function encodeNoise(writer: ByteWriter, integers: Float64Array, count: number): void {
  encodePredicted(writer, integers, count, NO_PREDICTION);
}

/**
 * The same by differences that are bit-packed, whatever would be the smallest: quick to write. False, and
 * nothing is appended, when the differences are too large for that.
 */
export function encodeDeltas(writer: ByteWriter, integers: Float64Array, count: number): boolean {
  const deltas = residualScratch.ensure(count);
  if (count < 2 || !computeResiduals(integers, count, DELTA, deltas)) return false;
  if (bounds.max - bounds.min > Number.MAX_SAFE_INTEGER) return false;
  writer.u8(PACKED | (DELTA << PREDICTOR_SHIFT));
  writer.svarint(integers[0]!);
  writePacked(writer, deltas, count - 1);
  return true;
}

/** Whether `encodeDeltas` may have written the series at the offset. */
export function isPackedDeltas(bytes: Uint8Array, offset: number): boolean {
  return bytes[offset] === (PACKED | (DELTA << PREDICTOR_SHIFT));
}

function encodePredicted(
  writer: ByteWriter,
  integers: Float64Array,
  count: number,
  wanted: number,
): void {
  const residuals = residualScratch.ensure(count);
  let predictor = wanted;
  if (!computeResiduals(integers, count, predictor, residuals)) {
    predictor = computeResiduals(integers, count, DELTA, residuals) ? DELTA : NO_PREDICTION;
    if (predictor === NO_PREDICTION) computeResiduals(integers, count, predictor, residuals);
  }
  const lead = leadCount(predictor);
  const residualCount = count - lead;
  const unit = divideByUnit(residuals, residualCount);
  const controlPosition = writer.position;
  writer.u8(0);
  if (unit > 1) writer.uvarint(unit);
  if (lead > 0) writer.svarint(integers[0]!);
  if (lead > 1) writer.svarint(integers[1]! - integers[0]!);
  const coding = writeResiduals(writer, residuals, residualCount);
  writer.bytes[controlPosition] =
    coding | (predictor << PREDICTOR_SHIFT) | (unit > 1 ? UNIT_FLAG : 0);
}

/** Divides by the greatest common divisor when a look at a few residuals promises one, and returns it. */
function divideByUnit(residuals: Float64Array, count: number): number {
  let unit = 0;
  for (let i = 0; i < count && i < UNIT_SAMPLE_COUNT && unit !== 1; i++) {
    unit = greatestCommonDivisor(unit, Math.abs(residuals[i]!));
  }
  if (unit <= 1) return 1;
  for (let i = UNIT_SAMPLE_COUNT; i < count && unit > 1; i++) {
    const residual = residuals[i]!;
    if (Math.round(residual / unit) * unit !== residual) {
      unit = greatestCommonDivisor(unit, Math.abs(residual));
    }
  }
  if (unit > 1) {
    for (let i = 0; i < count; i++) residuals[i] = residuals[i]! / unit;
    bounds.min /= unit;
    bounds.max /= unit;
  }
  return unit;
}

function greatestCommonDivisor(a: number, b: number): number {
  let larger = a;
  let smaller = b;
  while (smaller > 0) {
    // The remainder of two doubles takes long.
    const rest =
      larger < TWO_POW_31 && smaller < TWO_POW_31 ? (larger | 0) % (smaller | 0) : larger % smaller;
    larger = smaller;
    smaller = rest;
  }
  return larger;
}

/** Appends the residuals in the form that takes the fewest bytes and returns it. */
function writeResiduals(writer: ByteWriter, residuals: Float64Array, count: number): number {
  if (count === 0) return CONSTANT;
  if (bounds.min === bounds.max) {
    writer.svarint(bounds.min);
    return CONSTANT;
  }
  const typical = typicalValue(residuals, count);
  const others = countOthers(residuals, count, typical);
  const packedBytes =
    bounds.max - bounds.min <= Number.MAX_SAFE_INTEGER
      ? estimatePackedSizeBytes(residuals, count)
      : Number.POSITIVE_INFINITY;
  let coding = PACKED;
  let sizeBytes = packedBytes;
  const consider = (candidate: number, candidateSizeBytes: number): void => {
    if (candidateSizeBytes >= SLOWER_RATIO * sizeBytes) return;
    coding = candidate;
    sizeBytes = candidateSizeBytes;
  };
  consider(RANGED, rangedSizeBytes(count, bounds.min, bounds.max));
  if (others * SPARSE_DIVISOR <= count) consider(SPARSE, sparseSizeBytes(typical, others, count));
  const isCrowded = others * SPARSE_DIVISOR > count || sizeBytes > others;
  // The integers of the widest series have distances that nothing else holds.
  if ((count >= ENTROPY_COUNT_MIN && isCrowded) || packedBytes === Number.POSITIVE_INFINITY) {
    const plan = planEntropyCoding(residuals, count, bounds);
    consider(ENTROPY, plan.sizeBytes);
    if (coding === ENTROPY) {
      writeEntropyCoded(writer, residuals, count, plan);
      return coding;
    }
  }
  // A varint is a byte or more, so little is to be had near one byte a row, for much time.
  if (sizeBytes > VARINT_TRIAL_RATIO * count) consider(VARINTS, varintsSizeBytes(residuals, count));
  if (coding === PACKED) writePacked(writer, residuals, count);
  else if (coding === RANGED) writeRanged(writer, residuals, count, bounds);
  else if (coding === VARINTS) writeVarints(writer, residuals, count);
  else writeSparse(writer, residuals, count, { typical, others });
  return coding;
}

/** How many differ from the typical one; counts no further than a sparse series may have. */
function countOthers(residuals: Float64Array, count: number, typical: number): number {
  let others = 0;
  for (let i = 0; i < count && others * SPARSE_DIVISOR <= count; i++) {
    if (residuals[i] !== typical) others++;
  }
  return others;
}

/** Estimate: a place takes the logarithm of the mean gap and a little, a value that of the range. */
function sparseSizeBytes(typical: number, others: number, count: number): number {
  const gapBits = 2 + Math.log2(count / others);
  const valueBits = others === 1 ? 0 : 1 + Math.log2(bounds.max - bounds.min + 1);
  return 8 + svarintSizeBytes(typical) + Math.ceil((others * (gapBits + valueBits)) / 8);
}

/** The typical integer, and for the others their places, as distances from one to the next, and values. */
function writeSparse(
  writer: ByteWriter,
  residuals: Float64Array,
  count: number,
  { typical, others }: { readonly typical: number; readonly others: number },
): void {
  const gaps = new Float64Array(others);
  const values = new Float64Array(others);
  let found = 0;
  let previous = -1;
  for (let i = 0; i < count; i++) {
    if (residuals[i] === typical) continue;
    gaps[found] = i - previous - 1;
    values[found++] = residuals[i]!;
    previous = i;
  }
  writer.svarint(typical);
  writer.uvarint(others);
  encodeNoise(writer, gaps, others);
  encodeIntegers(writer, values, others);
}

/**
 * Reads `count` integers into `out` from index `at` on.
 *
 * @throws {BlockCorrupt} when the bytes are no such series.
 */
export function decodeIntegers(
  cursor: ByteCursor,
  out: Float64Array,
  at: number,
  count: number,
): void {
  decodeQuotients(cursor, out, { at, count, scale: 1 });
}

/**
 * The same, with each integer divided by the scale.
 *
 * @throws {BlockCorrupt} when the bytes are no such series.
 */
export function decodeQuotients(cursor: ByteCursor, out: Float64Array, rows: RestoredRows): void {
  const { at, count } = rows;
  if (count === 0) return;
  const offset = cursor.position;
  const control = cursor.u8();
  const predictor = (control >> PREDICTOR_SHIFT) & PREDICTOR_MASK;
  const lead = leadCount(predictor);
  if (predictor > PREDICTOR_MAX || lead > count) {
    throw cursor.corrupt('a series has an impossible predictor', offset);
  }
  const unit = (control & UNIT_FLAG) === 0 ? 1 : cursor.uvarint();
  for (let i = 0; i < lead; i++) out[at + i] = cursor.svarint();
  if (count > lead) readResiduals(cursor, control & CODING_MASK, out, at + lead, count - lead);
  if (unit !== 1) for (let i = at + lead; i < at + count; i++) out[i] = out[i]! * unit;
  restoreIntegers(out, predictor, rows);
}

function readResiduals(
  cursor: ByteCursor,
  coding: number,
  out: Float64Array,
  at: number,
  count: number,
): void {
  if (coding === CONSTANT) out.fill(cursor.svarint(), at, at + count);
  else if (coding === PACKED) readPacked(cursor, out, at, count);
  else if (coding === VARINTS) readVarints(cursor, out, at, count);
  else if (coding === RANGED) readRanged(cursor, out, at, count);
  else if (coding === ENTROPY) readEntropyCoded(cursor, out, at, count);
  else if (coding === SPARSE) readSparse(cursor, out, at, count);
  else throw cursor.corrupt(`a series has the unknown form ${coding}`);
}

function readSparse(cursor: ByteCursor, out: Float64Array, at: number, count: number): void {
  const typical = cursor.svarint();
  const offset = cursor.position;
  const others = cursor.uvarint();
  // Also bounds how deep sparse series nest.
  if (others * SPARSE_DIVISOR > count) throw cursor.corrupt('a sparse series is full', offset);
  const gaps = new Float64Array(others);
  const values = new Float64Array(others);
  decodeIntegers(cursor, gaps, 0, others);
  decodeIntegers(cursor, values, 0, others);
  out.fill(typical, at, at + count);
  let place = -1;
  for (let i = 0; i < others; i++) {
    place += 1 + gaps[i]!;
    if (!(gaps[i]! >= 0 && place < count))
      throw cursor.corrupt('a sparse place is outside', offset);
    out[at + place] = values[i]!;
  }
}
