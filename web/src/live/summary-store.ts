import { readColumns } from '../api/data.ts';
import type { StreamInfo } from '../api/types.ts';
import { Observable } from '../state/observable.ts';
import { DAY_MS } from '../time/units.ts';
import { type LiveEvent, reaches } from './live-event.ts';
import { RECENT_COUNT, type StreamSummary, summaryOf, withRows } from './stream-summary.ts';

/** Requests at once; the rest of what is seen waits. */
const CONCURRENCY = 4;
/** As many as are in sight on a tall screen. */
const WAITING_COUNT_MAX = 60;
const TREND_POINT_COUNT = 120;

type Summary = Observable<StreamSummary | null>;

/** Summaries of the streams that somebody looks at, read when they come into sight and kept up by events. */
export class SummaryStore {
  readonly #summaries = new Map<string, Summary>();
  readonly #streams = new Map<string, StreamInfo>();
  readonly #waiting = new Set<string>();
  readonly #hasTrends: boolean;
  #runningCount = 0;

  constructor({ hasTrends = true }: { readonly hasTrends?: boolean } = {}) {
    this.#hasTrends = hasTrends;
  }

  /** Null until it is read. */
  summaryOf(stream: StreamInfo): Summary {
    this.#streams.set(stream.id, stream);
    let summary = this.#summaries.get(stream.id);
    if (summary === undefined) {
      summary = new Observable<StreamSummary | null>(null);
      this.#summaries.set(stream.id, summary);
      this.#ask(stream.id);
    }
    return summary;
  }

  /** @param visibleIds which streams are worth reading again at once; others are forgotten. */
  take(event: LiveEvent, visibleIds: readonly string[]): void {
    if (event.kind === 'reset') {
      for (const id of [...this.#summaries.keys()]) {
        if (!visibleIds.includes(id)) this.#summaries.delete(id);
      }
      for (const id of visibleIds) this.#ask(id);
    } else if (event.kind === 'ready') {
      for (const [id, position] of event.positions) {
        const shown = this.#summaries.get(id)?.value;
        if (shown && !reaches(shown.recent.timestamps, position)) this.#ask(id);
      }
    } else if (event.kind === 'appended') {
      const summary = this.#summaries.get(event.streamId);
      if (summary?.value == null) return;
      const longer = withRows(summary.value, event.rows);
      if (longer === null) this.#ask(event.streamId);
      else summary.set(longer);
    } else if (event.kind === 'changed') this.#ask(event.streamId);
  }

  #ask(id: string): void {
    // What came into sight last is looked at first; what was only scrolled past is forgotten.
    this.#waiting.delete(id);
    this.#waiting.add(id);
    const [oldest] = this.#waiting;
    if (this.#waiting.size > WAITING_COUNT_MAX && oldest !== undefined) {
      this.#waiting.delete(oldest);
      if (this.#summaries.get(oldest)?.value === null) this.#summaries.delete(oldest);
    }
    this.#next();
  }

  #next(): void {
    while (this.#runningCount < CONCURRENCY) {
      const id = [...this.#waiting].at(-1);
      if (id === undefined) return;
      this.#waiting.delete(id);
      this.#runningCount++;
      void this.#read(id).finally(() => {
        this.#runningCount--;
        this.#next();
      });
    }
  }

  async #read(id: string): Promise<void> {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    try {
      const { valueType, latestDatapoint } = stream;
      const recent = await readColumns(id, { reverse: true, limit: RECENT_COUNT, live: null });
      const otherwiseMs = latestDatapoint === null ? null : Date.parse(latestDatapoint);
      const latestMs = recent.timestamps[0] ?? otherwiseMs;
      const trend =
        this.#hasTrends && valueType === 'numeric' && latestMs !== null
          ? await readColumns(id, {
              start: latestMs - DAY_MS,
              end: latestMs,
              maxPoints: TREND_POINT_COUNT,
              ...(stream.valueDownsamplers.includes('mean') && { valueDownsamplers: 'mean' }),
            })
          : null;
      this.#summaries.get(id)?.set(summaryOf(recent, trend));
    } catch {
      // The row stays without a value; the list itself says when the service is away.
    }
  }
}
