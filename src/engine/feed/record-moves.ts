import type { GranularityName } from '../../model/granularity.ts';
import { subtractRange } from '../../model/staleness.ts';
import type { LevelState, StreamRecord } from '../../model/stream.ts';
import { canonicalJson } from '../../model/tags.ts';
import type { LevelMove } from './feed-event.ts';

/** Whether a stream computes other things than it did. */
export function isRedefined(before: StreamRecord, after: StreamRecord): boolean {
  return DEFINING_KEYS.some((key) => {
    const [a, b] = [before[key], after[key]];
    return a !== b && canonicalJson(a ?? null) !== canonicalJson(b ?? null);
  });
}

const DEFINING_KEYS = [
  'valueTypeOptions',
  'valueDownsamplers',
  'timeZone',
  'extraLevels',
  'derivation',
] as const;

export function hasOtherTags(before: StreamRecord, after: StreamRecord): boolean {
  return before.tags !== after.tags && canonicalJson(before.tags) !== canonicalJson(after.tags);
}

/** The levels with buckets that were computed, or computed again; null when there are none. */
export function levelMoves(
  before: StreamRecord['levels'],
  after: StreamRecord['levels'],
): Readonly<Partial<Record<GranularityName, LevelMove>>> | null {
  if (before === after) return null;
  const moves: Partial<Record<GranularityName, LevelMove>> = {};
  let hasMoves = false;
  for (const name of Object.keys(after) as GranularityName[]) {
    const level = after[name]!;
    const fromMs = movedFromMs(before[name] ?? null, level);
    if (fromMs === Number.POSITIVE_INFINITY) continue;
    hasMoves = true;
    const isFirst = fromMs === Number.NEGATIVE_INFINITY;
    moves[name] = { fromMs: isFirst ? null : fromMs, untilMs: level.untilMs };
  }
  return hasMoves ? moves : null;
}

/** Start of what was computed; infinite when nothing was, -Infinity for all of it. */
function movedFromMs(before: LevelState | null, { untilMs, stale }: LevelState): number {
  if (before === null || before.untilMs === null || untilMs === null) {
    const wasComputed = untilMs !== null && untilMs !== before?.untilMs;
    return wasComputed ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const refilled = stale.reduce(subtractRange, before.stale);
  const movedMs = untilMs === before.untilMs ? Number.POSITIVE_INFINITY : before.untilMs;
  return Math.min(
    refilled[0]?.startMs ?? Number.POSITIVE_INFINITY,
    movedMs,
    untilMsOf(before, untilMs),
  );
}

/** A watermark that went back. */
function untilMsOf(before: LevelState, untilMs: number): number {
  return untilMs < before.untilMs! ? untilMs : Number.POSITIVE_INFINITY;
}
