import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Datastream } from '../../src/api/datastream.ts';
import type { AppendedDatapoint, StreamDefinition } from '../../src/api/types.ts';
import type { Backend, CommitOutcome, GroupedCommit } from '../../src/backends/backend.ts';
import { EmbeddedBackend } from '../../src/backends/embedded/embedded-backend.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import type { Column } from '../../src/model/block.ts';
import { Granularity, lowerGranularities } from '../../src/model/granularity.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { ALL_TIME } from '../../src/model/time-range.ts';

const BASE_MS = Date.UTC(2024, 0, 1, 9, 58);
const LIVE = { liveDownsampling: true, now: () => new Date(BASE_MS + 400 * 86_400_000) } as const;
const LATE = { checkTimestamp: false } as const;

const PLAIN = {
  valueDownsamplers: ['mean', 'min', 'max', 'sum_squares', 'std_dev', 'count'],
  highestGranularity: 'seconds',
} as const;

/** Streams of every way in which open buckets are kept; the first ones take ticks. */
const DEFINITIONS: readonly StreamDefinition[] = [
  ...new Array(6).fill(PLAIN),
  ...new Array(5).fill({ valueDownsamplers: ['mean'], highestGranularity: '10seconds' }),
  { valueDownsamplers: ['median', 'max'], highestGranularity: 'seconds' },
  { valueDownsamplers: [], highestGranularity: 'seconds' },
  { ...PLAIN, highestGranularity: 'days' },
  {
    valueDownsamplers: ['sum', 'min'],
    highestGranularity: 'seconds',
    valueTypeOptions: { highAccuracy: true },
  },
  {
    valueDownsamplers: ['frequencies', 'count'],
    highestGranularity: 'minutes',
    valueType: 'nominal',
  },
];
const TICK_STREAM_COUNT = 14;
const NOMINAL = DEFINITIONS.length - 1;

function at(second: number): number {
  return BASE_MS + second * 1000;
}

async function memory(): Promise<MemoryBackend> {
  const backend = new MemoryBackend();
  await backend.open();
  return backend;
}

async function ensureAll(datastream: Datastream): Promise<StreamId[]> {
  const ids: StreamId[] = [];
  for (const [n, definition] of DEFINITIONS.entries()) {
    ids.push(await datastream.ensureStream({ n }, definition));
  }
  return ids;
}

/** Watermarks, staleness and rows of each level, to the bit. */
async function levelsOf(backend: Backend, streamId: StreamId): Promise<unknown> {
  const [snapshot] = await backend.readStreams([streamId]);
  const { record } = snapshot!;
  const levels: Record<string, unknown> = {};
  for (const granularity of lowerGranularities(record.highestGranularity)) {
    const request = { streamId, granularity, range: ALL_TIME, rowCountMax: 1e9 };
    const { block } = await backend.readPage(request);
    levels[granularity.name] = {
      state: record.levels[granularity.name] ?? { untilMs: null, stale: [] },
      timestamps: [...block.timestamps],
      columns: Object.fromEntries(
        Object.entries(block.timestamps.length === 0 ? {} : block.columns).map(([name, column]) => [
          name,
          bitsOf(column),
        ]),
      ),
    };
  }
  return levels;
}

function bitsOf(column: Column): unknown {
  if (!(column instanceof Float64Array)) return column;
  return Array.from(column, (value) => Buffer.from(Float64Array.of(value).buffer).toString('hex'));
}

async function assertVerified(datastream: Datastream): Promise<void> {
  const differences: unknown[] = [];
  await datastream.verify({ onDifference: (difference) => differences.push(difference) });
  expect(differences).toEqual([]);
}

const number: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.double({ noNaN: true, min: -1e9, max: 1e9 }) },
  { weight: 2, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(-0, 0, 5e-324, 1e308, -1e308, 0.1) },
);
const value: fc.Arbitrary<number | null> = fc.option(number, { freq: 5 });
const gap: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 20 }) },
  { weight: 3, arbitrary: fc.constant(10) },
  { weight: 2, arbitrary: fc.integer({ min: 50, max: 700 }) },
  { weight: 1, arbitrary: fc.integer({ min: 3000, max: 30_000 }) },
);

