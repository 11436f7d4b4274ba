import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Backend, Commit, CommitOutcome, Write } from '../../../src/backends/backend.ts';
import { MemoryBackend } from '../../../src/backends/memory/memory-backend.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId, StreamRecord } from '../../../src/model/stream.ts';
import { describeWith } from '../../servers/available.ts';
import { blockOf, numericRecord, opened, type Row, readRows, TINY } from './fixtures.ts';

const SLOT_COUNT = 3;
const LEVELS = [Granularity.Seconds, Granularity.Minutes];
const RUN_COUNT = 20;

// Few instants: the rows of one often fill several blocks.
const timestamp = fc.integer({ min: 0, max: 20 });
const slot = fc.integer({ min: 0, max: SLOT_COUNT - 1 });
const level = fc.integer({ min: 0, max: 1 });
const timestamps = fc.array(timestamp, { minLength: 1, maxLength: 12 });
/** What a commit expects of its stream: nothing, what is there, or what was there some time before. */
const expected = fc.constantFrom('nothing' as const, 'now' as const, 'before' as const);
const range = fc
  .tuple(timestamp, timestamp)
  .map(([a, b]) => ({ startMs: Math.min(a, b), endMs: Math.max(a, b) + 1 }));

const command = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), slot, tag: fc.nat(2) }),
  fc.record({ kind: fc.constant('update' as const), slot, tag: fc.nat(2), expected }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      slot,
      level,
      timestamps,
      expected,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('replace' as const),
      slot,
      level,
      range,
      timestamps,
      expected,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tick' as const), timestamp }) },
  fc.record({ kind: fc.constant('delete' as const), slot }),
  fc.record({ kind: fc.constant('reopen' as const) }),
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** One logical stream id, used again after its stream is deleted. */
interface Slot {
  readonly record: StreamRecord;
  isAlive: boolean;
  /** Versions by store: `expected: before` means the first one seen. */
  readonly before: Map<Backend, number | string>;
}

class Twins {
  readonly url: string;
  readonly memory: MemoryBackend = new MemoryBackend();
  readonly stores: Backend[] = [];
  readonly slots: Slot[] = Array.from({ length: SLOT_COUNT }, () => ({
    record: numericRecord(),
    isAlive: false,
    before: new Map(),
  }));
  #value = 0;

  constructor(url: string) {
    this.url = url;
  }

  async open(): Promise<void> {
    await this.memory.open();
    this.stores.push(await opened(this.url, TINY), await opened(this.url, TINY));
  }

  async close(): Promise<void> {
    for (const backend of [this.memory, ...this.stores]) await backend.close();
  }

  async run(item: Command, who: number): Promise<void> {
    if (item.kind === 'reopen') {
      await this.stores[who]!.close();
      this.stores[who] = await opened(this.url, TINY);
      return;
    }
    const make = this.#commitOf(item);
    if (make === null) return;
    const outcomes: CommitOutcome[] = [];
    for (const backend of [this.memory, this.stores[who]!]) {
      outcomes.push(await backend.commit(await make(backend)));
    }
    const [wanted, outcome] = outcomes.map(comparable);
    expect(outcome).toEqual(wanted);
    if (!outcomes[0]!.isCommitted) return;
    if (item.kind === 'create') this.slots[item.slot]!.isAlive = true;
    if (item.kind === 'delete') this.slots[item.slot]!.isAlive = false;
  }

  #commitOf(
    item: Exclude<Command, { kind: 'reopen' }>,
  ): ((backend: Backend) => Promise<Commit>) | null {
    if (item.kind === 'tick') {
      const streamIds = this.slots.filter(({ isAlive }) => isAlive).map(({ record }) => record.id);
      const values = Float64Array.from(streamIds, () => this.#value++);
      const write = { kind: 'tick' as const, timestampMs: item.timestamp, streamIds, values };
      return async () => ({ expect: [], writes: [write] });
    }
    const place = this.slots[item.slot]!;
    const { record, isAlive } = place;
    if (item.kind === 'create') {
      if (isAlive) return null;
      const tags = { tag: item.tag };
      return async () => ({
        expect: [],
        create: [{ record: { ...record, tags }, unlessTags: tags }],
      });
    }
    if (!isAlive) return null;
    if (item.kind === 'delete') return async () => ({ expect: [], delete: [record.id] });
    const content = this.#contentOf(item, record);
    return async (backend) => ({
      expect: await this.#expect(backend, place, item.expected),
      ...content,
    });
  }

  #contentOf(
    item: Extract<Command, { expected: string }>,
    record: StreamRecord,
  ): { update: readonly StreamRecord[] } | { writes: readonly Write[] } {
    if (item.kind === 'update') return { update: [{ ...record, tags: { tag: item.tag } }] };
    const sorted = [...item.timestamps].sort((a, b) => a - b);
    const rowsOf = (instants: readonly number[]): Row[] => instants.map((t) => [t, this.#value++]);
    const place = { streamId: record.id, granularity: LEVELS[item.level]! };
    if (item.kind === 'append')
      return { writes: [{ kind: 'append', ...place, block: blockOf(rowsOf(sorted)) }] };
    const inside = sorted.filter((t) => t >= item.range.startMs && t < item.range.endMs);
    const block = blockOf(rowsOf(inside));
    return { writes: [{ kind: 'replace', ...place, range: item.range, block }] };
  }

  async #expect(
    backend: Backend,
    { record, before }: Slot,
    what: string,
  ): Promise<Commit['expect']> {
    const [snapshot] = await backend.readStreams([record.id]);
    // Which of the two real stores asks makes no difference to a version.
    const key = backend === this.memory ? backend : (this.memory.constructor as unknown as Backend);
    if (!before.has(key)) before.set(key, snapshot!.version);
    if (what === 'nothing') return [];
    const version = what === 'now' ? snapshot!.version : before.get(key)!;
    return [{ streamId: record.id, version }];
  }

  async expectSame(who: number): Promise<void> {
    const store = this.stores[who]!;
    const ids = this.slots.map(({ record }) => record.id);
    expect(await described(store, ids)).toEqual(await described(this.memory, ids));
    for (const tag of [0, 1, 2]) {
      const query = { tags: { tag }, limit: 10 };
      const wanted = (await this.memory.queryStreams(query)).map(({ record }) => record.id);
      expect((await store.queryStreams(query)).map(({ record }) => record.id)).toEqual(wanted);
      expect(await store.countStreams({ tag })).toBe(wanted.length);
    }
    for (const id of ids) {
      for (const granularity of LEVELS) {
        const wanted = await readRows(this.memory, id, { granularity });
        expect(await readRows(store, id, { granularity, rowCountMax: 3 })).toEqual(wanted);
        const backward = { granularity, rowCountMax: 5, isReverse: true };
        expect(await readRows(store, id, backward)).toEqual(wanted);
      }
    }
  }
}

function comparable(outcome: CommitOutcome): unknown {
  return outcome.isCommitted ? 'committed' : [...outcome.conflicts].sort();
}

async function described(backend: Backend, ids: readonly StreamId[]): Promise<unknown> {
  const snapshots = await backend.readStreams(ids);
  return snapshots.map(
    (snapshot) => snapshot && [snapshot.record, snapshot.earliestMs, snapshot.latestMs],
  );
}

describeWith('mongodb', ({ createStore }) => {
  test('two processes on one store do what the memory backend does, after any history', async () => {
    const item = fc.tuple(command, fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 9 }));
    await fc.assert(
      fc.asyncProperty(fc.array(item, { minLength: 15, maxLength: 40 }), async (history) => {
        const { url, drop } = await createStore();
        const twins = new Twins(url);
        try {
          await twins.open();
          for (const one of [0, 1, 2]) await twins.run({ kind: 'create', slot: one, tag: one }, 0);
          for (const [one, who, dice] of history) {
            await twins.run(one, who);
            if (dice === 0) await twins.expectSame(1 - who);
          }
          await twins.expectSame(0);
          await twins.expectSame(1);
        } finally {
          await twins.close();
          await drop();
        }
      }),
      { numRuns: RUN_COUNT, endOnFailure: true },
    );
  }, 300_000);
});
