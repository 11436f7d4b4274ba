import assert from 'node:assert/strict';
import { Datastream } from '../api/datastream.ts';
import type { Datapoint, DataRange, DownsampledDatapoint, StreamDefinition } from '../api/types.ts';
import type { Backend } from '../backends/backend.ts';
import type { DatastreamWarning } from '../exceptions/warnings.ts';
import { Granularity } from '../model/granularity.ts';
import type { StreamId } from '../model/stream.ts';

/** One isolated store for one test. */
export interface Store {
  /** Open. */
  readonly backend: Backend;
  /** Closes the backend and opens the same data again. Exactly the durable backends have it. */
  reopen?(): Promise<Backend>;
  /** Opens the same data once more, as another process would. Backends that several processes may use have it. */
  another?(): Promise<Backend>;
  /** Closes whatever is open and removes the data. */
  dispose(): Promise<void>;
}

/** Makes a fresh store at each call. `now` is the clock by which leases run out. */
export type Factory = (options?: { readonly now?: () => Date }) => Promise<Store>;

/** The test functions of the runner at hand; those of Jest, Vitest, Mocha and node:test all fit. */
export interface Runner {
  describe(name: string, body: () => void): void;
  test(name: string, body: () => Promise<void>): void;
}

/** What each topic of the suite registers its tests with. */
export interface Suite {
  /** The body gets a store of its own. */
  test(name: string, body: (fixture: Fixture) => Promise<void>): void;
}

/** Noon of a Saturday: the start of a bucket of every granularity but days. */
export const BASE_MS: number = Date.UTC(2000, 0, 1, 12);

/** The instant so many seconds after `BASE_MS`. */
export function at(seconds: number): Date {
  return new Date(BASE_MS + seconds * 1000);
}

const NUMERIC_DOWNSAMPLERS: readonly string[] = Object.freeze([
  'mean',
  'sum',
  'min',
  'max',
  'sum_squares',
  'std_dev',
  'count',
]);

/** A store, an engine on it, a clock that only the test moves, and the warnings so far. */
export class Fixture {
  readonly store: Store;
  readonly warnings: DatastreamWarning[] = [];
  backend: Backend;
  datastream: Datastream;
  /** The time of the engine and of leases. Starts ten days after `BASE_MS`. */
  nowMs: number = BASE_MS + 10 * 86_400_000;

  private constructor(store: Store) {
    this.store = store;
    this.backend = store.backend;
    this.datastream = this.open(store.backend);
  }

  static async create(factory: Factory): Promise<Fixture> {
    const clock: { fixture?: Fixture } = {};
    const store = await factory({ now: () => new Date(clock.fixture?.nowMs ?? BASE_MS) });
    clock.fixture = new Fixture(store);
    return clock.fixture;
  }

  /** What holds of levels that maintenance stores, or of ones that the server computes when they are read. */
  byLevels<T>(wanted: { readonly stored: T; readonly computed: T }): T {
    return wanted[this.backend.supports.levels];
  }

  /** Whether streams may have the value downsampler. */
  hasValue(name: string): boolean {
    const { valueDownsamplers } = this.backend.supports;
    return valueDownsamplers === 'all' || valueDownsamplers.includes(name);
  }

  /** Whether buckets know the time downsampler. */
  hasTime(name: string): boolean {
    const { timeDownsamplers } = this.backend.supports;
    return timeDownsamplers === 'all' || timeDownsamplers.includes(name);
  }

  /** Ensures a stream; null after asserting the refusal where the store lacks one of its downsamplers. */
  async ensureWith(
    name: string,
    definition: Partial<StreamDefinition> & { readonly valueDownsamplers: readonly string[] },
  ): Promise<StreamId | null> {
    if (definition.valueDownsamplers.every((downsampler) => this.hasValue(downsampler))) {
      return this.ensure(name, definition);
    }
    await assertCode(() => this.ensure(name, definition), 'UNSUPPORTED_DOWNSAMPLER');
    assert.equal(await this.datastream.findStreams({ name }).count(), 0);
    return null;
  }

  /**
   * Seconds from `BASE_MS` to the first datapoint of a bucket; where buckets do not know it, to their
   * start, which their mean is there.
   */
  startOf({ t }: Pick<Datapoint, 't'>): number {
    return secondsOf(this.hasTime('first') ? t.a : t.m);
  }

  /** Until when levels are computed, as seconds after `BASE_MS`, from 10seconds on; null: not at all. */
  async watermarks(streamId: StreamId): Promise<(number | null)[]> {
    const { downsampledUntil } = await this.datastream.getStream(streamId);
    return Object.values(downsampledUntil).map((until) => (until ? secondsOf(until) : null));
  }

  /** Another engine on the backend, with the same clock and list of warnings. */
  open(backend: Backend): Datastream {
    return new Datastream(backend, {
      now: () => new Date(this.nowMs),
      onWarning: (warning) => this.warnings.push(warning),
    });
  }

