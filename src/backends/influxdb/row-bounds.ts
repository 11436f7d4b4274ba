import type { Block } from '../../model/block.ts';
import type { StreamId } from '../../model/stream.ts';
import type { TimeRange } from '../../model/time-range.ts';
import type { PendingChange } from './pending-change.ts';

/** Timestamps of the first and last row; null when there is none. */
export interface Bounds {
  earliestMs: number | null;
  latestMs: number | null;
}

export type Side = { readonly beforeMs: number } | { readonly fromMs: number };

/** The stored row nearest to an instant: the last before it, or the first from it on; null without one. */
export type Neighbour = (streamId: StreamId, side: Side) => Promise<number | null>;

export interface Replacement {
  readonly streamId: StreamId;
  readonly range: TimeRange;
  readonly block: Block;
  /** Changes of the stream that the same commit makes before. */
  readonly earlier: readonly PendingChange[];
  readonly neighbour: Neighbour;
}

/** The bounds of a stream after rows of a range were replaced; the server is asked only if need be. */
export async function boundsAfter(before: Bounds, replacement: Replacement): Promise<Bounds> {
  const { range, block } = replacement;
  const earliestMs = before.earliestMs!;
  const latestMs = before.latestMs!;
  const losesEarliest = range.startMs <= earliestMs && earliestMs < range.endMs;
  const losesLatest = range.startMs <= latestMs && latestMs < range.endMs;
  const firstMs = block.timestamps[0];
  const lastMs = block.timestamps.at(-1);
  if (firstMs !== undefined && lastMs !== undefined) {
    return {
      earliestMs: losesEarliest ? firstMs : Math.min(earliestMs, firstMs),
      latestMs: losesLatest ? lastMs : Math.max(latestMs, lastMs),
    };
  }
  if (losesEarliest && losesLatest) return { earliestMs: null, latestMs: null };
  return {
    earliestMs: losesEarliest ? await nearest(replacement, { fromMs: range.endMs }) : earliestMs,
    latestMs: losesLatest ? await nearest(replacement, { beforeMs: range.startMs }) : latestMs,
  };
}

/** The nearest row to one side, among stored ones and those that the commit itself adds. */
async function nearest(replacement: Replacement, side: Side): Promise<number | null> {
  const { streamId, earlier, neighbour } = replacement;
  const isForward = 'fromMs' in side;
  const { added, emptied } = replay(earlier);
  let stored = await neighbour(streamId, side);
  for (;;) {
    const gone = emptied.find((item) => stored !== null && isInside(item, stored));
    if (gone === undefined) break;
    stored = await neighbour(
      streamId,
      isForward ? { fromMs: gone.endMs } : { beforeMs: gone.startMs },
    );
  }
  const candidates = added.filter((ms) => (isForward ? ms >= side.fromMs : ms < side.beforeMs));
  if (stored !== null) candidates.push(stored);
  if (candidates.length === 0) return null;
  return candidates.reduce((a, b) => (isForward ? Math.min(a, b) : Math.max(a, b)));
}

/** Rows that changes add, and ranges that they empty before. */
function replay(changes: readonly PendingChange[]): {
  readonly added: number[];
  readonly emptied: readonly TimeRange[];
} {
  let added: number[] = [];
  const emptied: TimeRange[] = [];
  for (const change of changes) {
    if (change.kind === 'tick') added.push(change.timestampMs);
    if (change.kind === 'replace') {
      added = added.filter((timestampMs) => !isInside(change.range, timestampMs));
      emptied.push(change.range);
    }
    if (change.kind === 'rows' || change.kind === 'replace') {
      for (const timestampMs of change.block.timestamps) added.push(timestampMs);
    }
  }
  return { added, emptied };
}

function isInside({ startMs, endMs }: TimeRange, timestampMs: number): boolean {
  return startMs <= timestampMs && timestampMs < endMs;
}
