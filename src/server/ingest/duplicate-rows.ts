import type { KnownStream } from './known-streams.ts';
import { cutMs, type Rows, valueAt } from './rows.ts';
import { isSameValue } from './same-value.ts';

/**
 * What becomes of a datapoint whose timestamp the stream has already. `skip`: with the same value it is a
 * duplicate, with another one it is added. `replace`: as `skip`, but another value comes in the place of what is
 * there. `keep`: it is added, whatever is there.
 */
export type Duplicates = 'skip' | 'replace' | 'keep';

/** Positions of rows, by what is to be done with them. */
export interface SortedRows {
  readonly added: readonly number[];
  readonly replacing: readonly number[];
  readonly duplicateCount: number;
  /** Rows that later ones of the same rows replace: as if they had been stored before. */
  readonly replacedCount: number;
}

/**
 * Compares rows with what a stream has, and with each other.
 * @param stored what it has at the timestamps of the rows; is written to.
 */
export function sortRows(
  stream: KnownStream,
  rows: Rows,
  {
    duplicates,
    stored,
  }: { readonly duplicates: 'skip' | 'replace'; readonly stored: Map<number, unknown[]> },
): SortedRows {
  return duplicates === 'skip'
    ? sortAdded(stream, rows, stored)
    : sortReplacing(stream, rows, stored);
}

function sortAdded(stream: KnownStream, rows: Rows, stored: Map<number, unknown[]>): SortedRows {
  const added: number[] = [];
  for (const [row, givenMs] of rows.timestamps.entries()) {
    const value = valueAt(rows, row);
    const present = valuesAt(stored, cutMs(givenMs, stream.stepMs));
    if (present.some((other) => isSameValue(stream, value, other))) continue;
    present.push(value);
    added.push(row);
  }
  const duplicateCount = rows.timestamps.length - added.length;
  return { added, replacing: [], duplicateCount, replacedCount: 0 };
}

function sortReplacing(
  stream: KnownStream,
  rows: Rows,
  stored: Map<number, unknown[]>,
): SortedRows {
  const changed = new Map<number, { row: number; readonly isReplacing: boolean }>();
  let duplicateCount = 0;
  let replacedCount = 0;
  for (const [row, givenMs] of rows.timestamps.entries()) {
    const timestampMs = cutMs(givenMs, stream.stepMs);
    const value = valueAt(rows, row);
    const present = valuesAt(stored, timestampMs);
    if (present.length === 1 && isSameValue(stream, value, present[0])) {
      duplicateCount++;
      continue;
    }
    const earlier = changed.get(timestampMs);
    if (earlier === undefined) changed.set(timestampMs, { row, isReplacing: present.length > 0 });
    else {
      earlier.row = row;
      replacedCount++;
    }
    present.splice(0, present.length, value);
  }
  const rowsThat = (isReplacing: boolean): number[] =>
    [...changed.values()].filter((one) => one.isReplacing === isReplacing).map(({ row }) => row);
  return { added: rowsThat(false), replacing: rowsThat(true), duplicateCount, replacedCount };
}

function valuesAt(stored: Map<number, unknown[]>, timestampMs: number): unknown[] {
  let values = stored.get(timestampMs);
  if (values === undefined) {
    values = [];
    stored.set(timestampMs, values);
  }
  return values;
}
