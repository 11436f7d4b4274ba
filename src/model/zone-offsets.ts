import { assert } from './assert.ts';

/** A stretch of time `[startMs, endMs)` in which a zone's clocks run `offsetMs` ahead of UTC. */
export interface OffsetSpan {
  readonly startMs: number;
  readonly endMs: number;
  readonly offsetMs: number;
}

/** How far apart the instants are that are looked at: two changes that undo each other lie further apart. */
const SAMPLE_STEP_MS = 4 * 86_400_000;
/** Clocks showed local mean time before this, in every zone: no zone changed earlier. */
const FIRST_YEAR = 1800;
/** What was decided for the time up to here is known; from here on, rules repeat with the calendar. */
const REPEATED_YEAR = 2100;
/** After so many years, the Gregorian calendar has the same dates on the same days of the week. */
const CYCLE_YEARS = 400;
const CYCLE_MS = 146_097 * 86_400_000;
/** Of the last instant that a `Date` can hold. */
const LAST_YEAR = 275_760;
const INSTANT_MAX_MS = 8.64e15;
const FIRST_CHANGE_MS = Date.UTC(FIRST_YEAR, 0);

/** Years that a zone remembers, at most. */
const YEAR_COUNT_MAX = 1000;

const ZONES: Map<string, ZoneOffsets> = new Map();

/** The offsets of an IANA time zone, such as `Europe/Paris`, found in the runtime's own database. */
export class ZoneOffsets {
  readonly #format: Intl.DateTimeFormat;
  /** By year in UTC. */
  readonly #years: Map<number, readonly OffsetSpan[]> = new Map();
  #latest: OffsetSpan;

  private constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
    this.#latest = { startMs: 0, endMs: 0, offsetMs: 0 };
  }

  /** @param zone a name that `timeZoneName` gave. */
  static of(zone: string): ZoneOffsets {
    let offsets = ZONES.get(zone);
    if (offsets === undefined) {
      offsets = new ZoneOffsets(zone);
      ZONES.set(zone, offsets);
    }
    return offsets;
  }

  /** The span that holds an instant. Spans end with years too, where nothing changes. */
  spanAt(instantMs: number): OffsetSpan {
    const { startMs, endMs } = this.#latest;
    if (instantMs >= startMs && instantMs < endMs) return this.#latest;
    if (instantMs < FIRST_CHANGE_MS) {
      const offsetMs = this.offsetMsAt(FIRST_CHANGE_MS);
      return { startMs: Number.NEGATIVE_INFINITY, endMs: FIRST_CHANGE_MS, offsetMs };
    }
    const year = new Date(Math.min(instantMs, INSTANT_MAX_MS)).getUTCFullYear();
    const span = this.#spansOf(year).find((candidate) => instantMs < candidate.endMs);
    assert(span !== undefined, 'the spans of a year reach to its end');
    this.#latest = span;
    return span;
  }

  #spansOf(year: number): readonly OffsetSpan[] {
    let spans = this.#years.get(year);
    if (spans !== undefined) return spans;
    const cycleCount = Math.floor((year - REPEATED_YEAR) / CYCLE_YEARS);
    spans =
      cycleCount > 0
        ? laterSpans(this.#spansOf(year - cycleCount * CYCLE_YEARS), cycleCount * CYCLE_MS)
        : this.#findSpans(year);
    if (year === LAST_YEAR) spans = withoutEnd(spans);
    if (this.#years.size < YEAR_COUNT_MAX) this.#years.set(year, spans);
    return spans;
  }

  #findSpans(year: number): readonly OffsetSpan[] {
    const startMs = Date.UTC(year, 0);
    const endMs = Date.UTC(year + 1, 0);
    const changes: number[] = [];
    for (let fromMs = startMs; fromMs < endMs; fromMs += SAMPLE_STEP_MS) {
      this.#findChanges(fromMs, Math.min(fromMs + SAMPLE_STEP_MS, endMs), changes);
    }
    const starts = [startMs, ...changes.filter((changeMs) => changeMs < endMs)];
    return starts.map((spanMs, i) => ({
      startMs: spanMs,
      endMs: starts[i + 1] ?? endMs,
      offsetMs: this.offsetMsAt(spanMs),
    }));
  }

  /** Bisects until each change inside `(fromMs, toMs]` is known to the millisecond. */
  #findChanges(fromMs: number, toMs: number, changes: number[]): void {
    if (this.offsetMsAt(fromMs) === this.offsetMsAt(toMs)) return;
    if (toMs - fromMs === 1) {
      changes.push(toMs);
      return;
    }
    const middleMs = fromMs + Math.floor((toMs - fromMs) / 2);
    this.#findChanges(fromMs, middleMs, changes);
    this.#findChanges(middleMs, toMs, changes);
  }

  /** Looks it up in the runtime's database: slow. @param instantMs one that a `Date` can hold. */
  offsetMsAt(instantMs: number): number {
    const parts = this.#format.formatToParts(instantMs);
    const text = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
    // As GMT, GMT+05:30 or, of local mean times, GMT-00:44:30.
    const match = /^GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?$/.exec(text);
    assert(match !== null, 'the runtime writes long offsets in one way');
    const [, sign, hours = '0', minutes = '0', seconds = '0'] = match;
    const offsetMs = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
    return sign === '-' ? -offsetMs : offsetMs;
  }
}

function laterSpans(spans: readonly OffsetSpan[], byMs: number): readonly OffsetSpan[] {
  return spans.map(({ startMs, endMs, offsetMs }) => ({
    startMs: startMs + byMs,
    endMs: endMs + byMs,
    offsetMs,
  }));
}

function withoutEnd(spans: readonly OffsetSpan[]): readonly OffsetSpan[] {
  return [...spans.slice(0, -1), { ...spans.at(-1)!, endMs: Number.POSITIVE_INFINITY }];
}
