import type { DeriveFrom } from '../../src/api/types.ts';

/** Parts of a formula, one for each source: exact in float64 for sources that are. */
const PARTS: readonly { readonly text: string; readonly value: (v: number) => number }[] = [
  { text: 's0 * 2', value: (v) => v * 2 },
  { text: ' - s1 / 4', value: (v) => -(v / 4) },
  { text: ' + max(s2, 0)', value: (v) => Math.max(v, 0) },
];

/** The formula over so many sources, 1 to 3, called `s0` and so on. */
export function expressionOver(count: number): string {
  return PARTS.slice(0, count)
    .map(({ text }) => text)
    .join('');
}

export function named(source: Exclude<DeriveFrom, string>, index: number): DeriveFrom {
  return { ...source, name: `s${index}` };
}

/** What the formula gives from the values of its sources: null when one of them is. */
export function expressionOf(values: readonly (number | null)[]): number | null {
  let total = 0;
  for (const [index, value] of values.entries()) {
    if (value === null) return null;
    total += PARTS[index]!.value(value);
  }
  return total;
}
