import assert from 'node:assert/strict';
import { Datastream } from '../../src/api/datastream.ts';
import type { Backend } from '../../src/backends/backend.ts';
import type { DatastreamWarning } from '../../src/exceptions/warnings.ts';
import { type AggregateStep, applyAggregate, siteTags } from './aggregate-steps.ts';
import { type ChangeStep, changeStream } from './change-step.ts';
import { watermarksOf } from './compare.ts';
import { applyData, isDataStep } from './data-steps.ts';
import { type Asked, derive, exactness, sourcesFor } from './derive-step.ts';
import { freeze, freezeRedefined } from './frozen.ts';
import type { Step } from './history.ts';
import { isKept } from './kept-steps.ts';
import { applyLadder } from './ladder-steps.ts';
import { extraOf } from './levels-step.ts';
import { Model, type ModelStream, type Rules } from './model.ts';
import { noteExpiry, type RetainStep, retain } from './retain-step.ts';
import { nothingYet, type RunStream } from './run-stream.ts';
import { type Extra, NO_EXTRA, PLAIN_SETTING, type Setting } from './setting.ts';
import { downsamplersOf, rulesOf } from './statistics.ts';
import { granularityOf, msOf } from './units.ts';

/** How long after the beginning of a history the engines live: all of its data are older. */
const LIFE_SECONDS = 400 * 86_400;
/** Of the streams that derive from nothing, in turn. */
const SITES = ['x', 'y'] as const;
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
  readonly setting?: Setting;
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
  readonly #setting: Setting;
  #nameCount = 0;
  /** Gives a name that no stream had. */
  readonly takeName: () => number = () => this.#nameCount++;
  #nowMs: number;
  /** Whether rows of a stream may expire, or have. */
  isRetaining = false;
  readonly #failures: DatastreamWarning[] = [];
  readonly #live: RunOptions['live'];

  constructor(store: RunStore, { live = 'none', setting = PLAIN_SETTING }: RunOptions = {}) {
    this.#store = store;
    this.#setting = setting;
    this.#nowMs = msOf(this.now);
    this.#live = store.backend.supports.liveLevels ? live : 'none';
    this.datastream = this.#open(store.backend, this.#live !== 'none');
    this.other = this.#open(store.other, this.#live === 'both');
    this.rules = rulesOf(store.backend.supports);
  }

  /** Seconds since 1970 at which the history began. */
  get start(): number {
    return this.#setting.start;
  }

  /** Seconds since 1970 at which the engines live. */
  get now(): number {
    return this.start + LIFE_SECONDS;
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

  async begin(): Promise<void> {
    const plain = { isNumeric: true, hasMore: false } as const;
    await this.#addBase(1, plain);
    await this.#addBase(1, plain);
    await this.#addBase(1, { isNumeric: true, hasMore: true });
    await this.#addBase(10, { isNumeric: true, hasMore: true, heartbeat: 45 });
    await this.#addBase(1, { isNumeric: false, hasMore: true });
    this.baseStreams = [...this.streams];
  }

  async #addBase(
    highest: number,
    kind: Pick<ModelStream, 'isNumeric' | 'hasMore' | 'heartbeat'>,
  ): Promise<void> {
    const index = this.streams.length;
    const { name: highestGranularity } = granularityOf(highest);
    const extra = this.#extraOf(index, highestGranularity);
    const site = SITES[index % SITES.length]!;
    const id = await this.datastream.ensureStream(
      { name: this.takeName() },
      {
        tags: siteTags(site),
        valueType: kind.isNumeric ? 'numeric' : 'nominal',
        valueTypeOptions: kind.heartbeat === undefined ? {} : { heartbeat: kind.heartbeat },
        valueDownsamplers: downsamplersOf(kind, this.datastream.supports),
        highestGranularity,
        ...(extra.levels.length > 0 && extra),
      },
    );
    const flags = { ...kind, hasExactSums: true, isExact: true };
    const model: ModelStream = {
      ...flags,
      ...nothingYet(),
      highest,
      extra,
      site,
      derivation: null,
    };
    this.streams.push({ id, model, latest: this.start });
  }

  #extraOf(index: number, highest: string): Extra {
    const { timeZone, levels } = this.#setting.extras[index] ?? NO_EXTRA;
    const possible = extraOf(levels, highest, timeZone);
    const isPossible = this.datastream.supports.extraLevels && possible.length > 0;
    return isPossible ? { timeZone, levels: possible } : NO_EXTRA;
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
    await noteExpiry(this);
    const models = this.streams.map(({ model }) => model);
    freeze(models, new Model(this.rules, { watermarks: await watermarksOf(this) }));
  }

  async #retain(step: RetainStep): Promise<void> {
    this.isRetaining = true;
    const { datastream, streams } = this;
    const livingAt = async (t: number, action: () => Promise<void>): Promise<void> => {
      this.#nowMs = msOf(t);
      await action();
      this.#nowMs = msOf(this.now);
    };
    const maintain = async (): Promise<void> => {
      await datastream.downsampleStreams({ until: msOf(this.start + 10_000_000) });
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

  get #canDerive(): boolean {
    return this.streams.length < this.baseStreams.length + DERIVED_COUNT_MAX;
  }

  async #apply(step: Step): Promise<void> {
    if (isDataStep(step)) return applyData(this, step);
    switch (step.kind) {
      case 'derive':
        if (this.#canDerive) await derive(this, step);
        return;
      case 'aggregate':
        if (this.#canDerive) await this.#aggregate(step);
        return;
      case 'requery':
      case 'move':
      case 'delete':
        return this.#aggregate(step);
      case 'levels':
      case 'heartbeat':
        return applyLadder(this, step);
      case 'downsamplers':
      case 'redefine':
        return this.#change(step);
      case 'retain':
        return this.#retain(step);
      case 'switch':
        [this.datastream, this.other] = [this.other, this.datastream];
        return;
      case 'reopen':
        await this.#store.reopen?.();
        this.datastream = this.#open(this.#store.backend, this.#live !== 'none');
        this.other = this.#open(this.#store.other, this.#live === 'both');
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

  /** All as it is before a definition changes: what of it cannot be computed any more then stays. */
  async #modelBefore(): Promise<Model> {
    if (this.isRetaining) await this.settle();
    await this.noteExpiry();
    return new Model(this.rules, { watermarks: await watermarksOf(this) });
  }

  async #aggregate(step: AggregateStep): Promise<void> {
    if (!this.isRetaining) return applyAggregate(this, step);
    const model = await this.#modelBefore();
    const before = new Map(this.streams.map((stream) => [stream, model.rows(stream.model)]));
    await applyAggregate(this, step);
    for (const stream of this.streams) {
      if (!stream.model.derivation?.isOverQuery) continue;
      freezeRedefined(stream.model, before.get(stream) ?? []);
    }
  }

  async #change(step: ChangeStep): Promise<void> {
    const model = await this.#modelBefore();
    const { datastream, streams, rules } = this;
    const choose = (to: Asked) => sourcesFor(streams, to);
    return changeStream(
      { datastream, streams, rules, model, granularityOf, choose, exactness },
      step,
    );
  }
}