  /** Continues on a closed and opened store. */
  async reopen(): Promise<void> {
    assert(this.store.reopen !== undefined, 'a durable backend can be reopened');
    this.backend = await this.store.reopen();
    this.datastream = this.open(this.backend);
  }

  /** Ensures a stream tagged `{ name }`; numeric, by the second, with most downsamplers by default. */
  async ensure(name: string, definition: Partial<StreamDefinition> = {}): Promise<StreamId> {
    return this.datastream.ensureStream({ name }, defined(definition));
  }

  async derive(
    name: string,
    deriveOp: string,
    deriveFrom: NonNullable<StreamDefinition['deriveFrom']>,
    definition: Partial<StreamDefinition> = {},
  ): Promise<StreamId> {
    return this.ensure(name, { deriveOp, deriveFrom, ...definition });
  }

  /** Appends one value a second, from `startSeconds` after `BASE_MS`. */
  async appendSeries(
    streamId: StreamId,
    values: readonly unknown[],
    startSeconds = 0,
  ): Promise<void> {
    for (const [index, value] of values.entries()) {
      await this.datastream.append(streamId, value, at(startSeconds + index));
    }
  }

  /** Appends the values of two streams, one pair a second. */
  async appendPairs(
    [a, b]: readonly [StreamId, StreamId],
    pairs: readonly (readonly [unknown, unknown])[],
  ): Promise<void> {
    for (const [second, [valueA, valueB]] of pairs.entries()) {
      await this.datastream.append(a, valueA, at(second));
      await this.datastream.append(b, valueB, at(second));
    }
  }

  /** Appends one number a second in one call. */
  async appendNumbers(
    streamId: StreamId,
    values: readonly number[],
    startSeconds = 0,
  ): Promise<void> {
    await this.datastream.appendColumns(streamId, {
      timestamps: Float64Array.from(values, (_, i) => BASE_MS + (startSeconds + i) * 1000),
      values: Float64Array.from(values),
    });
  }

  /** Reads everything, or the range. */
  async read(
    streamId: StreamId,
    granularity: Granularity = Granularity.Seconds,
    range: DataRange = { start: BASE_MS - 40 * 86_400_000 },
  ): Promise<Datapoint[]> {
    return [...(await this.datastream.getData(streamId, granularity, range).toArray())];
  }

  /** Raw datapoints as `[seconds after BASE_MS, value]`. */
  async readRaw(streamId: StreamId): Promise<(readonly [number, unknown])[]> {
    const { highestGranularity } = await this.datastream.getStream(streamId);
    const rows = await this.read(streamId, highestGranularity);
    return rows.map(({ t, v }) => [secondsOf(t), v] as const);
  }

  /** Values of one letter of each bucket. */
  async readLetter(
    streamId: StreamId,
    granularity: Granularity,
    letter: string,
  ): Promise<unknown[]> {
    const rows: DownsampledDatapoint[] = await this.read(streamId, granularity);
    return rows.map(({ v }) => v?.[letter]);
  }

  /** Maintenance until all that can be computed is: a level can feed a derived stream with levels. */
  async settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await this.datastream.downsampleStreams();
      await this.datastream.backprocessStreams();
    }
  }

  /** What is stored is what its sources give, and nothing is left to do. */
  async assertVerified(): Promise<void> {
    const differences: unknown[] = [];
    const report = await this.datastream.verify({ onDifference: (d) => differences.push(d) });
    assert.deepEqual(differences, []);
    assert.equal(report.differenceCount, 0);
  }
}

/** A definition with the defaults of `Fixture.ensure`. */
export function defined(definition: Partial<StreamDefinition> = {}): StreamDefinition {
  const isNumeric = (definition.valueType ?? 'numeric') === 'numeric';
  return {
    valueDownsamplers: isNumeric ? NUMERIC_DOWNSAMPLERS : ['count'],
    highestGranularity: Granularity.Seconds,
    ...definition,
  };
}

/** Seconds from `BASE_MS` to the instant. */
export function secondsOf(instant: Date): number {
  return (instant.getTime() - BASE_MS) / 1000;
}

/**
 * Asserts that two JSON values are equal. A value that went through `structuredClone` has the prototypes
 * of the main realm, and a runner may put tests into another one.
 */
export function assertJson(actual: unknown, wanted: unknown): void {
  assert.deepEqual(JSON.parse(JSON.stringify(actual)), wanted);
}

/** Asserts that the call fails with the code, at once or by its promise. */
export async function assertCode(call: () => unknown, code: string): Promise<void> {
  await assert.rejects(
    async () => call(),
    (error: { code?: unknown }) => {
      assert.equal(error.code, code, `expected ${code}, got ${String(error)}`);
      return true;
    },
  );
}

/** Asserts that the call fails as misuse by the programmer does. */
export async function assertMisuse(call: () => unknown): Promise<void> {
  await assert.rejects(
    async () => call(),
    (error) => error instanceof TypeError || error instanceof RangeError,
  );
}
