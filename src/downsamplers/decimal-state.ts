import type { Decimal } from 'decimal.js';
import type { Columns } from '../model/block.ts';
import { decimalOf } from '../model/high-accuracy.ts';
import type { Finisher, ValueComponent } from './downsampler.ts';

/** Reads the decimals of a component: of stored decimal strings, or of numbers such as the count. */
export function decimals(columns: Columns, component: ValueComponent): (row: number) => Decimal {
  const stored = columns[component] as readonly (number | string)[];
  return (row) => decimalOf(stored[row]!);
}

/** Finishes to the decimal that the component holds. */
export function asStoredDecimal(component: ValueComponent): Finisher<ValueComponent> {
  return { components: [component], bind: (columns) => decimals(columns, component) };
}