type Step =
  | { readonly kind: 'tick'; readonly plan: number; readonly gaps: number[]; readonly seed: number }
  | {
      readonly kind: 'append';
      readonly stream: number;
      readonly gap: number;
      readonly value: number | null;
    }
  | { readonly kind: 'columns'; readonly stream: number; readonly rows: [number, number | null][] }
  | {
      readonly kind: 'together';
      readonly stream: number;
      readonly gap: number;
      readonly seed: number;
    }
  | {
      readonly kind: 'late';
      readonly stream: number;
      readonly back: number;
      readonly value: number | null;
    }
  | {
      readonly kind: 'lateTick';
      readonly stream: number;
      readonly back: number;
      readonly seed: number;
    }
  | {
      readonly kind: 'foreign';
      readonly stream: number;
      readonly gap: number;
      readonly value: number | null;
    }
  | { readonly kind: 'maintain' }
  | { readonly kind: 'restart' };

const stream: fc.Arbitrary<number> = fc.nat({ max: DEFINITIONS.length - 1 });
const tick = fc.record({
  kind: fc.constant('tick' as const),
  plan: fc.nat({ max: 3 }),
  gaps: fc.array(gap, { minLength: 1, maxLength: 12 }),
  seed: fc.nat(),
});
const append = fc.record({ kind: fc.constant('append' as const), stream, gap, value });
const columns = fc.record({
  kind: fc.constant('columns' as const),
  stream,
  rows: fc.array(fc.tuple(gap, value), { minLength: 1, maxLength: 60 }),
});
const together = fc.record({ kind: fc.constant('together' as const), stream, gap, seed: fc.nat() });
const restart = fc.constant({ kind: 'restart' as const });
const inOrder: fc.Arbitrary<Step>[] = [
  tick,
  tick,
  tick,
  append,
  append,
  columns,
  together,
  restart,
];
const late = fc.record({
  kind: fc.constant('late' as const),
  stream,
  back: fc.oneof(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 9000 })),
  value,
});
const lateTick = fc.record({
  kind: fc.constant('lateTick' as const),
  stream: fc.nat({ max: TICK_STREAM_COUNT - 1 }),
  back: fc.integer({ min: 0, max: 40 }),
  seed: fc.nat(),
});
const foreign = fc.record({ kind: fc.constant('foreign' as const), stream, gap, value });
const maintain = fc.constant({ kind: 'maintain' as const });

const disorder: fc.Arbitrary<Step>[] = [late, late, lateTick, foreign, maintain, maintain];

/** Streams of a tick: plans overlap, and one has a stream of each kind of level. */
function planOf(plan: number): readonly number[] {
  const all = Array.from({ length: TICK_STREAM_COUNT }, (_, n) => n).filter((n) => n !== NOMINAL);
  if (plan === 0) return all;
  if (plan === 1) return all.filter((n) => n < 6);
  return all.filter((n) => (plan === 2 ? n % 2 === 0 : n > 3));
}

/** Small enough that rows and buckets move from the journal into blocks, and blocks split. */
const TUNING = { journalSizeMaxBytes: 2000, sizePerTailBytes: 100, blockRowCountTarget: 16 };

/** Opens the same store again and again. */
type Opening = () => Promise<Backend>;

function inMemory(): Opening {
  const opened = memory();
  return () => opened;
}

function inFolder(folder: string): Opening {
  return async () => {
    const backend = new EmbeddedBackend(folder, TUNING);
    await backend.open();
    return backend;
  };
}

/** Gives the same steps to a store whose levels follow, and to one where maintenance alone computes them. */
class Twins {
  readonly #open: Opening;
  #live: Backend;
  readonly #plain: Backend;
  readonly #ids: readonly [StreamId[], StreamId[]];
  #datastreams: readonly [Datastream, Datastream];
  readonly #latest: number[] = DEFINITIONS.map(() => 0);

