import type { Datastream } from '../../api/datastream.ts';
import type { Stream } from '../../api/types.ts';
import type { AppendRate } from './append-rate.ts';
import { StoreSurvey, type StoreTotals } from './store-survey.ts';
import { type StreamMeasure, StreamMeasures } from './stream-measures.ts';
import { ratePerMinute } from './stream-rate.ts';

/** What admins see of one stream. */
export interface StreamStatistics extends StreamMeasure {
  readonly ratePerMinute: number;
}

/** Numbers of a store and of what comes into it, for those who look after it. */
export class Statistics {
  /** Datapoints that came through this process. */
  readonly appends: AppendRate;
  readonly #datastream: Datastream;
  readonly #measures: StreamMeasures;
  readonly #survey: StoreSurvey;
  readonly #nowMs: () => number;

  constructor(
    datastream: Datastream,
    options: {
      readonly now: () => Date;
      readonly signal: AbortSignal;
      readonly appends: AppendRate;
    },
  ) {
    this.#datastream = datastream;
    this.#nowMs = () => options.now().getTime();
    this.appends = options.appends;
    this.#measures = new StreamMeasures(datastream);
    this.#survey = new StoreSurvey(datastream, { measures: this.#measures, ...options });
  }

  /** Of all streams, as they were counted last; null before the first time. */
  get totals(): StoreTotals | null {
    return this.#survey.totals;
  }

  /** Bytes that the store takes, about; null where it does not know. */
  storeSizeBytes(): Promise<number | null> {
    return this.#datastream.storeSize();
  }

  async of(stream: Stream): Promise<StreamStatistics> {
    const measure = await this.#measures.of(stream);
    const rate = await ratePerMinute(this.#datastream, stream, this.#nowMs());
    return { ...measure, ratePerMinute: rate };
  }

  /** Resolves when nothing is being counted. */
  idle(): Promise<void> {
    return this.#survey.idle();
  }
}
