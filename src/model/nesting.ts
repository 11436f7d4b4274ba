import { isClockUnit, monthCountOf } from './calendar.ts';
import { bucketEndMs, bucketStartMs, type Granularity } from './granularity.ts';
import { type RangeSet, subtractRange } from './staleness.ts';
import { intersectRanges, isEmptyRange, type TimeRange } from './time-range.ts';
import { UTC } from './time-zone.ts';
import { ZoneOffsets } from './zone-offsets.ts';

/** When each bucket of one granularity is made of whole buckets of a finer one. */
export type Nesting = 'always' | 'mostly' | 'never';

/** Years whose offsets tell what is mostly so. */
const FIRST_TYPICAL_YEAR = 1970;
const LAST_TYPICAL_YEAR = 2037;

/**
 * Whether the buckets of `coarser` are made of whole ones of `finer`. Those of a zone are mostly made of
 * regular ones that divide all offsets it has had since 1970: before it had whole hours or minutes, it had the
 * seconds of its local mean time.
 */
export function nestingOf(finer: Granularity, coarser: Granularity): Nesting {
  if (finer.durationMs >= coarser.durationMs) return 'never';
  if (finer.timeZone === coarser.timeZone) return nestsInZone(finer, coarser) ? 'always' : 'never';
  if (finer.timeZone !== UTC || finer.calendar !== null) return 'never';
  // Each begins where clocks show a multiple of it.
  if (isClockUnit(coarser.unit) && coarser.durationMs % finer.durationMs !== 0) return 'never';
  return typicalOffsets(coarser.timeZone).every((offsetMs) => offsetMs % finer.durationMs === 0)
    ? 'mostly'
    : 'never';
}

/** Days begin where clocks show, or skip, a multiple of every shorter step; weeks and months where a day does. */
function nestsInZone(finer: Granularity, coarser: Granularity): boolean {
  if (isClockUnit(finer.unit)) {
    return !isClockUnit(coarser.unit) || coarser.durationMs % finer.durationMs === 0;
  }
  if (finer.unit === 'days') return true;
  const finerCount = monthCountOf(finer);
  const coarserCount = monthCountOf(coarser);
  return finerCount !== null && coarserCount !== null && coarserCount % finerCount === 0;
}

const TYPICAL_OFFSETS: Map<string, readonly number[]> = new Map();

function typicalOffsets(timeZone: string): readonly number[] {
  let offsets = TYPICAL_OFFSETS.get(timeZone);
  if (offsets === undefined) {
    const zone = ZoneOffsets.of(timeZone);
    const found = new Set<number>();
    for (let year = FIRST_TYPICAL_YEAR; year <= LAST_TYPICAL_YEAR; year++) {
      for (const month of [0, 6]) found.add(zone.offsetMsAt(Date.UTC(year, month)));
    }
    offsets = [...found];
    TYPICAL_OFFSETS.set(timeZone, offsets);
  }
  return offsets;
}

/**
 * The parts of a range in which buckets of `coarser` may not be whole ones of `finer`, where they mostly are.
 * Whether a bucket lies in one depends on the bucket alone.
 * @param range on bucket boundaries of `coarser`.
 */
export function oddRanges(finer: Granularity, coarser: Granularity, range: TimeRange): RangeSet {
  const odd: TimeRange[] = [];
  for (const { startMs, endMs } of oddSpans(finer, coarser.timeZone, range)) {
    // A bucket that ends where the span begins ends at an odd instant, too.
    const buckets = {
      startMs: bucketStartMs(startMs - 1, coarser),
      endMs: bucketEndMs(endMs, coarser),
    };
    const part = intersectRanges(buckets, range);
    if (isEmptyRange(part)) continue;
    const last = odd.at(-1);
    if (last === undefined || last.endMs < part.startMs) odd.push(part);
    else odd[odd.length - 1] = { startMs: last.startMs, endMs: Math.max(last.endMs, part.endMs) };
  }
  return odd;
}

/** What of the range is not in the set. */
export function outsideOf(set: RangeSet, range: TimeRange): RangeSet {
  let rest: RangeSet = isEmptyRange(range) ? [] : [range];
  for (const item of set) rest = subtractRange(rest, item);
  return rest;
}

/** Spans that begin at, or have, an offset which is no multiple of the bucket; an instant where only the change is. */
function* oddSpans(
  { durationMs }: Granularity,
  timeZone: string,
  { startMs, endMs }: TimeRange,
): Generator<TimeRange, void, undefined> {
  const zone = ZoneOffsets.of(timeZone);
  let atMs = startMs - 1;
  while (atMs <= endMs) {
    const span = zone.spanAt(atMs);
    if (span.offsetMs % durationMs !== 0) {
      yield { startMs: Math.max(span.startMs, startMs), endMs: Math.min(span.endMs, endMs) };
    } else if (Number.isFinite(span.startMs) && span.startMs % durationMs !== 0) {
      yield { startMs: span.startMs, endMs: span.startMs };
    }
    if (span.endMs === Number.POSITIVE_INFINITY) return;
    atMs = span.endMs;
  }
}