  static async create(open: Opening = inMemory()): Promise<Twins> {
    const live = await open();
    const plain = await memory();
    const datastreams = [new Datastream(live, LIVE), new Datastream(plain)] as const;
    const ids = [await ensureAll(datastreams[0]), await ensureAll(datastreams[1])] as const;
    return new Twins({ open, live, plain }, datastreams, ids);
  }

  private constructor(
    {
      open,
      live,
      plain,
    }: { readonly open: Opening; readonly live: Backend; readonly plain: Backend },
    datastreams: readonly [Datastream, Datastream],
    ids: readonly [StreamId[], StreamId[]],
  ) {
    this.#open = open;
    this.#live = live;
    this.#plain = plain;
    this.#datastreams = datastreams;
    this.#ids = ids;
  }

  get datastream(): Datastream {
    return this.#datastreams[0];
  }

  async apply(step: Step): Promise<void> {
    switch (step.kind) {
      case 'restart':
        return this.#restart();
      case 'maintain':
        await Promise.all(this.#datastreams.map((datastream) => downsample(datastream)));
        return;
      case 'foreign':
        return this.#append(step, {}, [new Datastream(this.#live), this.#datastreams[1]]);
      case 'append':
        return this.#append(step);
      case 'late':
        return this.#append({ ...step, gap: -step.back }, LATE);
      case 'columns':
        return this.#columns(step);
      case 'tick':
        return this.#ticks(step);
      case 'together':
        return this.#together({ ...step, order: {} });
      case 'lateTick':
        return this.#together({ ...step, gap: -step.back, order: LATE });
    }
  }

  async close(): Promise<void> {
    await this.#live.close();
  }

  async #restart(): Promise<void> {
    // Open before the other is closed: as after a crash, when that one still has the journal.
    const live = await this.#open();
    if (live !== this.#live) await this.#live.close();
    this.#live = live;
    this.#datastreams = [new Datastream(live, LIVE), this.#datastreams[1]];
  }

  async assertSame(): Promise<void> {
    for (const n of DEFINITIONS.keys()) {
      const [live, plain] = this.#ids;
      expect(await levelsOf(this.#live, live[n]!)).toEqual(await levelsOf(this.#plain, plain[n]!));
    }
  }

  async downsample(): Promise<readonly AppendedDatapoint[]> {
    await this.#datastreams[1].downsampleStreams();
    return downsample(this.#datastreams[0]);
  }

  async #append(
    {
      stream: n,
      gap: seconds,
      value: number,
    }: (Step & { kind: 'append' }) | { stream: number; gap: number; value: number | null },
    options: { checkTimestamp?: false } = {},
    datastreams: readonly Datastream[] = this.#datastreams,
  ): Promise<void> {
    const second = this.#latest[n]! + seconds;
    this.#latest[n] = Math.max(this.#latest[n]!, second);
    for (const [index, datastream] of datastreams.entries()) {
      await datastream.append(this.#ids[index]![n]!, valueFor(n, number), at(second), options);
    }
  }

  async #columns({ stream: n, rows }: Step & { kind: 'columns' }): Promise<void> {
    const seconds = rows.map(([seconds]) => {
      this.#latest[n]! += seconds;
      return this.#latest[n]!;
    });
    const timestamps = Float64Array.from(seconds, at);
    const values =
      n === NOMINAL
        ? rows.map(([, number]) => valueFor(n, number))
        : Float64Array.from(rows, ([, number]) => number ?? Number.NaN);
    for (const [index, datastream] of this.#datastreams.entries()) {
      await datastream.appendColumns(this.#ids[index]![n]!, { timestamps, values });
    }
  }

  /** Several ticks in one commit. */
  async #ticks({ plan, gaps, seed }: Step & { kind: 'tick' }): Promise<void> {
    const streams = planOf(plan);
    const ticks = gaps.map((seconds, index) => {
      const second = Math.max(...streams.map((n) => this.#latest[n]!)) + seconds;
      for (const n of streams) this.#latest[n] = second;
      return { second, values: Float64Array.from(streams, (n) => noise(seed + index * 31 + n)) };
    });
    for (const [index, datastream] of this.#datastreams.entries()) {
      const ids = Object.freeze(streams.map((n) => this.#ids[index]![n]!));
      await Promise.all(
        ticks.map(({ second, values }) => datastream.appendTick(at(second), ids, values)),
      );
    }
  }

  /** A tick, a datapoint of one of its streams, and another tick, in one commit. */
  async #together({
    stream: n,
    gap: seconds,
    seed,
    order,
  }: {
    readonly stream: number;
    readonly gap: number;
    readonly seed: number;
    readonly order: { checkTimestamp?: false };
  }): Promise<void> {
    const streams = planOf(0);
    const start = Math.max(...this.#latest) + Math.max(seconds, 0);
    const second = start + Math.min(seconds, 0);
    for (const m of streams) this.#latest[m] = start + 25;
    this.#latest[n] = Math.max(this.#latest[n]!, second, streams.includes(n) ? start + 25 : 0);
    const values = Float64Array.from(streams, (m) => noise(seed + m));
    for (const [index, datastream] of this.#datastreams.entries()) {
      const ids = Object.freeze(streams.map((m) => this.#ids[index]![m]!));
      await Promise.all([
        datastream.appendTick(at(start), ids, values),
        datastream.append(this.#ids[index]![n]!, valueFor(n, noise(seed)), at(second), order),
        datastream.appendTick(at(start + 25), ids, values),
      ]);
    }
  }
}

function downsample(datastream: Datastream): Promise<AppendedDatapoint[]> {
  return datastream.downsampleStreams({ returnDatapoints: true });
}

function valueFor(n: number, number: number | null): unknown {
  if (number === null || Number.isNaN(number)) return null;
  return n === NOMINAL ? ['up', 'down', { x: 1 }][Math.abs(Math.trunc(number)) % 3] : number;
}

/** NaN now and then. */
function noise(seed: number): number {
  const mixed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) >>> 0;
  return mixed % 7 === 0 ? Number.NaN : mixed / 1000 - 2e6;
}

describe('levels that follow appends', () => {
  test('hold what maintenance would compute, and leave it nothing to do, after any appends in order', async () => {
    const histories = fc.array(fc.oneof(...inOrder), { maxLength: 14, size: 'max' });
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const twins = await Twins.create();
        for (const step of steps) await twins.apply(step);
        await assertVerified(twins.datastream);
        expect(await twins.downsample()).toEqual([]);
        await twins.assertSame();
      }),
      { numRuns: 40 },
    );
  });

  test('are right at any time, and what maintenance would compute after it, whatever happens', async () => {
    const histories = fc.array(fc.oneof(...inOrder, ...disorder), { maxLength: 14, size: 'max' });
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const twins = await Twins.create();
        for (const step of steps) {
          await twins.apply(step);
          await assertVerified(twins.datastream);
        }
        await twins.downsample();
        await twins.assertSame();
      }),
      { numRuns: 40 },
    );
  });

  test('do the same on the embedded store', async () => {
    const histories = fc.array(fc.oneof(...inOrder, ...disorder), { maxLength: 12, size: 'max' });
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const folder = await mkdtemp(join(tmpdir(), 'datastream-live-'));
        const twins = await Twins.create(inFolder(folder));
        try {
          for (const step of steps) {
            await twins.apply(step);
            await assertVerified(twins.datastream);
          }
          await twins.downsample();
          await twins.assertSame();
        } finally {
          await twins.close();
          await rm(folder, { recursive: true, force: true });
        }
      }),
      { numRuns: 15 },
    );
  });

