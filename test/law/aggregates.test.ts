import assert from 'node:assert/strict';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Datastream } from '../../src/api/datastream.ts';
import type { Stream } from '../../src/api/types.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { RUN_FACTOR, TIMEOUT_MS } from './assert-law.ts';
import { computing, type DisposableStore, embedded, memory } from './stores.ts';

const BASE_MS = Date.UTC(2000, 0, 1, 12);
/** What is not backprocessed counts from here on. */
const NOW_MS = BASE_MS + 20_000;
const UNTIL_MS = BASE_MS + 86_400_000;
const LATE = { checkTimestamp: false } as const;
const OPERATORS = ['sum', 'mean', 'min', 'max', 'count'] as const;
const SETTLE_ROUND_COUNT_MAX = 8;
const STREAM_COUNT_MAX = 14;

const pick = fc.nat({ max: 13 });
const value = fc.option(fc.integer({ min: -40, max: 40 }), { freq: 6 });
const site = fc.constantFrom('x', 'y');
const granularity = fc.constantFrom('seconds', '10seconds');

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('create' as const), site, granularity }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('aggregate' as const),
      site,
      granularity,
      of: fc.oneof(site, fc.constant(null)),
      operator: fc.constantFrom(...OPERATORS),
      isBackprocessed: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('derive' as const), site, pick }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('redefine' as const),
      pick,
      of: fc.oneof(site, fc.constantFrom(null, 'same' as const)),
      operator: fc.constantFrom(...OPERATORS),
      isBackprocessed: fc.boolean(),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      pick,
      second: fc.nat({ max: 60 }),
      value,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('tick' as const),
      second: fc.nat({ max: 60 }),
      value: fc.integer({ min: -40, max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('erase' as const), pick }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('move' as const), pick, site }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('maintain' as const),
      what: fc.constantFrom('downsample', 'backprocess'),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: 'switch' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);

type Step = typeof step extends fc.Arbitrary<infer Item> ? Item : never;

const history = fc.array(step, { minLength: 5, maxLength: 40, size: 'max' });

/** Drives two engines on one store. */
class Run {
  readonly #store: DisposableStore;
  readonly #ids: StreamId[] = [];
  #names = 0;
  /** Aggregates for which only later datapoints count. */
  readonly lateIds: Set<string> = new Set();
  datastream: Datastream;
  #other: Datastream;

  constructor(store: DisposableStore) {
    this.#store = store;
    this.datastream = this.#open(store.backend);
    this.#other = this.#open(store.other);
  }

