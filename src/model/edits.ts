import type { Block } from './block.ts';
import type { StreamRecord, StreamSnapshot } from './stream.ts';
import { TIME_MIN_MS, type TimeRange } from './time-range.ts';

/** How far back a stream says where it was changed: whoever looks less often reads it anew as a whole. */
const EDIT_COUNT_MAX = 8;

/**
 * Commits that changed raw datapoints of a stream, deleted some, or added others before its latest one: all but
 * appends in order, and expiry.
 */
export interface Edits {
  /** How many there ever were. */
  readonly count: number;
  /**
   * Of the last of them, in their order: the first instant that may have changed. No datapoint that was appended in
   * order until the next edit is older. At least one.
   */
  readonly fromMs: readonly number[];
}

/** Rows in the place of those that a range had. */
export interface Replaced {
  readonly range: TimeRange;
  readonly block: Block;
}

/**
 * Whether the latest row goes and no other comes: then it is not known here how old rows may be that are appended
 * in order from now on.
 */
export function isTailCut(latestMs: number | null, replaced: readonly Replaced[]): boolean {
  if (latestMs === null) return false;
  return (
    replaced.some(({ range }) => range.startMs <= latestMs && latestMs < range.endMs) &&
    replaced.every(({ block }) => block.timestamps.length === 0)
  );
}

/** What a record says of edits after rows from `fromMs` on have changed: nothing new if those lie behind all others. */
export function withEdit(
  { record: { edits }, latestMs }: Pick<StreamSnapshot, 'record' | 'latestMs'>,
  fromMs: number,
): Pick<StreamRecord, 'edits'> {
  if (latestMs !== null && fromMs <= latestMs) return { edits: addEdit(edits, fromMs) };
  return edits === undefined ? {} : { edits };
}

function addEdit(edits: Edits | undefined, fromMs: number): Edits {
  const { count = 0, fromMs: before = [] } = edits ?? {};
  // JSON has no infinite numbers.
  const startMs = Math.max(TIME_MIN_MS, fromMs);
  return { count: count + 1, fromMs: [...before.slice(1 - EDIT_COUNT_MAX), startMs] };
}

/**
 * The first instant that edits after the first `knownCount` may have changed: -Infinity when that is not known,
 * null when there were none.
 */
export function editedFromMs(
  { edits }: Pick<StreamRecord, 'edits'>,
  knownCount: number,
): number | null {
  const { count = 0, fromMs = [] } = edits ?? {};
  if (count === knownCount) return null;
  const newCount = count - knownCount;
  if (newCount < 0 || newCount > fromMs.length) return Number.NEGATIVE_INFINITY;
  return Math.min(...fromMs.slice(-newCount));
}
