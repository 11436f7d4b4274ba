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
  let a = 0;
  let b = 0;
  while (a < stored.timestamps.length || b < expected.timestamps.length) {
    const storedMs = stored.timestamps[a] ?? Number.POSITIVE_INFINITY;
    const expectedMs = expected.timestamps[b] ?? Number.POSITIVE_INFINITY;
    const timestampMs = Math.min(storedMs, expectedMs);
    const storedRow = storedMs === timestampMs ? rowOf(stored, a++) : null;
    const expectedRow = expectedMs === timestampMs ? rowOf(expected, b++) : null;
    if (!isEqualRow(storedRow, expectedRow)) {
      yield { timestampMs, stored: storedRow, expected: expectedRow };
    }
  }
}

type Row = Readonly<Record<string, unknown>>;

function rowOf({ columns }: Block, row: number): Row {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => {
      const value = column[row];
      return [name, typeof value === 'number' && Number.isNaN(value) ? null : value];
    }),
  );
}

function isEqualRow(a: Row | null, b: Row | null): boolean {
  if (a === null || b === null) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every(
    (name) => Object.is(a[name], b[name]) || canonicalJson(a[name]) === canonicalJson(b[name]),
  );
}
