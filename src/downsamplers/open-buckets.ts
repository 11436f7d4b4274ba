import type { Block, Columns } from '../model/block.ts';
import { floats } from './downsampler.ts';
import type { LevelSchema } from './level-schema.ts';

/** Slots of a bucket. A bucket without data has count 0, the rest is old. */
const SLOTS: readonly string[] = Object.freeze('c s l u ts ta tz ic il iu iq q mu m2'.split(' '));
const C = 0;
const S = 1;
const L = 2;
const U = 3;
const TS = 4;
const TA = 5;
const TZ = 6;
const IC = 7;
const IL = 8;
const IU = 9;
const IQ = 10;
const Q = 11;
const MU = 12;
const M2 = 13;
/** Slots up to here are those of most streams. */
const NARROW_SLOT_COUNT: number = IQ + 1;
/** Two cache lines for each bucket. */
const STRIDE = 16;
const CAPACITY_MIN = 16;

/**
 * The open buckets of one level of many plain numeric streams, one row for each stream. The same algebra as
 * in a fold, to the bit, but across streams: one datapoint, or one finer bucket, of each at a time.
 */
export class OpenBuckets {
  readonly #columns: readonly string[];
  readonly #hasMoments: boolean;
  /** Whether levels have columns beyond the narrow slots. */
  readonly #isWide: boolean;
  #slots: Float64Array = new Float64Array(CAPACITY_MIN * STRIDE);

  /** Whether buckets of levels like that are plain numbers for which there is a slot. */
  static supports({ columns, isNumeric, isDecimal }: LevelSchema): boolean {
    return isNumeric && !isDecimal && columns.every((name) => SLOTS.includes(name));
  }

  constructor(columns: readonly string[]) {
    this.#columns = columns;
    this.#hasMoments = columns.includes('mu');
    this.#isWide = columns.some((name) => SLOTS.indexOf(name) >= NARROW_SLOT_COUNT);
  }

