import { readColumns } from '../api/data.ts';
import type { StreamInfo } from '../api/types.ts';
import { type ChartColumns, chartColumns, NO_COLUMNS } from '../chart/columns.ts';
import { drawnLevels } from '../chart/drawn-levels.ts';
import { isWithin, spanOf, type TimeWindow, widened } from '../time/time-window.ts';
import { granularityMs } from '../time/units.ts';
import { appendRows, dropBefore, replaceTail } from './live-columns.ts';
import { type LiveEvent, type LivePosition, reaches } from './live-event.ts';

export interface SeriesState {
  readonly columns: ChartColumns;
  readonly isLoading: boolean;
  readonly error: unknown;
}

export interface WantedSeries {
  readonly window: TimeWindow;
  /** Points that there is room for. */
  readonly pointCount: number;
  /** Whether the window goes with the clock, and events bring what is new. */
  readonly isFollowing: boolean;
}

/** Rest between two readings of the newest bucket. */
const TAIL_MS = 1000;
/** Rest of a window that is being dragged before data are asked for. */
const SETTLE_MS = 60;

/** What a chart has of one stream: as much as the window needs, read anew when it needs something else. */
export class SeriesLoader {
  readonly #stream: StreamInfo;
  readonly #onChange: (state: SeriesState) => void;
  #state: SeriesState;
  #wanted: WantedSeries | null = null;
  /** What the columns are of, and for how long a window they were read. */
  #loaded: {
    readonly window: TimeWindow;
    readonly spanMs: number;
    readonly pointCount: number;
  } | null = null;
  #controller: AbortController | null = null;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #tail: ReturnType<typeof setTimeout> | undefined;
  #tailFromMs = Number.POSITIVE_INFINITY;

  /** @param before what is shown until it is read */
  constructor(
    stream: StreamInfo,
    onChange: (state: SeriesState) => void,
    before: ChartColumns = NO_COLUMNS,
  ) {
    this.#stream = stream;
    this.#onChange = onChange;
    this.#state = { columns: before, isLoading: true, error: null };
  }

  close(): void {
    this.#controller?.abort();
    clearTimeout(this.#settle);
    clearTimeout(this.#tail);
  }

  /** Says what the chart shows now. */
  want(wanted: WantedSeries): void {
    this.#wanted = wanted;
    if (this.#isEnough(wanted)) return;
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => void this.#read(), this.#loaded === null ? 0 : SETTLE_MS);
  }

  take(event: LiveEvent): void {
    if (event.kind === 'reset') void this.#read();
    else if (event.kind === 'ready') this.#catchUp(event.positions.get(this.#stream.id));
    else if (event.streamId !== this.#stream.id) return;
    else if (event.kind === 'appended') this.#append(event);
    else if (event.kind === 'changed') this.#refresh(event.fromMs ?? Number.NEGATIVE_INFINITY);
  }

  /** Reads all of it again. */
  reload(): void {
    void this.#read();
  }

  #isEnough({ window, pointCount, isFollowing }: WantedSeries): boolean {
    const loaded = this.#loaded;
    if (loaded === null || this.#controller !== null) return false;
    const { columns } = this.#state;
    if (pointCount > loaded.pointCount * 1.5) return false;
    const endMs = isFollowing ? Math.min(window.endMs, loaded.window.endMs) : window.endMs;
    if (!isWithin({ startMs: window.startMs, endMs }, loaded.window)) return false;
    if (columns.isRaw) return columns.timestamps.length < 2 * pointCount;
    // Half as long a window deserves a finer level.
    return spanOf(window) > loaded.spanMs * 0.6;
  }

  async #read(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === null) return;
    this.#controller?.abort();
    const controller = new AbortController();
    this.#controller = controller;
    this.#publish({ isLoading: true });
    const window = widened(wanted.window);
    try {
      const columns = await this.#ask(window, { maxPoints: wanted.pointCount }, controller.signal);
      if (controller.signal.aborted) return;
      const { pointCount } = wanted;
      this.#loaded = { window, spanMs: spanOf(wanted.window), pointCount };
      this.#controller = null;
      this.#publish({ columns, isLoading: false, error: null });
      // The window may have moved on while the answer was under way.
      if (this.#wanted !== wanted && this.#wanted !== null) this.want(this.#wanted);
    } catch (error) {
      if (controller.signal.aborted) return;
      this.#controller = null;
      this.#publish({ isLoading: false, error });
    }
  }

  /** Reads what came between the answer that is shown and the first event. */
  #catchUp(position: LivePosition | undefined): void {
    if (position === undefined) return;
    const { isRaw, timestamps } = this.#state.columns;
    if (this.#loaded !== null && isRaw && reaches(timestamps, position)) return;
    this.#refresh(Math.min(timestamps.at(-1) ?? position.latestMs, position.latestMs));
  }

  #append({ rows }: Extract<LiveEvent, { kind: 'appended' }>): void {
    const { columns } = this.#state;
    const longer = appendRows(columns, rows);
    if (longer === null || this.#controller !== null) {
      this.#refresh(rows.timestamps[0]!);
      return;
    }
    const startMs =
      this.#wanted?.isFollowing === true ? widened(this.#wanted.window).startMs : null;
    this.#publish({ columns: startMs === null ? longer : dropBefore(longer, startMs) });
    if (this.#wanted !== null) this.want(this.#wanted);
  }

  /** Reads what may have changed from an instant on, at most once a second. */
  #refresh(fromMs: number): void {
    this.#tailFromMs = Math.min(this.#tailFromMs, fromMs);
    this.#tail ??= setTimeout(() => {
      this.#tail = undefined;
      const startMs = this.#tailFromMs;
      this.#tailFromMs = Number.POSITIVE_INFINITY;
      // An answer that is under way may be from before the change.
      if (this.#loaded === null || this.#controller !== null) this.#refresh(startMs);
      else void this.#readTail(startMs, this.#loaded.window);
    }, TAIL_MS);
  }

  async #readTail(changedMs: number, loaded: TimeWindow): Promise<void> {
    const { columns } = this.#state;
    // The bucket of the change begins before it; calendar buckets can be a little longer than their name says.
    const bucketMs = columns.isRaw ? 0 : granularityMs(columns.granularity) * 1.05;
    const startMs = Math.max(changedMs - bucketMs, loaded.startMs);
    // What is new may be behind the window, which only then goes there.
    const nowMs = this.#wanted?.isFollowing === true ? Date.now() : 0;
    const endMs = Math.max(loaded.endMs, this.#wanted?.window.endMs ?? 0, nowMs);
    if (startMs > endMs) return;
    try {
      const tail = await this.#ask(
        { startMs, endMs },
        { granularity: columns.granularity, limit: 10_000 },
      );
      const first = tail.timestamps[0];
      const merged = replaceTail(this.#state.columns, tail, first ?? startMs);
      if (merged === null) void this.#read();
      else this.#publish({ columns: merged, error: null });
    } catch (error) {
      this.#publish({ error });
    }
  }

  async #ask(
    { startMs, endMs }: TimeWindow,
    query: Readonly<Record<string, string | number>>,
    signal?: AbortSignal,
  ): Promise<ChartColumns> {
    const names = drawnLevels(this.#stream).valueDownsamplers;
    const data = await readColumns(
      this.#stream.id,
      {
        ...query,
        start: new Date(Math.floor(startMs)).toISOString(),
        end: new Date(Math.ceil(endMs)).toISOString(),
        ...(names.length > 0 && { valueDownsamplers: names.join(',') }),
      },
      signal,
    );
    return chartColumns(data);
  }

  #publish(changes: Partial<SeriesState>): void {
    this.#state = { ...this.#state, ...changes };
    this.#onChange(this.#state);
  }
}