  test('bring a bucket with the datapoint that completes it, and coarser ones with it', async () => {
    const datastream = new Datastream(await memory(), LIVE);
    const id = await datastream.ensureStream({ n: 1 }, PLAIN);
    const until = async () => (await datastream.getStream(id)).downsampledUntil;
    await datastream.append(id, 1, at(3));
    await datastream.append(id, 2, at(9));
    expect((await until())['10seconds']).toBeNull();
    await datastream.append(id, null, at(10));
    expect((await until())['10seconds']).toEqual(new Date(at(10)));
    await datastream.append(id, 4, at(60));
    expect(await until()).toMatchObject({ '10seconds': new Date(at(60)), minutes: null });
    await datastream.append(id, 4, at(70));
    expect((await until()).minutes).toEqual(new Date(at(60)));
    const [minute] = await datastream.getData(id, 'minutes', { start: at(0) }).toArray();
    expect(minute).toMatchObject({ v: { c: 2, m: 1.5 } });
  });

  test('are left to maintenance where history has none, and follow once it has caught up', async () => {
    const backend = await memory();
    const id = await new Datastream(backend).ensureStream({ n: 1 }, PLAIN);
    const seconds = Float64Array.from({ length: 2000 }, (_, n) => at(n));
    await new Datastream(backend).appendColumns(id, { timestamps: seconds, values: seconds });
    const datastream = new Datastream(backend, LIVE);
    await datastream.append(id, 1, at(2000));
    expect((await datastream.getStream(id)).downsampledUntil['10seconds']).toBeNull();
    await datastream.downsampleStreams();
    await datastream.append(id, 1, at(2010));
    expect((await datastream.getStream(id)).downsampledUntil['10seconds']).toEqual(
      new Date(at(2010)),
    );
    expect(await downsample(datastream)).toEqual([]);
    await assertVerified(datastream);
  });

