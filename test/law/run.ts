import assert from 'node:assert/strict';
import { Datastream } from '../../src/api/datastream.ts';
import type { StreamDefinition } from '../../src/api/types.ts';
import type { Backend } from '../../src/backends/backend.ts';
import type { DatastreamWarning } from '../../src/exceptions/warnings.ts';
import { type ChangeStep, changeStream } from './change-step.ts';
import { applyData, isDataStep } from './data-steps.ts';
import { type Asked, derive, exactness, sourcesFor } from './derive-step.ts';
import type { Step } from './history.ts';
import { isKept } from './kept-steps.ts';
import { LEVELS, Model, type ModelStream, type Rules } from './model.ts';
import { noteExpiry, type RetainStep, retain } from './retain-step.ts';
import { nothingYet, type RunStream } from './run-stream.ts';
import { downsamplersOf, rulesOf } from './statistics.ts';
import { BASE_MS, granularityOf, msOf } from './units.ts';

/** Later than all data of a history. */
const NOW_MS = BASE_MS + 400 * 86_400_000;
/** Of one stream: they are compared by `verify` with those that the model knows. */
const EXTRA_LEVELS = {
  levels: ['30seconds', '5minutes', '12hours', 'weeks', 'months'],
  timeZone: 'Asia/Kathmandu',
} as const;
const DERIVED_COUNT_MAX = 6;
const SETTLE_ROUND_COUNT_MAX = 6;

/** A store with two openings, which may be the same. */
export interface RunStore {
  readonly backend: Backend;
  readonly other: Backend;
  /** Closes both and opens them again. */
  reopen?(): Promise<void>;
}

/** Which of the two engines let levels follow appends, where the store can. Default: none. */
export interface RunOptions {
  readonly live?: 'none' | 'one' | 'both';
}

/** Drives the engine through a history, and keeps for the model what was appended and derived. */
export class Run {
  readonly #store: RunStore;
  readonly rules: Rules;
  readonly streams: RunStream[] = [];
  datastream: Datastream;
  /** A second engine on the same store, with memories of its own. */
  other: Datastream;
  /** Streams that derive from nothing. */
  baseStreams: readonly RunStream[] = [];
  #nowMs = NOW_MS;
  /** Whether rows of a stream may expire, or have. */
  isRetaining = false;
  readonly #failures: DatastreamWarning[] = [];
  readonly #live: RunOptions['live'];

  constructor(store: RunStore, { live = 'none' }: RunOptions = {}) {
    this.#store = store;
    this.#live = store.backend.supports.liveLevels ? live : 'none';
    this.datastream = this.#open(store.backend, this.#live !== 'none');
    this.other = this.#open(store.other, this.#live === 'both');
    this.rules = rulesOf(store.backend.supports);
  }

  #open(backend: Backend, liveDownsampling: boolean): Datastream {
    return new Datastream(backend, {
      liveDownsampling,
      now: () => new Date(this.#nowMs),
      onWarning: (warning) => {
        // A step without a meaningful output is part of the histories; anything else is a failure.
        // Noted here and thrown later, because the engine goes on when its listener throws.
        if (warning.code !== 'INVALID_VALUE_WARNING') this.#failures.push(warning);
      },
    });
  }

  async start(): Promise<void> {
    const plain = { isNumeric: true, hasMore: false } as const;
    await this.#addBase(1, plain);
    await this.#addBase(1, plain, EXTRA_LEVELS);
    await this.#addBase(1, { isNumeric: true, hasMore: true });
    await this.#addBase(10, { isNumeric: true, hasMore: true, heartbeat: 45 });
    await this.#addBase(1, { isNumeric: false, hasMore: true });
    this.baseStreams = [...this.streams];
  }

