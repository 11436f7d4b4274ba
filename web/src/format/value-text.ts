import type { Json } from '../api/types.ts';
import { minus, quantityText, shortQuantityText } from './number-text.ts';

/** Any value of a stream for a person, in a line. */
export function valueText(value: Json | undefined, unit = ''): string {
  return textOf(value, unit, quantityText);
}

/** The same in a column of a list, where numbers have few digits. */
export function shortValueText(value: Json | undefined, unit = ''): string {
  return textOf(value, unit, shortQuantityText);
}

/** The same with every digit that there is: for whoever points at a shorter text. */
export function wholeValueText(value: Json | undefined, unit = ''): string {
  return textOf(value, unit, (number) => withUnit(minus(String(number)), unit));
}

function textOf(
  value: Json | undefined,
  unit: string,
  numberText: (value: number, unit: string) => string,
): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return numberText(value, unit);
  if (typeof value === 'string') return withUnit(value, unit);
  if (typeof value === 'object' && 'v' in value && Array.isArray((value as { v: Json }).v)) {
    const { v, e } = value as { v: readonly Json[]; e?: readonly Json[] };
    return `${countText(v.length, 'vertex', 'vertices')}, ${countText(e?.length ?? 0, 'edge', 'edges')}`;
  }
  return JSON.stringify(value);
}

function withUnit(text: string, unit: string): string {
  return unit === '' ? text : `${text} ${unit}`;
}

function countText(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}
