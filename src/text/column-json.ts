import { exactJson } from './exact-json.ts';

/** A column as JSON text: NaN is null, everything else as `exactJson` has it. */
export function columnJson(column: ArrayLike<unknown>): string {
  const parts: string[] = new Array(column.length);
  for (let row = 0; row < column.length; row++) {
    const value = column[row];
    parts[row] = typeof value === 'number' ? numberJson(value) : exactJson(value);
  }
  return `[${parts.join(',')}]`;
}

/** JSON has no number that is not finite; of −0 the sign stays. */
function numberJson(value: number): string {
  if (Number.isNaN(value)) return 'null';
  return Object.is(value, -0) ? '-0' : String(value);
}