  async #addBase(
    highest: number,
    kind: Pick<ModelStream, 'isNumeric' | 'hasMore' | 'heartbeat'>,
    extra: Pick<StreamDefinition, 'levels' | 'timeZone'> = {},
  ): Promise<void> {
    const id = await this.datastream.ensureStream(
      { name: this.streams.length },
      {
        valueType: kind.isNumeric ? 'numeric' : 'nominal',
        valueTypeOptions: kind.heartbeat === undefined ? {} : { heartbeat: kind.heartbeat },
        valueDownsamplers: downsamplersOf(kind, this.datastream.supports),
        highestGranularity: granularityOf(highest),
        ...(this.#store.backend.supports.extraLevels && extra),
      },
    );
    const flags = { ...kind, hasExactSums: true, isExact: true };
    const model: ModelStream = { ...flags, ...nothingYet(), highest, derivation: null };
    this.streams.push({ id, model, latest: 0 });
  }

  async apply(step: Step): Promise<void> {
    if (!this.isRetaining || (await isKept(this, step))) await this.#apply(step);
    await this.noteExpiry();
    this.#assertNoWarnings();
    // Also what follows appends is right at any time.
    if (this.#live !== 'none') await this.#verify();
  }

  /** Tells the model what has expired until now. */
  async noteExpiry(): Promise<void> {
    if (!this.isRetaining) return;
    const secondsOf = (instant: Date): number => (instant.getTime() - BASE_MS) / 1000;
    const levelOf = (name: string): number | undefined =>
      LEVELS.find((level) => granularityOf(level).name === name);
    await noteExpiry(this, secondsOf, levelOf);
  }

  async #retain(step: RetainStep): Promise<void> {
    this.isRetaining = true;
    const { datastream, streams } = this;
    const livingAt = async (t: number, action: () => Promise<void>): Promise<void> => {
      this.#nowMs = msOf(t);
      await action();
      this.#nowMs = NOW_MS;
    };
    const maintain = async (): Promise<void> => {
      await datastream.downsampleStreams({ until: msOf(10_000_000) });
    };
    await retain({ datastream, streams, granularityOf, livingAt, maintain }, step);
  }

  /** Gives the number of stale ranges. */
  async #verify(): Promise<number> {
    const { staleRangeCount, differenceCount } = await this.datastream.verify({
      onDifference: (difference) => assert.fail(`verify: ${JSON.stringify(difference)}`),
    });
    assert.equal(differenceCount, 0);
    return staleRangeCount;
  }

  #assertNoWarnings(): void {
    const [failure] = this.#failures;
    if (failure !== undefined) throw failure.cause ?? failure;
  }

  async #apply(step: Step): Promise<void> {
    if (isDataStep(step)) return applyData(this, step);
    switch (step.kind) {
      case 'derive':
        if (this.streams.length < this.baseStreams.length + DERIVED_COUNT_MAX) {
          await derive({ datastream: this.datastream, streams: this.streams, nowMs: NOW_MS }, step);
        }
        return;
      case 'downsamplers':
      case 'redefine':
        return this.#change(step);
      case 'retain':
        return this.#retain(step);
      case 'switch':
        [this.datastream, this.other] = [this.other, this.datastream];
        return;
      case 'reopen':
        if (this.#store.reopen !== undefined) {
          await this.#store.reopen();
          this.datastream = this.#open(this.#store.backend, this.#live !== 'none');
          this.other = this.#open(this.#store.other, this.#live === 'both');
        }
    }
  }

  /** Maintenance until nothing is left to do. It must come to rest. */
  async settle(): Promise<void> {
    for (let round = 0; round < SETTLE_ROUND_COUNT_MAX; round++) {
      await this.datastream.backprocessStreams();
      const written = await this.datastream.downsampleStreams({ returnDatapoints: true });
      this.#assertNoWarnings();
      if (written.length > 0) continue;
      if ((await this.#verify()) === 0) return;
    }
    assert.fail('maintenance does not come to rest');
  }

  #change(step: ChangeStep): Promise<void> {
    const { datastream, streams, rules } = this;
    const model = new Model(rules);
    const choose = (to: Asked) => sourcesFor(streams, to);
    return changeStream({ datastream, streams, model, granularityOf, choose, exactness }, step);
  }
}