  test('are left to maintenance where others derive from them: these follow with it', async () => {
    const datastream = new Datastream(await memory(), LIVE);
    const id = await datastream.ensureStream({ n: 1 }, PLAIN);
    const sum = await datastream.ensureStream(
      { n: 2 },
      {
        ...PLAIN,
        highestGranularity: 'minutes',
        deriveOp: 'sum',
        deriveFrom: [{ stream: id, granularity: 'minutes' }],
      },
    );
    for (let second = 0; second < 600; second += 10) await datastream.append(id, 1, at(second));
    expect((await datastream.getStream(id)).downsampledUntil['minutes']).toBeNull();
    await datastream.downsampleStreams();
    await datastream.backprocessStreams();
    expect(await datastream.getData(sum, 'minutes', { start: 0 }).count()).toBeGreaterThan(0);
    await assertVerified(datastream);
  });

  test('of derived streams follow with their sources', async () => {
    const datastream = new Datastream(await memory(), LIVE);
    const ids: StreamId[] = [];
    for (let n = 0; n < 5; n++) ids.push(await datastream.ensureStream({ n }, PLAIN));
    const rate = await datastream.ensureStream(
      { n: 'rate' },
      { ...PLAIN, deriveOp: 'derivative', deriveFrom: ids[0]! },
    );
    const sum = await datastream.ensureStream(
      { n: 'sum' },
      { ...PLAIN, deriveOp: 'sum', deriveFrom: ids },
    );
    for (let second = 0; second < 700; second += 5) {
      const values = Float64Array.from(ids, (_, n) => n * second);
      await datastream.appendTick(at(second), ids, values);
      // Apart from the others, so that the sum's open bucket is replaced.
      await datastream.append(ids[1]!, second, at(second));
    }
    for (const id of [rate, sum, ...ids]) {
      const { downsampledUntil } = await datastream.getStream(id);
      expect(downsampledUntil['10minutes']).toEqual(new Date(BASE_MS + 120_000));
    }
    expect(await downsample(datastream)).toEqual([]);
    await assertVerified(datastream);
  });

