import { expect } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import type {
  AppendedDatapoint,
  DatastreamOptions,
  StreamDefinition,
} from '../../src/api/types.ts';
import type { Backend } from '../../src/backends/backend.ts';
import { EmbeddedBackend } from '../../src/backends/embedded/embedded-backend.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import type { Column } from '../../src/model/block.ts';
import { lowerGranularities } from '../../src/model/granularity.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { ALL_TIME } from '../../src/model/time-range.ts';
import type { Step } from './live-steps.ts';

export const BASE_MS: number = Date.UTC(2024, 0, 1, 9, 58);
export const LIVE: DatastreamOptions = {
  liveDownsampling: true,
  now: () => new Date(BASE_MS + 400 * 86_400_000),
} as const;
export const LIVE_UNLESS_BULK: DatastreamOptions = {
  ...LIVE,
  liveDownsampling: 'unless-bulk',
} as const;
export const LATE = { checkTimestamp: false } as const;

export const PLAIN = {
  valueDownsamplers: ['mean', 'min', 'max', 'sum_squares', 'std_dev', 'count'],
  highestGranularity: 'seconds',
} as const;

/** Streams of every way in which open buckets are kept; the first ones take ticks. */
export const DEFINITIONS: readonly StreamDefinition[] = [
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
export const TICK_STREAM_COUNT = 14;
const NOMINAL = DEFINITIONS.length - 1;

export function at(second: number): number {
  return BASE_MS + second * 1000;
}

export async function memory(): Promise<MemoryBackend> {
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

export async function assertVerified(datastream: Datastream): Promise<void> {
  const differences: unknown[] = [];
  await datastream.verify({ onDifference: (difference) => differences.push(difference) });
  expect(differences).toEqual([]);
}

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

export function inFolder(folder: string): Opening {
  return async () => {
    const backend = new EmbeddedBackend(folder, TUNING);
    await backend.open();
    return backend;
  };
}

/** Gives the same steps to a store whose levels follow, and to one where maintenance alone computes them. */
export class Twins {
  readonly #open: Opening;
  readonly #options: DatastreamOptions;
  #live: Backend;
  readonly #plain: Backend;
  readonly #ids: readonly [StreamId[], StreamId[]];
  #datastreams: readonly [Datastream, Datastream];
  readonly #latest: number[] = DEFINITIONS.map(() => 0);

  static async create(open: Opening = inMemory(), options = LIVE): Promise<Twins> {
    const live = await open();
    const plain = await memory();
    const datastreams = [new Datastream(live, options), new Datastream(plain)] as const;
    const ids = [await ensureAll(datastreams[0]), await ensureAll(datastreams[1])] as const;
    return new Twins({ open, options, live, plain }, datastreams, ids);
  }

  private constructor(
    {
      open,
      options,
      live,
      plain,
    }: {
      readonly open: Opening;
      readonly options: DatastreamOptions;
      readonly live: Backend;
      readonly plain: Backend;
    },
    datastreams: readonly [Datastream, Datastream],
    ids: readonly [StreamId[], StreamId[]],
  ) {
    this.#open = open;
    this.#options = options;
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
    this.#datastreams = [new Datastream(live, this.#options), this.#datastreams[1]];
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

export function downsample(datastream: Datastream): Promise<AppendedDatapoint[]> {
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
