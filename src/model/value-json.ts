import { InvalidValue } from '../exceptions/errors.ts';
import { describeType } from './high-accuracy.ts';
import type { Json } from './tags.ts';

/** Nesting beyond this is refused: readers and writers of JSON recurse. */
export const JSON_DEPTH_MAX = 500;

/**
 * Copies what a caller gave as plain JSON.
 * @throws {InvalidValue} for what JSON cannot hold: undefined, functions, NaN, bigints, instances of
 * classes, cycles.
 */
export function copyJson(value: unknown, depth = 0): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new InvalidValue(`${value} is not a JSON value.`);
    // JSON has no negative zero, so a store would not give it back.
    return value === 0 ? 0 : value;
  }
  if (depth > JSON_DEPTH_MAX) {
    throw new InvalidValue(`The value has a cycle, or more than ${JSON_DEPTH_MAX} levels.`);
  }
  if (Array.isArray(value)) return Array.from(value, (item) => copyJson(item, depth + 1));
  if (isPlainObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, copyJson(item, depth + 1)]),
    );
  }
  throw new InvalidValue(`JSON holds no ${describeType(value).replace(/^an? /, '')}.`);
}

/** Whether a value is an object literal, or parsed from JSON: no array, no instance of a class. */
/**
 * Copies plain objects and lists, at any depth that JSON may have, and leaves everything else as it is: a
 * caller may change his own while the copy is still to be checked.
 */
export function copyPlain(value: unknown, depth = 0): unknown {
  if (depth > JSON_DEPTH_MAX) return value;
  if (Array.isArray(value)) return value.map((item) => copyPlain(item, depth + 1));
  if (!isPlainObject(value)) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([key, item]) => [key, copyPlain(item, depth + 1)]));
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) return true;
  // Objects of another realm (a worker's, a test runner's) have their own Object.prototype.
  return Object.getPrototypeOf(prototype) === null && !Array.isArray(value);
}
