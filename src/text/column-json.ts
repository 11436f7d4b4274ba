import { exactJson } from './exact-json.ts';

/** A column as JSON text: values as `exactJson` has them, NaN is null. */
export function columnJson(column: ArrayLike<unknown>): string {
  const parts: string[] = new Array(column.length);
  for (let row = 0; row < column.length; row++) {
    parts[row] = exactJson(column[row]);
  }
  return `[${parts.join(',')}]`;
}
