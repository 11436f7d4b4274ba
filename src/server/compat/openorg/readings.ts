import { parse } from 'csv-parse/sync';
import { isoTimeMs } from '../../../text/time.ts';
import { ApiError } from './errors.ts';
import type { Reading } from './segments.ts';

const TIME_MAX_MS = 8.64e15;
const ZONED = /(?:[Zz]|[+-]\d{2}:?\d{2})$/;
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** Readings of JSON: `{"ts", "val"}` or `[ts, val]` each. @throws {ApiError} 400 naming the first bad one. */
export function readingsOfJson(given: unknown): readonly Reading[] {
  if (!Array.isArray(given)) throw badReading('readings: expected a list');
  return given.map((item: unknown, index) => {
    const isPair = Array.isArray(item) && item.length === 2;
    const [ts, val] = isPair ? item : membersOf(item, index);
    return { timestampMs: instantOf(ts, index), value: numberOf(val, index) };
  });
}

/** Readings of CSV: two columns without a header, instant and value. @throws {ApiError} 400 */
export function readingsOfCsv(text: string): readonly Reading[] {
  let rows: readonly (readonly string[])[];
  try {
    rows = parse(text, { relax_column_count: true, skip_empty_lines: true, bom: true, trim: true });
  } catch (error) {
    throw badReading(`readings: not CSV: ${(error as Error).message}`);
  }
  return rows.map((row, index) => {
    if (row.length !== 2) {
      throw badReading(`readings[${index}]: expected two columns, not ${row.length}`);
    }
    const [ts, val] = row as [string, string];
    const isEpoch = /^-?\d+$/.test(ts);
    const value = NUMBER.test(val) ? Number(val) : val;
    return {
      timestampMs: instantOf(isEpoch ? Number(ts) : ts, index),
      value: numberOf(value, index),
    };
  });
}

/**
 * What of readings is new to a series: those after its last one, in order, of each instant the first.
 * @param afterMs -Infinity: all are.
 */
export function newReadings(all: readonly Reading[], afterMs: number): readonly Reading[] {
  const sorted = [...all].sort((a, b) => a.timestampMs - b.timestampMs);
  let lastMs = afterMs;
  return sorted.filter(({ timestampMs }) => {
    const isNew = timestampMs > lastMs;
    if (isNew) lastMs = timestampMs;
    return isNew;
  });
}

function membersOf(item: unknown, index: number): readonly [unknown, unknown] {
  if (typeof item === 'object' && item !== null && 'ts' in item && 'val' in item) {
    return [item.ts, item.val];
  }
  throw badReading(`readings[${index}]: expected {"ts": …, "val": …} or [ts, val]`);
}

function instantOf(given: unknown, index: number): number {
  const isZoned = typeof given === 'string' && ZONED.test(given.trim());
  const timeMs = typeof given === 'number' ? given : isZoned ? isoTimeMs(given.trim()) : null;
  if (timeMs !== null && Math.abs(timeMs) <= TIME_MAX_MS) return Math.floor(timeMs);
  throw badReading(
    `readings[${index}].ts: expected ISO 8601 with an offset, or epoch milliseconds, not ${short(given)}`,
  );
}

function numberOf(given: unknown, index: number): number {
  if (typeof given === 'number' && Number.isFinite(given)) return given;
  throw badReading(`readings[${index}].val: expected a number, not ${short(given)}`);
}

function badReading(message: string): ApiError {
  return new ApiError(400, 'bad-readings', message, { readings: { error: message } });
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