  #open(backend: DisposableStore['backend']): Datastream {
    return new Datastream(backend, {
      now: () => new Date(NOW_MS),
      onWarning: (warning) => {
        throw warning;
      },
    });
  }

  async apply(item: Step): Promise<void> {
    switch (item.kind) {
      case 'create':
        return this.#create(item, { highestGranularity: item.granularity });
      case 'aggregate':
        return this.#create(item, {
          highestGranularity: item.granularity,
          deriveFrom: { query: item.of === null ? {} : { site: item.of } },
          deriveOp: item.operator,
          deriveBackprocess: item.isBackprocessed,
        });
      case 'derive': {
        const source = await this.#picked(item.pick);
        if (source === null) return;
        const { highestGranularity } = source;
        return this.#create(item, {
          highestGranularity,
          deriveFrom: source.id,
          deriveOp: 'difference',
        });
      }
      case 'redefine':
        return this.#redefine(item);
      case 'append': {
        const stream = await this.#picked(item.pick);
        if (stream === null || stream.derivedFrom !== null) return;
        await this.datastream.append(stream.id, item.value, BASE_MS + item.second * 1000, LATE);
        return;
      }
      case 'tick':
        return this.#tick(item);
      case 'erase': {
        const stream = await this.#picked(item.pick);
        if (stream === null || stream.derivedFrom !== null) return;
        return this.datastream.deleteData(stream.id, { start: BASE_MS, end: BASE_MS + 30_000 });
      }
      case 'move': {
        const stream = await this.#picked(item.pick);
        if (stream !== null) await this.datastream.updateTags(stream.id, { site: item.site });
        return;
      }
      case 'delete':
        return this.#delete(item.pick);
      case 'maintain':
        if (item.what === 'downsample')
          await this.datastream.downsampleStreams({ until: UNTIL_MS });
        else await this.datastream.backprocessStreams();
        return;
      case 'switch':
        [this.datastream, this.#other] = [this.#other, this.datastream];
        return;
      case 'reopen':
        if (this.#store.reopen === undefined) return;
        await this.#store.reopen();
        this.datastream = this.#open(this.#store.backend);
        this.#other = this.#open(this.#store.other);
    }
  }

  async #create(
    { site: tag }: { site: string },
    definition: Partial<Parameters<Datastream['ensureStream']>[1]> & {
      highestGranularity: unknown;
    },
  ): Promise<void> {
    if (this.#ids.length >= STREAM_COUNT_MAX) return;
    const id = await this.datastream.ensureStream({ name: this.#names++ }, {
      tags: { site: tag },
      valueDownsamplers: ['mean'],
      ...definition,
    } as never);
    this.#ids.push(id);
    if (definition.deriveBackprocess === false) this.lateIds.add(id);
  }

  async #redefine({
    pick: at,
    of,
    operator,
    isBackprocessed,
  }: Step & { kind: 'redefine' }): Promise<void> {
    const stream = await this.#picked(at);
    if (stream?.derivedFrom?.query === undefined) return;
    if (of === 'same') {
      await this.datastream.updateStream(stream.id, { deriveOp: operator });
      return;
    }
    const query = of === null ? {} : { site: of };
    await this.datastream.updateStream(stream.id, {
      deriveOp: operator,
      deriveFrom: { query },
      deriveBackprocess: isBackprocessed,
    });
    if (isBackprocessed) this.lateIds.delete(stream.id);
    else this.lateIds.add(stream.id);
  }

  async #picked(at: number): Promise<Stream | null> {
    const id = this.#ids[at % Math.max(this.#ids.length, 1)];
    return id === undefined ? null : this.datastream.getStream(id);
  }

  async #tick({ second, value: number }: { second: number; value: number }): Promise<void> {
    const streams = await Promise.all(this.#ids.map((id) => this.datastream.getStream(id)));
    const ids = streams.filter((s) => s.derivedFrom === null).map(({ id }) => id);
    if (ids.length === 0) return;
    // A tick is in order.
    const latest = streams.map(({ latestDatapoint }) => latestDatapoint?.getTime() ?? 0);
    const timestamp = Math.max(BASE_MS + second * 1000, ...latest);
    const values = Float64Array.from(ids, (_, index) => number + index);
    await this.datastream.appendTick(timestamp, ids, values);
  }

  async #delete(at: number): Promise<void> {
    const stream = await this.#picked(at);
    if (stream === null) return;
    const dependents = await Promise.all(
      stream.contributesTo.map(({ streamId }) => this.datastream.getStream(streamId)),
    );
    const isNamed = dependents.some(({ derivedFrom }) => derivedFrom!.query === undefined);
    const deleting = this.datastream.deleteStreams({ stream_id: stream.id });
    if (isNamed) {
      await assert.rejects(deleting, { code: 'OUTSTANDING_DEPENDENCIES' });
      return;
    }
    await deleting;
    this.#ids.splice(this.#ids.indexOf(stream.id), 1);
  }

  async settle(): Promise<void> {
    for (let round = 0; round < SETTLE_ROUND_COUNT_MAX; round++) {
      await this.datastream.backprocessStreams();
      await this.datastream.downsampleStreams({ until: UNTIL_MS });
      const { differenceCount, staleRangeCount } = await this.datastream.verify();
      assert.equal(differenceCount, 0);
      if (staleRangeCount === 0) return;
    }
    assert.fail('maintenance does not come to rest');
  }
}

/** Every aggregate is what its operator gives of the datapoints of those that match, read one by one. */
async function compare({ datastream, lateIds }: Run, ignoresLast: boolean): Promise<void> {
  const streams = new Map<string, Stream>();
  for await (const stream of datastream.findStreams()) streams.set(stream.id, stream);
  for (const stream of streams.values()) {
    const query = stream.derivedFrom?.query;
    if (query === undefined) continue;
    const derived = downstreamOf(stream.id, streams);
    const expectedIds: StreamId[] = [];
    for (const other of streams.values()) {
      const isMatch = query['site'] === undefined || other.tags['site'] === query['site'];
      const isFine = stream.highestGranularity.durationMs >= other.highestGranularity.durationMs;
      if (isMatch && isFine && !derived.has(other.id)) expectedIds.push(other.id);
    }
    const members = [...streams.values()].filter(({ contributesTo }) =>
      contributesTo.some(({ streamId }) => streamId === stream.id),
    );
    assert.deepEqual(
      members.map(({ id }) => id),
      expectedIds,
    );
    const stored = await datastream
      .getData(stream.id, stream.highestGranularity, { start: BASE_MS - 86_400_000 })
      .toArray();
    const wanted = ignoresLast ? members.slice(0, -1) : members;
    const afterMs = lateIds.has(stream.id) ? NOW_MS : Number.NEGATIVE_INFINITY;
    assert.deepEqual(
      stored.map(({ t, v }) => [t.getTime(), v]),
      await naive(datastream, { stream, members: wanted, afterMs }),
    );
  }
}

