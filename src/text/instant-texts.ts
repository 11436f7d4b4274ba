import { timeText } from './exact-json.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const MIDNIGHT = '00:00:00Z';
const TWO_DIGITS: readonly string[] = Array.from({ length: 60 }, (_, number) =>
  String(number).padStart(2, '0'),
);

/** The JSON texts of instants, many of which are of one day: its date is written once. */
export class InstantTexts {
  #dayMs = Number.NaN;
  /** Up to the hours. */
  #start = '';

  /** What `exactJson` gives for the date. */
  json(timestampMs: number): string {
    if (timestampMs % SECOND_MS !== 0) return `"${timeText(new Date(timestampMs))}"`;
    const dayMs = Math.floor(timestampMs / DAY_MS) * DAY_MS;
    if (dayMs !== this.#dayMs) {
      this.#start = `"${timeText(new Date(dayMs)).slice(0, -MIDNIGHT.length)}`;
      this.#dayMs = dayMs;
    }
    const clockMs = timestampMs - dayMs;
    const hour = TWO_DIGITS[Math.floor(clockMs / HOUR_MS)];
    const minute = TWO_DIGITS[Math.floor((clockMs % HOUR_MS) / MINUTE_MS)];
    return `${this.#start}${hour}:${minute}:${TWO_DIGITS[(clockMs % MINUTE_MS) / SECOND_MS]}Z"`;
  }
}
