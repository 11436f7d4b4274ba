import { clockText, dateText, dayText, monthText, pad2 } from './time-text.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, MONTH_MS, SECOND_MS, YEAR_MS } from './units.ts';
import { type ClockTime, fieldsOf, instantOfLocal, localMs } from './zone.ts';

export interface Tick {
  readonly instantMs: number;
  readonly label: string;
  /** What the label belongs to, such as the day of a time; null where it goes on as before. */
  readonly context: string | null;
}

/** Steps that people count in: plain lengths, and units of the calendar. */
type Step =
  | { readonly kind: 'length'; readonly lengthMs: number }
  | { readonly kind: 'months'; readonly count: number; readonly lengthMs: number };

const LENGTHS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR_MS),
  ...[1, 2, 7, 14].map((count) => count * DAY_MS),
];
const MONTH_COUNTS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200];
const STEPS: readonly Step[] = [
  ...LENGTHS_MS.map((lengthMs) => ({ kind: 'length' as const, lengthMs })),
  ...MONTH_COUNTS.map((count) => ({
    kind: 'months' as const,
    count,
    lengthMs: count >= 12 ? (count / 12) * YEAR_MS : count * MONTH_MS,
  })),
];

/** 1970 began on a Thursday; weeks are counted from its first Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;
const TICK_COUNT_MAX = 200;

/**
 * Times to mark on an axis: round ones on the clock of the zone, ascending, at most about `countMax` of them. Days
 * begin at the zone's midnight, also where it is not 24 hours after the one before.
 */
export function timeTicks(
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
  { zone, countMax }: { readonly zone: string; readonly countMax: number },
): readonly Tick[] {
  if (!(endMs > startMs)) return [];
  const wantedMs = (endMs - startMs) / Math.max(1, countMax);
  const step = STEPS.find(({ lengthMs }) => lengthMs >= wantedMs) ?? STEPS.at(-1)!;
  const ticks: Tick[] = [];
  let previous: ClockTime | null = null;
  for (const shownMs of shownTimes(localMs(startMs, zone), step)) {
    const instantMs = instantOfLocal(shownMs, zone);
    if (instantMs > endMs || ticks.length >= TICK_COUNT_MAX) break;
    // A clock that skips an hour would give instants twice; the first step may be out of sight.
    if (instantMs < startMs || instantMs <= (ticks.at(-1)?.instantMs ?? -Infinity)) continue;
    const time = fieldsOf(localMs(instantMs, zone));
    ticks.push({ instantMs, label: labelOf(time, step), context: contextOf(time, previous, step) });
    previous = time;
  }
  return ticks;
}

function* shownTimes(startMs: number, step: Step): Generator<number> {
  if (step.kind === 'months') {
    const { year, month } = fieldsOf(startMs);
    const first = Math.floor((year * 12 + month - 1) / step.count) * step.count;
    for (let index = first; ; index += step.count) {
      yield Date.UTC(Math.floor(index / 12), index % 12, 1);
    }
  }
  const originMs = step.lengthMs % (7 * DAY_MS) === 0 ? FIRST_MONDAY_MS : 0;
  const first = Math.floor((startMs - originMs) / step.lengthMs) * step.lengthMs + originMs;
  for (let shownMs = first; ; shownMs += step.lengthMs) yield shownMs;
}

function labelOf(time: ClockTime, step: Step): string {
  if (step.kind === 'months') return step.count < 12 ? monthText(time) : String(time.year);
  if (step.lengthMs >= DAY_MS) return dayText(time);
  if (step.lengthMs >= MINUTE_MS) return `${pad2(time.hour)}:${pad2(time.minute)}`;
  return clockText(time);
}

function contextOf(time: ClockTime, previous: ClockTime | null, step: Step): string | null {
  if (step.kind === 'months' && step.count >= 12) return null;
  if (step.lengthMs >= DAY_MS) return previous?.year === time.year ? null : String(time.year);
  return previous !== null && dateText(previous) === dateText(time) ? null : dateText(time);
}
