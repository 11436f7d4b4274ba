import { Decimal } from 'decimal.js';
import { isEqualJson, type Json } from '../../model/tags.ts';
import type { KnownStream } from './known-streams.ts';

type ValueKind = Pick<KnownStream, 'valueType' | 'isHighAccuracy'>;

/** Whether a stream would store both values as the same. Null is no data. */
export function isSameValue(stream: ValueKind, a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  if (stream.valueType === 'numeric' && !isGroup(a) && !isGroup(b)) {
    return stream.isHighAccuracy ? isSameDecimal(a, b) : isSameNumber(a, b);
  }
  return isEqualJson(a as Json, b as Json);
}

/** A text is no number, even where it looks like one. */
function isSameNumber(a: unknown, b: unknown): boolean {
  return typeof a !== 'string' && typeof b !== 'string' && Number(a) === Number(b);
}

/** Numbers, bigints, texts of decimals and big numbers. */
function isSameDecimal(a: unknown, b: unknown): boolean {
  try {
    return new Decimal(String(a)).equals(String(b));
  } catch {
    // No number: the engine says so when it is asked to store it.
    return false;
  }
}

/** Whether it is an already downsampled value, rather than a big number. */
function isGroup(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'c' in value && !('toFixed' in value);
}
