import { InvalidTimestamp, NotSupported, StreamAppendFailed } from '../../exceptions/errors.ts';
import { type Block, type Column, lastOfEachTimestamp, VALUE_COLUMN } from '../../model/block.ts';
import type { ValueType } from '../../model/stream.ts';
import type { TimeRange } from '../../model/time-range.ts';

/**
 * InfluxDB's documented limit for the value of a string field. More may pass today, and bring down a server
 * that packs a thousand of them into one of its blocks.
 */
const JSON_SIZE_MAX_BYTES = 65_535;

/**
 * Whole days, so that every bucket of every level lies inside what InfluxDB's nanoseconds in an int64 can
 * say: from 1677-09-22 to 2262-04-11.
 */
export const TIMESTAMP_RANGE: TimeRange = Object.freeze({
  startMs: -106_751 * 86_400_000,
  endMs: 106_751 * 86_400_000,
});

/**
 * Raw rows as they will be stored: numbers in a `Float64Array`, others as JSON texts; of several rows of
 * one timestamp the last.
 * @throws {InvalidTimestamp} {NotSupported} {StreamAppendFailed} for what InfluxDB cannot hold.
 */
export function storedRows(block: Block, valueType: ValueType): Block {
  const { timestamps, columns } = lastOfEachTimestamp(block);
  if (timestamps.length === 0) return { timestamps, columns: {} };
  checkInstant(timestamps[0]!);
  checkInstant(timestamps.at(-1)!);
  const values = columns[VALUE_COLUMN]!;
  const stored = valueType === 'numeric' ? numbersOf(values) : textsOf(values);
  return { timestamps, columns: { [VALUE_COLUMN]: stored } };
}

/** @throws {InvalidTimestamp} */
export function checkInstant(timestampMs: number): void {
  if (timestampMs >= TIMESTAMP_RANGE.startMs && timestampMs < TIMESTAMP_RANGE.endMs) return;
  const [first, last] = [TIMESTAMP_RANGE.startMs, TIMESTAMP_RANGE.endMs - 1];
  throw new InvalidTimestamp(
    `The instant ${timestampMs} ms is outside ${new Date(first).toISOString()} to ${new Date(last).toISOString()}, which InfluxDB can hold.`,
  );
}

/** @throws {NotSupported} for an infinite number. NaN is null. */
export function checkNumbers(values: Float64Array): void {
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
      throw new NotSupported(`InfluxDB keeps finite numbers, and a value is ${value}.`);
    }
  }
}

function numbersOf(values: Column): Float64Array {
  const isFloat = values instanceof Float64Array;
  const numbers = isFloat ? values : Float64Array.from(values, numberOf);
  checkNumbers(numbers);
  return numbers;
}

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value === null) return Number.NaN;
  throw new NotSupported(
    'InfluxDB keeps single numbers of a numeric stream: no already downsampled values, no decimals.',
  );
}

function textsOf(values: Column): readonly (string | null)[] {
  return Array.from(values as ArrayLike<unknown>, (value) => {
    if (value === null || Number.isNaN(value)) return null;
    const text = JSON.stringify(value);
    if (Buffer.byteLength(text) > JSON_SIZE_MAX_BYTES) {
      throw new StreamAppendFailed(
        `A value has more than ${JSON_SIZE_MAX_BYTES} bytes as JSON, the limit of InfluxDB. Nothing was stored.`,
      );
    }
    return text;
  });
}
