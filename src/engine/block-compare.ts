import type { Block } from '../model/block.ts';
import { canonicalJson } from '../model/tags.ts';

/** A row that two blocks do not have alike; null where one of them lacks it. */
export interface BlockDifference {
  readonly timestampMs: number;
  readonly stored: Readonly<Record<string, unknown>> | null;
  readonly expected: Readonly<Record<string, unknown>> | null;
}

/** The rows in which two blocks differ, by bits; equal timestamps are compared in their order. */
export function* compareBlocks(stored: Block, expected: Block): Generator<BlockDifference> {
  const names = [...new Set([...Object.keys(stored.columns), ...Object.keys(expected.columns)])];
  const pairs = names.map((name) => [stored.columns[name], expected.columns[name]] as const);
  let a = 0;
  let b = 0;
  while (a < stored.timestamps.length || b < expected.timestamps.length) {
    const storedMs = stored.timestamps[a] ?? Number.POSITIVE_INFINITY;
    const expectedMs = expected.timestamps[b] ?? Number.POSITIVE_INFINITY;
    if (storedMs === expectedMs && pairs.every(([x, y]) => isEqualValue(x?.[a], y?.[b]))) {
      a++;
      b++;
      continue;
    }
    const timestampMs = Math.min(storedMs, expectedMs);
    yield {
      timestampMs,
      stored: storedMs === timestampMs ? rowOf(stored, a++) : null,
      expected: expectedMs === timestampMs ? rowOf(expected, b++) : null,
    };
  }
}

/** Of two stored values; a column that a block lacks is null in all of its rows. */
function isEqualValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a === 'number' && typeof b === 'number') return false;
  return canonicalJson(jsonOf(a)) === canonicalJson(jsonOf(b));
}

function rowOf({ columns }: Block, row: number): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, jsonOf(column[row])]),
  );
}

function jsonOf(value: unknown): unknown {
  return value === undefined || (typeof value === 'number' && Number.isNaN(value)) ? null : value;
}
