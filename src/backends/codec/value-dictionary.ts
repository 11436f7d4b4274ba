import { highWord, lowWord } from './float-words.ts';

/** More distinct values are no longer few: their indexes would cost as much as the values. */
export const DICTIONARY_SIZE_MAX = 256;

const SAMPLE_COUNT = 32;
const SAMPLE_DISTINCT_MAX = 12;
const SLOT_COUNT = 1024;
const EMPTY_SLOT = -1;

const slots = new Int16Array(SLOT_COUNT);
const values = new Float64Array(DICTIONARY_SIZE_MAX);

/** Distinct values in the order in which they first occur. */
export interface ValueDictionary {
  readonly values: Float64Array;
  readonly size: number;
}

/**
 * The distinct values, by bits, of the first `count`, with the index of each row in `indexes`; null when
 * a look at a few, or the count of all, shows that they are many. Valid until the next call.
 */
export function buildDictionary(
  column: Float64Array,
  count: number,
  indexes: Float64Array,
): ValueDictionary | null {
  if (!looksRepetitive(column, count)) return null;
  slots.fill(EMPTY_SLOT);
  let size = 0;
  for (let i = 0; i < count; i++) {
    const slot = slotOf(column[i]!);
    if (slots[slot] === EMPTY_SLOT) {
      if (size === DICTIONARY_SIZE_MAX) return null;
      values[size] = column[i]!;
      slots[slot] = size++;
    }
    indexes[i] = slots[slot]!;
  }
  return { values, size };
}

/** Whether a few evenly spread values are mostly the same ones. */
function looksRepetitive(column: Float64Array, count: number): boolean {
  slots.fill(EMPTY_SLOT);
  const step = Math.max(1, Math.floor(count / SAMPLE_COUNT));
  let distinct = 0;
  for (let i = 0; i < count; i += step) {
    const slot = slotOf(column[i]!);
    if (slots[slot] !== EMPTY_SLOT) continue;
    if (distinct === SAMPLE_DISTINCT_MAX) return false;
    values[distinct] = column[i]!;
    slots[slot] = distinct++;
  }
  return true;
}

/** The slot of a value, or the free one where it belongs. */
function slotOf(value: number): number {
  const high = highWord(value);
  const low = lowWord(value) | 0;
  let slot = Math.imul(high ^ Math.imul(low, 0x85ebca6b), 0x9e3779b1) >>> 22;
  while (slots[slot] !== EMPTY_SLOT) {
    const known = values[slots[slot]!]!;
    if (highWord(known) === high && (lowWord(known) | 0) === low) break;
    slot = (slot + 1) & (SLOT_COUNT - 1);
  }
  return slot;
}
