import type { Decimal } from 'decimal.js';
import type { Block, Column } from '../model/block.ts';
import { VALUE_COLUMN } from '../model/block.ts';
import { decimalOf, multiplyExact } from '../model/high-accuracy.ts';
import { isStoredGroup, type StoredGroup } from '../model/value.ts';
import { COUNT_LETTER } from '../model/value-letters.ts';
import type { RawRows, StateRows } from './components/accumulator.ts';
import { NO_DISTINCT_VALUES } from './distinct-state.ts';

/** What one instant has none of, or stands at its own start. */
const ZERO_COMPONENTS: readonly string[] = Object.freeze('ts ta tz ic iq ar hd'.split(' '));

/** The rows of a raw block that are not null, with their values as they are. */
export function presentRows(block: Block): RawRows {
  const { timestamps } = block;
  const values = block.columns[VALUE_COLUMN]!;
  if (values instanceof Float64Array) return presentNumbers(timestamps, values);
  const rows = rowsWhere(values.length, (row) => values[row] !== null);
  return {
    timestamps: Float64Array.from(rows, (row) => timestamps[row]!),
    values: rows.map((row) => values[row]),
  };
}

/** As `presentRows`, of float64 values. */
export function presentNumbers(timestamps: Float64Array, values: Float64Array): RawRows {
  const nullRow = firstNullRow(values);
  if (nullRow === values.length) return { timestamps, values };
  const presentTimestamps = timestamps.slice();
  const presentValues = values.slice();
  let count = nullRow;
  for (let row = nullRow; row < values.length; row++) {
    if (Number.isNaN(values[row]!)) continue;
    presentTimestamps[count] = timestamps[row]!;
    presentValues[count] = values[row]!;
    count++;
  }
  return {
    timestamps: presentTimestamps.subarray(0, count),
    values: presentValues.subarray(0, count),
  };
}

/**
 * The number of rows when none is null. A function of its own, with nothing behind the loop: code that is
 * compiled in the midst of a long loop knows nothing of what follows it, and would be thrown away call after
 * call.
 */
function firstNullRow(values: Float64Array): number {
  for (let row = 0; row < values.length; row++) if (Number.isNaN(values[row])) return row;
  return values.length;
}

/**
 * Each numeric datapoint that has data as a bucket state of its own, which starts at its instant: this is
 * how already downsampled values weigh in. A single number gives the state that adding it would give.
 */
export function liftRows(
  block: Block,
  { columns, isDecimal }: { readonly columns: readonly string[]; readonly isDecimal: boolean },
): StateRows {
  const stored = block.columns[VALUE_COLUMN]!;
  const rows = rowsWhere(stored.length, (row) => countOf(stored[row]) > 0);
  const values = rows.map((row) => stored[row] as number | string | StoredGroup);
  const zeros = new Float64Array(rows.length);
  const nulls = new Float64Array(rows.length).fill(Number.NaN);
  const lifted: Record<string, Column> = {};
  for (const component of columns) {
    if (component === 'c') lifted[component] = Float64Array.from(values, countOf);
    else if (component === 'il' || component === 'iu') lifted[component] = nulls;
    else if (ZERO_COMPONENTS.includes(component)) lifted[component] = zeros;
    else if (component === 'n') lifted[component] = values.map(medianValue);
    else if (component === 'h') lifted[component] = values.map(distinctValue);
    else if (isDecimal)
      lifted[component] = values.map((value) => decimalComponent(value, component));
    else {
      lifted[component] = Float64Array.from(values as readonly (number | StoredGroup)[], (value) =>
        plainComponent(value, component),
      );
    }
  }
  return { timestamps: Float64Array.from(rows, (row) => block.timestamps[row]!), columns: lifted };
}

function rowsWhere(length: number, isWanted: (row: number) => boolean): readonly number[] {
  const rows: number[] = [];
  for (let row = 0; row < length; row++) if (isWanted(row)) rows.push(row);
  return rows;
}

/** How many datapoints a stored numeric value stands for; 0 for null and NaN. */
function countOf(stored: unknown): number {
  if (isStoredGroup(stored)) return stored[COUNT_LETTER] as number;
  return stored === null || Number.isNaN(stored) ? 0 : 1;
}

function medianValue(value: number | string | StoredGroup): number | string {
  return isStoredGroup(value) ? ((value['n'] ?? Number.NaN) as number | string) : value;
}

/** A group from before the stream counted distinct values does not know them. */
function distinctValue(value: number | string | StoredGroup): unknown {
  return isStoredGroup(value) ? NO_DISTINCT_VALUES : value;
}

function plainComponent(value: number | StoredGroup, component: string): number {
  if (!isStoredGroup(value)) {
    if (component === 'q') return value * value;
    return component === 'm2' ? 0 : value;
  }
  const count = value[COUNT_LETTER] as number;
  if (component === 'mu') return (value['s'] as number) / count;
  if (component === 'm2') return varianceOf(value) * count;
  return (value[component] ?? Number.NaN) as number;
}

/** A group has the variance, its root, or both. */
function varianceOf({ v, d }: StoredGroup): number {
  return v === undefined ? ((d ?? Number.NaN) as number) ** 2 : (v as number);
}

function decimalComponent(value: number | string | StoredGroup, component: string): Decimal {
  // A group from before the stream had the downsampler does not know it.
  const known = isStoredGroup(value) ? (value[component] ?? Number.NaN) : value;
  const decimal = decimalOf(known as number | string);
  return component === 'q' && !isStoredGroup(value) ? multiplyExact(decimal, decimal) : decimal;
}
