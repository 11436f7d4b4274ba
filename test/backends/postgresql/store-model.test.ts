import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Backend, Write } from '../../../src/backends/backend.ts';
import { MemoryBackend } from '../../../src/backends/memory/memory-backend.ts';
import { PostgresqlBackend } from '../../../src/backends/postgresql/postgresql-backend.ts';
import { newRecord, readPages } from '../../../src/conformance/contract/rows-of.ts';
import { type Block, rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { describeWith } from '../../servers/available.ts';

// Everything small, so that short histories seal, split and merge many times over.
const TUNING = { blockRowCountTarget: 4, tailSizeMaxBytes: 120 };
const LEVELS = [Granularity.Seconds, Granularity.Minutes];

/** A write of the model: streams and levels by index, values by their number. */
interface Plan {
  readonly kind: 'append' | 'tick' | 'replace';
  readonly stream: number;
  readonly level: number;
  readonly isInOrder: boolean;
  readonly isText: boolean;
  readonly timestamps: readonly number[];
  readonly range: readonly [number, number];
}

// Few instants: the rows of one are often more than a block takes.
const timestamp = fc.integer({ min: 0, max: 20 });
const plan: fc.Arbitrary<Plan> = fc.record({
  kind: fc.constantFrom('append' as const, 'append' as const, 'tick' as const, 'replace' as const),
  stream: fc.nat(1),
  level: fc.constantFrom(0, 0, 1),
  isInOrder: fc.boolean(),
  isText: fc.constantFrom(false, false, true),
  timestamps: fc.array(timestamp, { minLength: 1, maxLength: 12 }),
  range: fc.tuple(timestamp, timestamp),
});

/** Turns plans into writes: appends in order continue after the latest row of their stream. */
class Planner {
  readonly #streamIds: readonly StreamId[];
  readonly #latestMs = [0, 0];
  #value = 0;

  constructor(streamIds: readonly StreamId[]) {
    this.#streamIds = streamIds;
  }

  write(item: Plan): Write {
    const { kind, stream, level } = item;
    if (kind === 'tick') {
      const timestampMs = Math.max(...this.#latestMs) + item.range[0] / 10;
      this.#latestMs.fill(Math.trunc(timestampMs));
      const values = Float64Array.of(this.#value++, this.#value++);
      const streamIds = this.#streamIds;
      return { kind, timestampMs: Math.trunc(timestampMs), streamIds, values };
    }
    const place = { streamId: this.#streamIds[stream]!, granularity: LEVELS[level]! };
    if (kind === 'append') return { kind, ...place, block: this.#appended(item) };
    const [a, b] = item.range;
    const range = { startMs: Math.min(a, b), endMs: Math.max(a, b) + 1 };
    const inside = item.timestamps.filter((t) => t >= range.startMs && t < range.endMs);
    return { kind, ...place, range, block: this.#block(item, inside) };
  }

  #appended(item: Plan): Block {
    const isContinued = item.isInOrder && item.level === 0;
    const shiftMs = isContinued ? this.#latestMs[item.stream]! : 0;
    // Steps of at most 2, so that a history stays among few instants.
    const times = item.timestamps.map((t) => (isContinued ? shiftMs + (t % 3) : t));
    if (item.level === 0) {
      this.#latestMs[item.stream] = Math.max(this.#latestMs[item.stream]!, ...times);
    }
    return this.#block(item, times);
  }

  #block({ isText }: Plan, times: readonly number[]): Block {
    const timestamps = Float64Array.from(times.toSorted((a, b) => a - b));
    const values = times.map(() => this.#value++);
    return rawBlock(timestamps, isText ? values.map((v) => `${v}`) : Float64Array.from(values));
  }
}

async function expectEqual(a: Backend, b: Backend, streamIds: readonly StreamId[]): Promise<void> {
  for (const streamId of streamIds) {
    for (const granularity of LEVELS) {
      for (const isReverse of [false, true]) {
        for (const rowCountMax of [1, 7, 1000]) {
          const options = { granularity, isReverse, rowCountMax };
          const [rows, wanted] = await Promise.all(
            [a, b].map(async (backend) => {
              const pages = await readPages(backend, streamId, options);
              return (isReverse ? pages.reverse() : pages).flat();
            }),
          );
          expect(rows).toEqual(wanted);
        }
      }
    }
  }
  const [snapshots, wanted] = await Promise.all([
    a.readStreams(streamIds),
    b.readStreams(streamIds),
  ]);
  for (const [index, snapshot] of snapshots.entries()) {
    expect([snapshot?.earliestMs, snapshot?.latestMs]).toEqual([
      wanted[index]?.earliestMs,
      wanted[index]?.latestMs,
    ]);
  }
}

describeWith('postgresql', ({ createStore }) => {
  test('random writes by two clients leave what they leave in memory', async () => {
    const store = await createStore();
    const clients = [
      new PostgresqlBackend(store.url, TUNING),
      new PostgresqlBackend(store.url, TUNING),
    ];
    for (const client of clients) await client.open();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.array(plan, { minLength: 1, maxLength: 4 }), fc.nat(1)), {
          maxLength: 30,
        }),
        async (history) => {
          const memory = new MemoryBackend();
          await memory.open();
          const records = [newRecord({}), newRecord({})];
          const streamIds = records.map(({ id }) => id);
          const create = records.map((record) => ({ record }));
          for (const backend of [memory, clients[0]!]) await backend.commit({ expect: [], create });
          const planner = new Planner(streamIds);
          for (const [plans, who] of history) {
            const writes = plans.map((item) => planner.write(item));
            for (const backend of [memory, clients[who]!]) {
              const outcome = await backend.commit({ expect: [], writes });
              expect(outcome.isCommitted).toBe(true);
            }
          }
          await expectEqual(clients[0]!, memory, streamIds);
        },
      ),
      { numRuns: 40 },
    );
    for (const client of clients) await client.close();
    await store.drop();
  });
});
