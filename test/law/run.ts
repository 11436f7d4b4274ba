import assert from 'node:assert/strict';
import { Datastream } from '../../src/api/datastream.ts';
import type { DeriveFrom, StreamDefinition } from '../../src/api/types.ts';
import type { Backend } from '../../src/backends/backend.ts';
import type { BackendManifest } from '../../src/backends/manifest.ts';
import type { DatastreamWarning } from '../../src/exceptions/warnings.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { groupOf } from './bucket.ts';
import { type ChangeStep, changeStream } from './change-step.ts';
import { expressionOver, named } from './expression.ts';
import type { Step } from './history.ts';
import {
  type Derivation,
  LEVELS,
  LIMITS,
  Model,
  type ModelStream,
  type Rules,
  type Source,
} from './model.ts';
import { MORE_NOMINAL, MORE_NUMERIC } from './more-statistics.ts';
import { keptFrom, noteExpiry, type RetainStep, retain } from './retain-step.ts';
import { isTimeOperator, timeArguments } from './time-operators.ts';

export const BASE_MS: number = Date.UTC(2000, 0, 1, 12);
/** Later than all data of a history. */
const NOW_MS = BASE_MS + 400 * 86_400_000;
const NUMERIC = {
  mean: 'm',
  sum: 's',
  min: 'l',
  max: 'u',
  sum_squares: 'q',
  std_dev: 'd',
  count: 'c',
} as const;
const NOMINAL = { count: 'c', most_often: 'o', least_often: 'r', frequencies: 'f' } as const;
const TIMES = {
  mean: 'm',
  first: 'a',
  last: 'z',
  intervals_mean: 'i',
  intervals_min: 'l',
  intervals_max: 'u',
  intervals_sum_squares: 'q',
  intervals_std_dev: 'd',
} as const;
/** Of one stream: they are compared by `verify` with those that the model knows. */
const EXTRA_LEVELS = {
  levels: ['30seconds', '5minutes', '12hours', 'weeks', 'months'],
  timeZone: 'Asia/Kathmandu',
} as const;
const DERIVED_COUNT_MAX = 6;
const SETTLE_ROUND_COUNT_MAX = 6;
const LATE = { checkTimestamp: false } as const;

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

export interface RunStream {
  readonly id: StreamId;
  readonly model: ModelStream;
  /** Seconds of the latest datapoint that this run appended. */
  latest: number;
}

export function granularityOf(seconds: number): Granularity {
  return Granularity.values[LEVELS.indexOf(seconds)]!;
}

export function msOf(t: number): number {
  return BASE_MS + t * 1000;
}

function nothingYet(): Pick<ModelStream, 'arrivals' | 'reached'> {
  return { arrivals: [], reached: Number.NEGATIVE_INFINITY };
}

/** The pairs whose names the manifest has. */
function selected(
  letters: Readonly<Record<string, string>>,
  names: readonly string[] | 'all',
): readonly (readonly [name: string, letter: string])[] {
  return Object.entries(letters).filter(([name]) => names === 'all' || names.includes(name));
}

function rulesOf(supports: BackendManifest): Rules {
  const lettersOf = (
    letters: Readonly<Record<string, string>>,
    names: readonly string[] | 'all',
  ): ReadonlySet<string> => new Set(selected(letters, names).map(([, letter]) => letter));
  return {
    keepsEqualTimestamps: supports.equalTimestamps,
    hasComputedLevels: supports.levels === 'computed',
    letters: {
      v: lettersOf(
        { ...NUMERIC, ...NOMINAL, ...MORE_NUMERIC, ...MORE_NOMINAL },
        supports.valueDownsamplers,
      ),
      t: lettersOf(TIMES, supports.timeDownsamplers),
    },
  };
}

/** What a stream is to derive from, as far as there are such streams. */
type Asked = Pick<Step & { kind: 'derive' }, 'op' | 'picks' | 'isCoarse'>;

/** Whether sums over the datapoints of a derived stream have no rounding, and whether these are exact. */
function exactness({
  op,
  sources,
}: Derivation): readonly [hasExactSums: boolean, isExact: boolean] {
  return [
    op === 'sum' && sources.every((s) => !s.level && s.stream.hasExactSums),
    sources.every((s) => (s.level === null ? s.stream.isExact : s.stream.hasExactSums)),
  ];
}