  test('lose nothing when others are quicker, or the store fails', async () => {
    const backend = new MeddledBackend();
    await backend.open();
    const datastream = new Datastream(backend, LIVE);
    const other = new Datastream(backend, LIVE);
    const ids: StreamId[] = [];
    for (let n = 0; n < 6; n++) ids.push(await datastream.ensureStream({ n }, PLAIN));
    for (let second = 0; second < 400; second += 5) {
      const values = Float64Array.from(ids, (_, n) => n + second);
      if (second % 35 === 0) {
        backend.onceBeforeCommit = async () => {
          await other.append(ids[second % 6]!, second, at(second));
        };
      } else if (second % 55 === 0) {
        backend.onceBeforeCommit = async () => {
          throw new Error('disk full');
        };
      }
      await datastream.appendTick(at(second), ids, values).catch(() => {});
      await assertVerified(datastream);
    }
    expect(await downsample(datastream)).toEqual([]);
    expect((await datastream.getStream(ids[0]!)).downsampledUntil['minutes']).toEqual(
      new Date(at(360)),
    );
  });

  test('are known again after a failure that follows late data and a bucket in one commit', async () => {
    const backend = new MeddledBackend();
    await backend.open();
    const datastream = new Datastream(backend, LIVE);
    const id = await datastream.ensureStream({ n: 1 }, PLAIN);
    await datastream.append(id, 1, at(5));
    await datastream.append(id, 2, at(15));
    const items = [
      { streamId: id, value: 3, timestamp: at(7) },
      { streamId: id, value: 4, timestamp: at(25) },
    ];
    await datastream.appendMultiple(items, LATE);
    backend.onceBeforeCommit = async () => {
      throw new Error('disk full');
    };
    const tick = datastream.appendTick(at(27), [id], Float64Array.of(6));
    await expect(tick).rejects.toThrow('disk full');
    await datastream.append(id, 7, at(35));
    await assertVerified(datastream);
    const ended = await datastream.getData(id, '10seconds', { start: at(10) }).toArray();
    expect(ended.map(({ v }) => (v as { c: number }).c)).toEqual([1, 1]);
  });

  test('write a bucket of many streams as one, for the same list of streams each time', async () => {
    const backend = new MeddledBackend();
    await backend.open();
    const datastream = new Datastream(backend, LIVE);
    const ids: StreamId[] = [];
    for (let n = 0; n < 8; n++) ids.push(await datastream.ensureStream({ n }, PLAIN));
    for (let second = 0; second <= 80; second += 10) {
      await datastream.appendTick(at(second), ids, new Float64Array(8).fill(second));
    }
    const writes = backend.commits.flatMap((commit) => commit.writes ?? []);
    const buckets = writes.filter((write) => write.kind === 'bucket');
    expect(writes.filter(({ kind }) => kind === 'advance')).toEqual([]);
    expect(buckets.map(({ granularity }) => granularity.name)).toEqual([
      ...new Array(7).fill(Granularity.Seconds10.name),
      Granularity.Minutes.name,
      Granularity.Seconds10.name,
    ]);
    for (const { streamIds } of buckets) expect(streamIds).toHaveLength(8);
  });

  test('need a store that can move watermarks', async () => {
    const backend = await memory();
    const without = Object.assign(Object.create(backend), {
      supports: { ...backend.supports, liveLevels: false },
    });
    expect(() => new Datastream(without, LIVE)).toThrow(
      expect.objectContaining({ code: 'NOT_SUPPORTED' }),
    );
  });
});

/** Something may happen just before a commit: as another process would do it, or a broken disk. */
class MeddledBackend extends MemoryBackend {
  onceBeforeCommit: (() => Promise<void>) | null = null;
  readonly commits: GroupedCommit[] = [];

  override async commit(commit: GroupedCommit): Promise<CommitOutcome> {
    const meddle = this.onceBeforeCommit;
    this.onceBeforeCommit = null;
    await meddle?.();
    this.commits.push(commit);
    return super.commit(commit);
  }
}