function downstreamOf(id: string, streams: ReadonlyMap<string, Stream>): ReadonlySet<string> {
  const found = new Set<string>([id]);
  for (const from of found) {
    for (const { streamId } of streams.get(from)?.contributesTo ?? []) found.add(streamId);
  }
  return found;
}

async function naive(
  datastream: Datastream,
  { stream, members, afterMs }: { stream: Stream; members: readonly Stream[]; afterMs: number },
): Promise<unknown[]> {
  const { highestGranularity: own } = stream;
  const buckets = new Map<number, (number | null)[]>();
  for (const member of members) {
    const isRaw = member.highestGranularity.name === own.name;
    const rows = await readInputs(datastream, { member, own, isRaw });
    const last = new Map<number, number | null>();
    for (const [ms, v] of rows.filter(([at]) => at > afterMs))
      last.set(Math.floor(ms / own.durationMs) * own.durationMs, v);
    for (const [start, v] of last) buckets.set(start, [...(buckets.get(start) ?? []), v]);
  }
  return [...buckets]
    .sort(([a], [b]) => a - b)
    .map(([start, values]) => [start, combine(stream.derivedFrom!.op, values)]);
}

async function readInputs(
  datastream: Datastream,
  { member, own, isRaw }: { member: Stream; own: Stream['highestGranularity']; isRaw: boolean },
): Promise<(readonly [ms: number, value: number | null])[]> {
  const range = { start: BASE_MS - 86_400_000 };
  if (isRaw) {
    const rows = await datastream.getData(member.id, own, range).toArray();
    return rows.map(({ t, v }) => [t.getTime(), v] as const);
  }
  // Derived streams follow what is computed, however far a server would compute on.
  const until = member.downsampledUntil[own.name];
  if (until == null || member.earliestDatapoint === null) return [];
  const rows: (readonly [number, number | null])[] = [];
  const first = Math.floor(member.earliestDatapoint.getTime() / own.durationMs) * own.durationMs;
  for (let start = first; start < until.getTime(); start += own.durationMs) {
    const raw = await datastream
      .getData(member.id, member.highestGranularity, {
        start,
        endExclusive: start + own.durationMs,
      })
      .toArray();
    const values = raw.map(({ v }) => v as number | null).filter((v) => v !== null);
    const total = values.reduce((a, b) => a + b, 0);
    rows.push([start, values.length === 0 ? null : total / values.length]);
  }
  return rows;
}

function combine(operator: string, values: readonly (number | null)[]): number | null {
  const present = values.filter((v) => v !== null);
  if (operator === 'count') return present.length;
  if (present.length === 0) return null;
  if (operator === 'min') return Math.min(...present);
  if (operator === 'max') return Math.max(...present);
  const total = present.reduce((a, b) => a + b);
  return operator === 'sum' ? total : total / present.length;
}

async function assertLaw(
  open: () => Promise<DisposableStore>,
  steps: readonly Step[],
  { ignoresLast = false } = {},
): Promise<void> {
  const store = await open();
  try {
    const run = new Run(store);
    for (const item of steps) await run.apply(item);
    await run.settle();
    await compare(run, ignoresLast);
  } finally {
    await store.dispose();
  }
}

describe('the law for aggregates over queries: streams come and go, and all is as from scratch', () => {
  test.each([
    ['memory', memory, 100],
    ['a store that computes levels and overwrites equal timestamps', computing, 50],
    ['embedded, two openings', embedded, 40],
  ] as const)(
    '%s',
    async (_name, open, runCount) => {
      await fc.assert(
        fc.asyncProperty(history, (steps) => assertLaw(open, steps)),
        { numRuns: Math.ceil(runCount * RUN_FACTOR) },
      );
    },
    TIMEOUT_MS,
  );

  test(
    'a model that overlooks a source is caught',
    async () => {
      const { failed } = await fc.check(
        fc.asyncProperty(history, (steps) => assertLaw(memory, steps, { ignoresLast: true })),
        { numRuns: 40, seed: 7, endOnFailure: true },
      );
      expect(failed).toBe(true);
    },
    TIMEOUT_MS,
  );
});
