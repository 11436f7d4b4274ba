import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Datastream } from '../../src/api/datastream.ts';
import type { CommitOutcome, GroupedCommit } from '../../src/backends/backend.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { disorder, inOrder } from './live-steps.ts';
import {
  assertVerified,
  at,
  BASE_MS,
  downsample,
  inFolder,
  LATE,
  LIVE,
  LIVE_UNLESS_BULK,
  memory,
  PLAIN,
  Twins,
} from './live-twins.ts';

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

  describe('of history that comes in bulk', () => {
    const DAY_MS = 86_400_000;
    const until = async (datastream: Datastream, id: string): Promise<(Date | null)[]> => {
      const { downsampledUntil } = await datastream.getStream(id);
      return [downsampledUntil['10seconds'] ?? null, downsampledUntil.minutes ?? null];
    };
    const rows = (rowCount: number, secondsApart: number) => {
      const timestamps = Float64Array.from({ length: rowCount }, (_, n) => at(n * secondsApart));
      return { timestamps, values: timestamps.map((ms) => (ms / 1000) % 97) };
    };

    test('are left to maintenance where each datapoint has a bucket for itself', async () => {
      let nowMs = BASE_MS + 400 * DAY_MS;
      const datastream = new Datastream(await memory(), {
        ...LIVE_UNLESS_BULK,
        now: () => new Date(nowMs),
      });
      const id = await datastream.ensureStream({ n: 1 }, PLAIN);
      await datastream.appendColumns(id, rows(5000, 10));
      expect(await until(datastream, id)).toEqual([null, null]);
      const minutes = datastream.getData(id, 'minutes', { start: at(0), live: true });
      expect(await minutes.count()).toBe(834);
      await datastream.downsampleStreams();
      await assertVerified(datastream);
      expect(await until(datastream, id)).toEqual([new Date(at(49_990)), new Date(at(49_980))]);
      nowMs += 21_000;
      await datastream.append(id, 1, at(50_000));
      await datastream.append(id, 1, at(50_070));
      expect(await until(datastream, id)).toEqual([new Date(at(50_070)), new Date(at(50_040))]);
      await assertVerified(datastream);
      expect(await downsample(datastream)).toEqual([]);
    });

    test('follow where that is asked for', async () => {
      const datastream = new Datastream(await memory(), LIVE);
      const id = await datastream.ensureStream({ n: 1 }, PLAIN);
      await datastream.appendColumns(id, rows(5000, 10));
      expect(await until(datastream, id)).toEqual([new Date(at(49_990)), new Date(at(49_980))]);
    });

    test('follow where datapoints share buckets, and where they are few', async () => {
      const datastream = new Datastream(await memory(), LIVE_UNLESS_BULK);
      const [dense, few] = await Promise.all(
        ['dense', 'few'].map((n) => datastream.ensureStream({ n }, PLAIN)),
      );
      await datastream.appendColumns(dense!, rows(5000, 5));
      await datastream.appendColumns(few!, rows(4000, 10));
      expect((await until(datastream, dense!))[0]).toEqual(new Date(at(24_990)));
      expect((await until(datastream, few!))[0]).toEqual(new Date(at(39_990)));
      expect(await downsample(datastream)).toEqual([]);
    });

    test('follow ticks while time passes with them, and are left to maintenance when it does not', async () => {
      let nowMs = BASE_MS;
      const datastream = new Datastream(await memory(), {
        ...LIVE_UNLESS_BULK,
        now: () => new Date(nowMs),
      });
      const ids: string[] = [];
      for (let n = 0; n < 300; n++) ids.push(await datastream.ensureStream({ n }, PLAIN));
      const values = Float64Array.from(ids, (_, n) => n);
      const tick = (second: number) => datastream.appendTick(at(second), ids, values);
      for (let second = 0; second < 600; second += 10) {
        nowMs = at(second);
        await tick(second);
      }
      const followed = [new Date(at(590)), new Date(at(540))];
      expect(await until(datastream, ids[299]!)).toEqual(followed);
      for (let second = 600; second < 1200; second += 10) await tick(second);
      const [left] = await until(datastream, ids[299]!);
      expect(left!.getTime()).toBeLessThan(at(1000));
      nowMs = at(5000);
      await datastream.downsampleStreams();
      await assertVerified(datastream);
      expect(await until(datastream, ids[299]!)).toEqual([new Date(at(1190)), new Date(at(1140))]);
    });

    test('become what maintenance would compute, whatever comes after it', async () => {
      const seconds = (rowCount: number): [number, number][] =>
        Array.from({ length: rowCount }, (_, n) => [10 + (n % 3), n % 89]);
      for (const isMaintained of [false, true]) {
        const twins = await Twins.create(undefined, LIVE_UNLESS_BULK);
        await twins.apply({ kind: 'tick', plan: 0, gaps: [10, 10, 30], seed: 1 });
        await twins.apply({ kind: 'columns', stream: 0, rows: seconds(4500) });
        await twins.apply({ kind: 'columns', stream: 1, rows: seconds(100) });
        if (isMaintained) await twins.apply({ kind: 'maintain' });
        await twins.apply({ kind: 'tick', plan: 0, gaps: new Array(12).fill(20), seed: 2 });
        await twins.apply({ kind: 'late', stream: 0, back: 30_000, value: 5 });
        await twins.apply({ kind: 'together', stream: 0, gap: 15, seed: 3 });
        await twins.apply({ kind: 'lateTick', stream: 1, back: 900, seed: 4 });
        await assertVerified(twins.datastream);
        await twins.downsample();
        await twins.assertSame();
      }
    });

    test('are as they were when the commit that brings it fails', async () => {
      const backend = new MeddledBackend();
      await backend.open();
      const datastream = new Datastream(backend, LIVE_UNLESS_BULK);
      const id = await datastream.ensureStream({ n: 1 }, PLAIN);
      await datastream.append(id, 1, at(0));
      await datastream.append(id, 1, at(20));
      const { timestamps, values } = rows(5000, 10);
      const later = { timestamps: timestamps.map((ms) => ms + 60_000), values };
      backend.onceBeforeCommit = async () => {
        throw new Error('disk full');
      };
      await expect(datastream.appendColumns(id, later)).rejects.toThrow('disk full');
      await datastream.append(id, 1, at(30));
      expect((await until(datastream, id))[0]).toEqual(new Date(at(30)));
      await datastream.appendColumns(id, later);
      await datastream.downsampleStreams();
      await assertVerified(datastream);
    });
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