  /** Makes room for rows up to `rowCount`; the new ones have no data. */
  extend(rowCount: number): void {
    if (rowCount * STRIDE <= this.#slots.length) return;
    const slots = new Float64Array(Math.max(rowCount * STRIDE, this.#slots.length * 2));
    slots.set(this.#slots);
    this.#slots = slots;
  }

  /**
   * Adds one datapoint to each of the rows: row i takes the value at `positions[i]`, unless that is not finite.
   * @param offsetMs from the bucket's start; the same for all.
   */
  addValues(
    rows: Int32Array,
    {
      values,
      positions,
      offsetMs,
    }: Readonly<{
      values: Float64Array;
      positions: Int32Array;
      offsetMs: number;
    }>,
  ): void {
    const slots = this.#slots;
    const hasMoments = this.#hasMoments;
    for (let index = 0; index < rows.length; index++) {
      const value = values[positions[index]!]!;
      // The negated form also catches NaN.
      if (!(value < Number.POSITIVE_INFINITY)) continue;
      const at = rows[index]! * STRIDE;
      const count = slots[at + C]! + 1;
      slots[at + C] = count;
      if (count === 1) {
        start(slots, at, value, offsetMs);
        continue;
      }
      slots[at + S]! += value;
      if (value < slots[at + L]!) slots[at + L] = value;
      if (value > slots[at + U]!) slots[at + U] = value;
      slots[at + Q]! += value * value;
      if (hasMoments) {
        const mean = slots[at + MU]!;
        const deviation = value - mean;
        const nextMean = mean + deviation / count;
        slots[at + MU] = nextMean;
        slots[at + M2]! += deviation * (value - nextMean);
      }
      const seconds = (offsetMs - slots[at + TZ]!) / 1000;
      slots[at + TS]! += offsetMs;
      slots[at + TZ] = offsetMs;
      slots[at + IC]! += 1;
      if (seconds < slots[at + IL]!) slots[at + IL] = seconds;
      if (seconds > slots[at + IU]!) slots[at + IU] = seconds;
      slots[at + IQ]! += seconds * seconds;
    }
  }

  /**
   * Adds the buckets of a finer level, all with the same start, each to its row here.
   * @param baseMs from the start of the coarser bucket to that of the finer one.
   */
  addBuckets(rows: Int32Array, finer: OpenBuckets, baseMs: number): void {
    const slots = this.#slots;
    const added = finer.#slots;
    const hasMoments = this.#hasMoments;
    for (let index = 0; index < rows.length; index++) {
      const at = rows[index]! * STRIDE;
      const addedCount = added[at + C]!;
      if (addedCount === 0) continue;
      const countBefore = slots[at + C]!;
      const count = countBefore + addedCount;
      slots[at + C] = count;
      if (countBefore === 0) {
        take(slots, added, at, baseMs);
        continue;
      }
      slots[at + S]! += added[at + S]!;
      if (added[at + L]! < slots[at + L]!) slots[at + L] = added[at + L]!;
      if (added[at + U]! > slots[at + U]!) slots[at + U] = added[at + U]!;
      slots[at + Q]! += added[at + Q]!;
      if (hasMoments) {
        const addedMean = added[at + MU]!;
        const mean = slots[at + MU]!;
        const deviation = addedMean - mean;
        if (addedCount === 1) {
          const nextMean = mean + deviation / count;
          slots[at + MU] = nextMean;
          slots[at + M2]! += deviation * (addedMean - nextMean) + added[at + M2]!;
        } else {
          slots[at + MU] = mean + (deviation * addedCount) / count;
          slots[at + M2]! +=
            added[at + M2]! + ((deviation * deviation * addedCount) / count) * countBefore;
        }
      }
      addTimes(slots, added, at, baseMs);
    }
  }

  /** The buckets as columns, in the order of the rows; of one without data only the count means something. */
  columns(rows: Int32Array): Readonly<Record<string, Float64Array>> {
    const { length } = rows;
    const memory = gathered(this.#slots, rows, this.#isWide);
    const columns: Record<string, Float64Array> = {};
    for (const name of this.#columns) {
      const slot = SLOTS.indexOf(name);
      const column = memory.subarray(slot * length, (slot + 1) * length);
      columns[name] = name === 'il' || name === 'iu' ? withNulls(column) : column;
    }
    return columns;
  }

  /** Empties the buckets. */
  clear(rows: Int32Array): void {
    for (let index = 0; index < rows.length; index++) this.#slots[rows[index]! * STRIDE + C] = 0;
  }

  /** The bucket as the block of one row, or of none when it has no data. */
  block(row: number, startMs: number): Block {
    if (this.#slots[row * STRIDE + C] === 0) return NO_BUCKET;
    return { timestamps: Float64Array.of(startMs), columns: this.columns(Int32Array.of(row)) };
  }

  /** Puts the only row of a block in the place of the bucket; a block without rows empties it. */
  put(row: number, { timestamps, columns }: Block): void {
    const at = row * STRIDE;
    this.#slots[at + C] = 0;
    if (timestamps.length === 0) return;
    for (const name of this.#columns) {
      this.#slots[at + SLOTS.indexOf(name)] = floats(columns as Columns, name)[0]!;
    }
    if (this.#slots[at + IC] !== 0) return;
    this.#slots[at + IL] = Number.POSITIVE_INFINITY;
    this.#slots[at + IU] = Number.NEGATIVE_INFINITY;
  }
}

const NO_BUCKET: Block = { timestamps: new Float64Array(0), columns: {} };

/** The bucket of one datapoint. Zero is added where a fold adds to an empty bucket: -0 becomes 0 there. */
function start(slots: Float64Array, at: number, value: number, offsetMs: number): void {
  slots[at + S] = 0 + value;
  slots[at + L] = value;
  slots[at + U] = value;
  slots[at + Q] = value * value;
  slots[at + MU] = 0 + value;
  slots[at + M2] = 0;
  slots[at + TS] = offsetMs;
  slots[at + TA] = offsetMs;
  slots[at + TZ] = offsetMs;
  slots[at + IC] = 0;
  slots[at + IL] = Number.POSITIVE_INFINITY;
  slots[at + IU] = Number.NEGATIVE_INFINITY;
  slots[at + IQ] = 0;
}

/** The bucket of one finer bucket, apart from the count. */
function take(slots: Float64Array, added: Float64Array, at: number, baseMs: number): void {
  for (let slot: number = S; slot <= M2; slot++) slots[at + slot] = added[at + slot]!;
  slots[at + TS] = added[at + C]! * baseMs + added[at + TS]!;
  slots[at + TA] = baseMs + added[at + TA]!;
  slots[at + TZ] = baseMs + added[at + TZ]!;
}

/** The slots of the rows, slot after slot. One allocation: one for each would cost more than the copying. */
function gathered(slots: Float64Array, rows: Int32Array, isWide: boolean): Float64Array {
  const { length } = rows;
  const memory = new Float64Array(length * (isWide ? SLOTS.length : NARROW_SLOT_COUNT));
  // Written out: closing the buckets of many streams is for the most part this.
  for (let index = 0; index < length; index++) {
    const at = rows[index]! * STRIDE;
    memory[C * length + index] = slots[at + C]!;
    memory[S * length + index] = slots[at + S]!;
    memory[L * length + index] = slots[at + L]!;
    memory[U * length + index] = slots[at + U]!;
    memory[TS * length + index] = slots[at + TS]!;
    memory[TA * length + index] = slots[at + TA]!;
    memory[TZ * length + index] = slots[at + TZ]!;
    memory[IC * length + index] = slots[at + IC]!;
    memory[IL * length + index] = slots[at + IL]!;
    memory[IU * length + index] = slots[at + IU]!;
    memory[IQ * length + index] = slots[at + IQ]!;
    if (!isWide) continue;
    memory[Q * length + index] = slots[at + Q]!;
    memory[MU * length + index] = slots[at + MU]!;
    memory[M2 * length + index] = slots[at + M2]!;
  }
  return memory;
}

function addTimes(slots: Float64Array, added: Float64Array, at: number, baseMs: number): void {
  const seconds = (baseMs + added[at + TA]! - slots[at + TZ]!) / 1000;
  slots[at + TS]! += added[at + C]! * baseMs + added[at + TS]!;
  slots[at + TZ] = baseMs + added[at + TZ]!;
  slots[at + IC]! += 1 + added[at + IC]!;
  const min = Math.min(seconds, added[at + IL]!);
  const max = Math.max(seconds, added[at + IU]!);
  if (min < slots[at + IL]!) slots[at + IL] = min;
  if (max > slots[at + IU]!) slots[at + IU] = max;
  // One after the other, as in a fold: squares of fractions of seconds are not exact.
  slots[at + IQ] = slots[at + IQ]! + seconds * seconds + added[at + IQ]!;
}

function withNulls(column: Float64Array): Float64Array {
  for (let row = 0; row < column.length; row++) {
    const value = column[row]!;
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
      column[row] = Number.NaN;
    }
  }
  return column;
}