/** Drives the engine through a history, and keeps for the model what was appended and derived. */
export class Run {
  readonly #store: RunStore;
  readonly rules: Rules;
  readonly streams: RunStream[] = [];
  datastream: Datastream;
  /** A second engine on the same store, with memories of its own. */
  #other: Datastream;
  #baseCount = 0;
  #nowMs = NOW_MS;
  /** Whether rows of a stream may have expired. */
  #isRetaining = false;
  readonly #failures: DatastreamWarning[] = [];
  readonly #live: RunOptions['live'];

  constructor(store: RunStore, { live = 'none' }: RunOptions = {}) {
    this.#store = store;
    this.#live = store.backend.supports.liveLevels ? live : 'none';
    this.datastream = this.#open(store.backend, this.#live !== 'none');
    this.#other = this.#open(store.other, this.#live === 'both');
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
    this.#baseCount = this.streams.length;
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
        valueDownsamplers: this.#downsamplers(kind),
        highestGranularity: granularityOf(highest),
        ...(this.#store.backend.supports.extraLevels && extra),
      },
    );
    const flags = { ...kind, hasExactSums: true, isExact: true };
    const model: ModelStream = { ...flags, ...nothingYet(), highest, derivation: null };
    this.streams.push({ id, model, latest: 0 });
  }

  #downsamplers({ isNumeric, hasMore }: Pick<ModelStream, 'isNumeric' | 'hasMore'>): string[] {
    const { valueDownsamplers } = this.datastream.supports;
    const usual = isNumeric ? NUMERIC : NOMINAL;
    const more = isNumeric ? MORE_NUMERIC : MORE_NOMINAL;
    const letters = hasMore ? { ...usual, ...more } : usual;
    return selected(letters, valueDownsamplers).map(([name]) => name);
  }

  async apply(step: Step): Promise<void> {
    if (!this.#isRetaining || (await this.#isKept(step))) await this.#apply(step);
    await this.noteExpiry();
    this.#assertNoWarnings();
    // Also what follows appends is right at any time.
    if (this.#live !== 'none') await this.#verify();
  }

  /** Tells the model what has expired until now. */
  async noteExpiry(): Promise<void> {
    if (!this.#isRetaining) return;
    const secondsOf = (instant: Date): number => (instant.getTime() - BASE_MS) / 1000;
    const levelOf = (name: string): number | undefined =>
      LEVELS.find((level) => granularityOf(level).name === name);
    await noteExpiry(this, secondsOf, levelOf);
  }

  /**
   * Whether a step changes nothing that has expired, nor what derives from other streams where those have
   * expired. One that the engine has to refuse is tried.
   */
  async #isKept(step: Step): Promise<boolean> {
    const expired = this.streams.filter(({ model }) => (model.expired?.size ?? 0) > 0);
    if (expired.length === 0) return true;
    if (step.kind === 'derive' || step.kind === 'redefine' || step.kind === 'downsamplers') {
      return false;
    }
    const lastCut = Math.max(...expired.map(({ model }) => keptFrom(model, model.highest)));
    const touched = this.#touchedBy(step);
    const refused = touched.find(({ stream: { model }, t }) => t < keptFrom(model, model.highest));
    if (refused !== undefined) {
      const { id } = refused.stream;
      const range = { start: msOf(refused.t), end: msOf(refused.t + 1000) };
      for (const refusal of [
        this.datastream.append(id, null, msOf(refused.t), LATE),
        this.datastream.upsert(id, null, msOf(refused.t)),
        this.datastream.deleteData(id, range),
      ]) {
        await assert.rejects(refusal, { code: 'INVALID_TIMESTAMP' });
      }
    }
    return touched.every(({ t }) => t >= lastCut);
  }

  /** The streams that a step changes, each with a time before which it changes nothing. */
  #touchedBy(step: Step): readonly { readonly stream: RunStream; readonly t: number }[] {
    const behind = (pick: number, back: number): { stream: RunStream; t: number } => {
      const stream = this.#base(pick);
      return { stream, t: stream.latest - back };
    };
    switch (step.kind) {
      case 'append':
      case 'columns':
        return [behind(step.stream, 0)];
      case 'group':
        return [behind(step.stream % 4, 0)];
      case 'late':
        return [behind(step.stream, step.back)];
      case 'lateColumns':
        return [behind(step.stream, Math.max(0, ...step.rows.map(([back]) => back)))];
      case 'tick':
        return [0, 1, 2].map((pick) => behind(pick, 0));
      case 'multiple':
        return step.rows.map(([pick]) => behind(pick, 0));
      case 'together':
        return step.rows.map(([back], pick) => behind(pick, back));
      case 'replace':
        return [behind(step.stream, step.back)];
      case 'upsert':
        return step.rows.map(([pick, back]) => behind(pick, back));
      default:
        return [];
    }
  }

  async #retain(step: RetainStep): Promise<void> {
    this.#isRetaining = true;
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
    switch (step.kind) {
      case 'append':
        return this.#append(this.#base(step.stream), step.gap, step.value);
      case 'late':
        return this.#late(this.#base(step.stream), [[step.back, step.value]]);
      case 'lateColumns':
        return this.#late(this.#base(step.stream), step.rows);
      case 'columns':
        return this.#columns(this.#base(step.stream), step.rows);
      case 'tick':
        return this.#tick(step.gap, step.values);
      case 'multiple':
        return this.#multiple(step.rows);
      case 'group':
        return this.#group(this.#base(step.stream % 4), step);
      case 'maintain':
        return this.#maintain(step.what, step.until);
      case 'derive':
        return this.#derive(step);
      case 'together':
        return this.#together(step.rows, step.isMaintained);
      case 'replace':
        return this.#replace(this.#base(step.stream), step);
      case 'upsert':
        return this.#upsert(step.rows);
      case 'downsamplers':
      case 'redefine':
        return this.#change(step);
      case 'retain':
        return this.#retain(step);
      case 'switch':
        [this.datastream, this.#other] = [this.#other, this.datastream];
        return;
      case 'reopen':
        if (this.#store.reopen !== undefined) {
          await this.#store.reopen();
          this.datastream = this.#open(this.#store.backend, this.#live !== 'none');
          this.#other = this.#open(this.#store.other, this.#live === 'both');
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

  #base(pick: number): RunStream {
    return this.streams[pick % this.#baseCount]!;
  }

  /** Notes an arrival, and returns the value as the stream takes it. */
  #arrive(stream: RunStream, t: number, value: number | null): unknown {
    const { model } = stream;
    const isNominal = !model.isNumeric;
    const v = isNominal && value !== null ? [0, 1, 'x', true][Math.abs(value * 4) % 4] : value;
    model.arrivals.push({ t, v });
    model.reached = Math.max(model.reached, t);
    stream.latest = Math.max(stream.latest, t);
    return v;
  }

  /** Notes that datapoints went. */
  #leave(stream: RunStream, isGone: (t: number) => boolean): void {
    const { model } = stream;
    model.arrivals = model.arrivals.filter(({ t }) => !isGone(t));
    if (model.arrivals.length > 0) stream.latest = Math.max(...model.arrivals.map(({ t }) => t));
  }

  async #replace(
    stream: RunStream,
    { back, seconds, rows }: Step & { kind: 'replace' },
  ): Promise<void> {
    const start = stream.latest - back;
    const end = start + seconds;
    const inside = rows.filter(([offset]) => offset < seconds);
    this.#leave(stream, (t) => t >= start && t < end);
    const data = inside.map(([offset, value]) => ({
      timestamp: msOf(start + offset),
      value: this.#arrive(stream, start + offset, value),
    }));
    const range = { start: msOf(start), endExclusive: msOf(end) };
    if (data.length === 0) await this.datastream.deleteData(stream.id, range);
    else await this.datastream.replaceData(stream.id, range, data);
  }

  async #upsert(
    rows: readonly (readonly [stream: number, back: number, value: number | null])[],
  ): Promise<void> {
    const placed = rows.map(([pick, back, value]) => {
      const stream = this.#base(pick);
      return { stream, t: stream.latest - back, value };
    });
    const items = placed.map(({ stream, t, value }) => {
      this.#leave(stream, (other) => other === t);
      return { streamId: stream.id, timestamp: msOf(t), value: this.#arrive(stream, t, value) };
    });
    await this.datastream.upsertMultiple(items);
  }

  async #append(stream: RunStream, gap: number, value: number | null): Promise<void> {
    const t = stream.latest + gap;
    await this.datastream.append(stream.id, this.#arrive(stream, t, value), msOf(t));
  }

  async #group(stream: RunStream, step: Step & { kind: 'group' }): Promise<void> {
    // Of a stream that keeps less than all, a group has other letters.
    if ((stream.model.hidden?.size ?? 0) > 0) return;
    const group = groupOf(step.values);
    if (this.datastream.supports.groupValues && !stream.model.hasMore) {
      return this.#append(stream, step.gap, group as unknown as number);
    }
    const timestamp = msOf(stream.latest + step.gap);
    const append = this.datastream.append(stream.id, group, timestamp);
    await assert.rejects(append, {
      code: stream.model.hasMore ? 'INVALID_VALUE' : 'NOT_SUPPORTED',
    });
  }

  async #late(
    stream: RunStream,
    rows: readonly (readonly [back: number, value: number | null])[],
  ): Promise<void> {
    const { latest } = stream;
    if (!stream.model.isNumeric || rows.length === 1) {
      for (const [back, value] of rows) {
        const v = this.#arrive(stream, latest - back, value);
        await this.datastream.append(stream.id, v, new Date(msOf(latest - back)), LATE);
      }
      return;
    }
    for (const [back, value] of rows) this.#arrive(stream, latest - back, value);
    const timestamps = Float64Array.from(rows, ([back]) => msOf(latest - back));
    const values = Float64Array.from(rows, ([, value]) => value ?? Number.NaN);
    await this.datastream.appendColumns(stream.id, { timestamps, values }, LATE);
  }

  async #columns(
    stream: RunStream,
    rows: readonly (readonly [gap: number, value: number | null])[],
  ): Promise<void> {
    const seconds: number[] = [];
    const arrived: unknown[] = [];
    for (const [gap, value] of rows) {
      seconds.push(stream.latest + gap);
      arrived.push(this.#arrive(stream, stream.latest + gap, value));
    }
    if (stream.model.isNumeric) {
      const timestamps = Float64Array.from(seconds, msOf);
      const values = Float64Array.from(rows, ([, value]) => value ?? Number.NaN);
      await this.datastream.appendColumns(stream.id, { timestamps, values });
    } else {
      await this.datastream.appendMultiple(
        arrived.map((value, i) => ({
          streamId: stream.id,
          value,
          timestamp: msOf(seconds[i]!),
        })),
      );
    }
  }

  async #tick(gap: number, values: readonly (number | null)[]): Promise<void> {
    const streams = this.streams.slice(0, 3);
    const t = Math.max(...streams.map(({ latest }) => latest)) + gap;
    for (const [index, stream] of streams.entries()) this.#arrive(stream, t, values[index]!);
    await this.datastream.appendTick(
      msOf(t),
      streams.map(({ id }) => id),
      Float64Array.from(values, (value) => value ?? Number.NaN),
    );
  }

  async #multiple(
    rows: readonly (readonly [stream: number, gap: number, value: number | null])[],
  ): Promise<void> {
    await this.datastream.appendMultiple(
      rows.map(([pick, gap, value]) => {
        const stream = this.#base(pick);
        const t = stream.latest + gap;
        const v = this.#arrive(stream, t, value);
        return { streamId: stream.id, value: v, timestamp: msOf(t) };
      }),
    );
  }

  /** One datapoint for each of some streams, through both engines at once, while maintenance runs. */
  async #together(
    rows: readonly (readonly [back: number, value: number | null])[],
    isMaintained: boolean,
  ): Promise<void> {
    const appends = rows.map(async ([back, value], index) => {
      const stream = this.streams[index]!;
      const t = stream.latest - back;
      const engine = index % 2 === 0 ? this.datastream : this.#other;
      await engine.append(stream.id, this.#arrive(stream, t, value), msOf(t), LATE);
    });
    const maintenance = isMaintained
      ? [this.#other.downsampleStreams(), this.datastream.backprocessStreams()]
      : [];
    await Promise.all([...appends, ...maintenance]);
  }

  async #maintain(what: 'downsample' | 'backprocess' | 'both', until: number): Promise<void> {
    if (what !== 'backprocess') await this.datastream.downsampleStreams({ until: msOf(until) });
    if (what !== 'downsample') await this.datastream.backprocessStreams();
  }

  async #derive(step: Step & { kind: 'derive' }): Promise<void> {
    if (this.streams.length >= this.#baseCount + DERIVED_COUNT_MAX) return;
    const chosen = this.#sources(step);
    if (chosen === null) return;
    const { own, streams } = chosen;
    const hasLevels = streams.some(({ model }) => model.highest < own);
    const isBackprocessed = step.isBackprocessed || hasLevels;
    const sources: Source[] = [];
    for (const { id, model } of streams) {
      const { latestDatapoint, pendingBackprocess } = await this.datastream.getStream(id);
      // Where the history of a source that has still to be processed will end, nobody knows: now.
      const endMs = pendingBackprocess ? NOW_MS : latestDatapoint?.getTime();
      const isSkipped = !isBackprocessed && endMs !== undefined;
      const after = isSkipped ? (endMs - BASE_MS) / 1000 : -Infinity;
      sources.push({ stream: model, level: model.highest < own ? own : null, after });
    }
    const hasMaximum = step.op === 'counter_derivative' || step.op === 'rate';
    const max = hasMaximum && step.hasMax ? 128 : null;
    const args = argsOf(step, { max, sourceCount: sources.length });
    const isNumeric = step.op !== 'counter_reset';
    const id = await this.datastream.ensureStream(
      { name: this.streams.length },
      {
        valueType: isNumeric ? 'numeric' : 'nominal',
        valueDownsamplers: this.#downsamplers({ isNumeric, hasMore: false }),
        highestGranularity: granularityOf(own),
        deriveOp: step.op,
        deriveFrom: streams.map(({ id: stream }, index): DeriveFrom => {
          const granularity = granularityOf(own);
          const isReset = step.op === 'counter_derivative' && index === 0;
          if (step.op === 'expression') return named({ stream, granularity }, index);
          return isReset ? { name: 'reset', stream, granularity } : { stream, granularity };
        }),
        deriveArgs: args,
        deriveBackprocess: isBackprocessed,
      },
    );
    const derivation: Derivation = { op: step.op, max, args, sources };
    const [hasExactSums, isExact] = exactness(derivation);
    const model: ModelStream = {
      ...nothingYet(),
      isNumeric,
      hasMore: false,
      highest: own,
      derivation,
      hasExactSums,
      isExact,
    };
    this.streams.push({ id, model, latest: 0 });
  }

  #change(step: ChangeStep): Promise<void> {
    const { datastream, streams, rules } = this;
    const model = new Model(rules);
    const choose = (to: Asked) => this.#sources(to);
    return changeStream({ datastream, streams, model, granularityOf, choose, exactness }, step);
  }

  /** Sources that the operator can take, and the granularity at which it then reads them. */
  #sources(step: Asked): { own: number; streams: readonly RunStream[] } | null {
    const isCounter = step.op.startsWith('counter') || step.op === 'rate';
    const candidates = this.streams.filter(({ model }) => {
      const isFit = step.isCoarse && model.highest < 60 ? model.hasExactSums : model.isExact;
      // A comparison of rounded numbers can come out differently in another order of additions.
      return model.isNumeric && (!isCounter || isFit);
    });
    const picked = [...new Set(step.picks.map((pick) => candidates[pick % candidates.length]!))];
    const own = step.isCoarse ? 60 : picked[0]!.model.highest;
    if (step.op === 'counter_derivative') {
      const data = picked[0]!;
      const resets = this.streams.filter((s) => !s.model.isNumeric && s.model.highest === own);
      const reset = resets[(step.picks[1] ?? 0) % Math.max(resets.length, 1)];
      return reset === undefined ? null : { own, streams: [reset, data] };
    }
    const isOverMany = step.op === 'sum' || step.op === 'expression';
    if (!isOverMany) return { own, streams: picked.slice(0, 1) };
    return { own, streams: picked.filter(({ model }) => model.highest <= own) };
  }
}

function argsOf(
  { op, hasMax }: Step & { kind: 'derive' },
  { max, sourceCount }: { max: number | null; sourceCount: number },
): Readonly<Record<string, unknown>> {
  if (isTimeOperator(op)) return timeArguments(op, hasMax);
  if (op === 'clamp') return LIMITS;
  if (op === 'expression') return { expression: expressionOver(sourceCount) };
  return max === null ? {} : { max_value: max };
}
