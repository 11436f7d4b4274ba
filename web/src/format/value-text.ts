import type { Json } from '../api/types.ts';
import { quantityText } from './number-text.ts';

/** Any value of a stream for a person, in a line. */
export function valueText(value: Json | undefined, unit = ''): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return quantityText(value, unit);
  if (typeof value === 'string') return unit === '' ? value : `${value} ${unit}`;
  if (typeof value === 'object' && 'v' in value && Array.isArray((value as { v: Json }).v)) {
    const { v, e } = value as { v: readonly Json[]; e?: readonly Json[] };
    return `${v.length} vertices, ${e?.length ?? 0} edges`;
  }
  return JSON.stringify(value);
}
