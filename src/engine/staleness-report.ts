import { Granularity, type GranularityName } from '../model/granularity.ts';
import type { RangeSet } from '../model/staleness.ts';
import type { StreamSnapshot } from '../model/stream.ts';
import { TIME_END_MS, type TimeRange } from '../model/time-range.ts';
import type { EngineContext } from './context.ts';
import { workToCome } from './level-maintenance.ts';

/** What of one level of a stream maintenance has still to compute. */
interface StaleLevel {
  readonly granularity: Granularity;
  /** Ascending, on bucket boundaries; at least one. */
  readonly ranges: RangeSet;
  /** Buckets in the ranges, with those that will turn out to have no data; about, where buckets differ. */
  readonly bucketCount: number;
}

/** What of a stream is stale: maintenance has it to compute, for the first time or again. */
export interface StreamStaleness {
  readonly snapshot: StreamSnapshot;
  /** Of a derived stream, where its inputs have changed; without what is pending. */
  readonly derived: RangeSet;
  /** Start of the history that was never processed; null when there is none. */
  readonly pendingMs: number | null;
  /** From the finest; only levels with work to come. */
  readonly levels: readonly StaleLevel[];
}

/** Looks at what is known of a stream; reads nothing. @param untilMs as of a maintenance run. */
export function stalenessOf(
  context: EngineContext,
  snapshot: StreamSnapshot,
  untilMs: number,
): StreamStaleness {
  const { stale } = snapshot.record;
  const last = stale.at(-1);
  const isPending = last !== undefined && last.endMs === TIME_END_MS;
  return {
    snapshot,
    derived: isPending ? stale.slice(0, -1) : stale,
    pendingMs: isPending ? last.startMs : null,
    levels: staleLevels(context, snapshot, untilMs),
  };
}

function staleLevels(
  context: EngineContext,
  snapshot: StreamSnapshot,
  untilMs: number,
): readonly StaleLevel[] {
  const byLevel = new Map<GranularityName, TimeRange[]>();
  for (const { granularity, range } of workToCome(context, snapshot, untilMs)) {
    const ranges = byLevel.get(granularity.name) ?? [];
    ranges.push(range);
    byLevel.set(granularity.name, ranges);
  }
  return Array.from(byLevel, ([name, ranges]) => {
    const granularity = Granularity.byName(name);
    const durationMs = ranges.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
    return { granularity, ranges, bucketCount: Math.round(durationMs / granularity.durationMs) };
  });
}
