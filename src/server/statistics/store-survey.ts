import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Datastream } from '../../api/datastream.ts';
import type { DatapointCount } from './datapoint-count.ts';
import type { StreamMeasures } from './stream-measures.ts';

/** What all streams of a store held together. */
export interface StoreTotals extends DatapointCount {
  readonly streamCount: number;
  /** When the last stream was counted. */
  readonly atMs: number;
}

/** Nobody looks at totals more often. */
const REST_MIN_MS = 10_000;
/** A survey of many streams takes long: it is made again after so many times as long. */
const REST_FACTOR = 50;

/** Adds up all streams, one after the other behind everything else, when somebody asks; nothing is kept of each. */
export class StoreSurvey {
  readonly #datastream: Datastream;
  readonly #measures: StreamMeasures;
  readonly #now: () => Date;
  readonly #signal: AbortSignal;
  #totals: StoreTotals | null = null;
  #running: Promise<void> | null = null;
  #restUntilMs = 0;

  constructor(
    datastream: Datastream,
    {
      measures,
      now,
      signal,
    }: {
      readonly measures: StreamMeasures;
      readonly now: () => Date;
      /** Ends a survey. */
      readonly signal: AbortSignal;
    },
  ) {
    this.#datastream = datastream;
    this.#measures = measures;
    this.#now = now;
    this.#signal = signal;
  }

  /** The last totals, null before the first; begins to count anew where they are old. */
  get totals(): StoreTotals | null {
    if (this.#running === null && performance.now() >= this.#restUntilMs) {
      this.#running = this.#run().finally(() => {
        this.#running = null;
      });
    }
    return this.#totals;
  }

  /** Resolves when no survey is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const startMs = performance.now();
    try {
      this.#totals = await this.#counted();
    } catch {
      // The store is away, or the service ends: whoever asks has the totals before, and their age.
    }
    const endMs = performance.now();
    this.#restUntilMs = endMs + Math.max(REST_MIN_MS, (endMs - startMs) * REST_FACTOR);
  }

  async #counted(): Promise<StoreTotals> {
    const certainties = new Set<DatapointCount['certainty']>();
    let streamCount = 0;
    let total = 0;
    for await (const stream of this.#datastream.findStreams()) {
      this.#signal.throwIfAborted();
      const { count, certainty } = await this.#measures.of(stream);
      streamCount++;
      total += count;
      certainties.add(certainty);
      await nextTurn();
    }
    return {
      streamCount,
      count: total,
      certainty: leastCertain(certainties),
      atMs: this.#now().getTime(),
    };
  }
}

function leastCertain(
  certainties: ReadonlySet<DatapointCount['certainty']>,
): DatapointCount['certainty'] {
  if (certainties.has('atLeast')) return 'atLeast';
  return certainties.has('estimate') ? 'estimate' : 'exact';
}
