import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Datastream } from '../../src/api/datastream.ts';
import {
  type CommitOutcome,
  type GroupedCommit,
  NO_ROW,
  type TickWrite,
} from '../../src/backends/backend.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { StreamCache } from '../../src/engine/stream-cache.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { at, open, SECONDS } from './support.ts';
import { compareTwins, tickSteps } from './tick-twins.ts';

/** A memory store that remembers what it was asked to commit. */
class WatchedBackend extends MemoryBackend {
  readonly commits: GroupedCommit[] = [];

  protected override async _commitGrouped(commit: GroupedCommit): Promise<CommitOutcome> {
    this.commits.push(commit);
    return super._commitGrouped(commit);
  }

  get lastTicks(): readonly TickWrite[] {
    return (this.commits.at(-1)!.writes ?? []).filter((write) => write.kind === 'tick');
  }
}

async function watched(): Promise<{ backend: WatchedBackend; datastream: Datastream }> {
  const backend = new WatchedBackend();
  await backend.open();
  return { backend, datastream: new Datastream(backend, { onWarning: () => {} }) };
}

async function ensureMany(datastream: Datastream, count: number): Promise<StreamId[]> {
  const ids: StreamId[] = [];
  for (let n = 0; n < count; n++) ids.push(await datastream.ensureStream({ n }, SECONDS));
  return ids;
}

describe('ticks', () => {
  test('give what the same rows one by one give, with everything that derives from them', async () => {
    await fc.assert(fc.asyncProperty(tickSteps, compareTwins), { numRuns: 60 });
  });

  test('name the same streams to the store by the same list, and their versions as a group', async () => {
    const { backend, datastream } = await watched();
    const ids = await ensureMany(datastream, 3);
    await datastream.appendTick(at(0), ids, Float64Array.of(1, 2, 3));
    const known = backend.lastTicks[0]!.streamIds;
    const mine = [...ids];
    await datastream.appendTick(at(1), mine, Float64Array.of(1, 2, 3));
    expect(backend.lastTicks[0]!.streamIds).toBe(known);
    expect(backend.commits.at(-1)).toMatchObject({ expect: [], expectGroups: [{ version: 4 }] });
    expect(backend.commits.at(-1)!.expectGroups![0]!.streamIds).toBe(known);
    mine.reverse();
    await datastream.appendTick(at(2), mine, Float64Array.of(7, 8, 9));
    expect(backend.lastTicks[0]!.streamIds).toEqual([...ids].reverse());
    expect(known).toEqual(ids);
    const rows = await datastream.getData(ids[0]!, 'seconds', { start: at(2) }).toArray();
    expect(rows).toEqual([{ t: new Date(at(2)), v: 9 }]);
  });

  test('know which of their streams went further by itself, or stayed behind', async () => {
    const { backend, datastream } = await watched();
    const ids = await ensureMany(datastream, 3);
    const tick = (second: number): Promise<void> =>
      datastream.appendTick(at(second), ids, Float64Array.of(1, 2, 3));
    await tick(0);
    await tick(1);
    await datastream.append(ids[1]!, 7, at(5));
    await expect(tick(4)).rejects.toMatchObject({ code: 'INVALID_TIMESTAMP' });
    await tick(5);
    const { expect: expected, expectGroups } = backend.commits.at(-1)!;
    expect(expectGroups).toEqual([]);
    expect(expected.map(({ streamId }) => streamId)).toEqual(ids);
    const [first, second, third] = expected.map(({ version }) => version);
    expect(first).toBe(third);
    expect(second).not.toBe(first);
    await tick(6);
    expect(backend.commits.at(-1)).toMatchObject({ expect: [], expectGroups: [{}] });
    const [latest, ...others] = await backend.readStreams(ids);
    expect(others.map((snapshot) => snapshot!.latestMs)).toEqual([at(6), at(6)]);
    expect(latest).toMatchObject({ earliestMs: at(0), latestMs: at(6) });
  });

  test('are recognised among lists of datapoints of many streams at one instant', async () => {
    const { backend, datastream } = await watched();
    const ids = await ensureMany(datastream, 5);
    for (let second = 0; second < 4; second++) {
      const appended = await datastream.appendMultiple(
        ids.map((streamId, value) => ({ streamId, value, timestamp: new Date(at(second)) })),
      );
      expect(appended[4]).toMatchObject({
        streamId: ids[4],
        datapoint: { t: new Date(at(second)), v: 4 },
      });
    }
    const [before, last] = backend.commits.slice(-2).map(({ writes }) => writes![0] as TickWrite);
    expect(last!.streamIds).toBe(before!.streamIds);
    expect(last!.values).toEqual(Float64Array.of(0, 1, 2, 3, 4));
  });

  test('are recognised among lists of datapoints of many streams at several instants', async () => {
    const { backend, datastream } = await watched();
    const ids = await ensureMany(datastream, 5);
    const items = (seconds: readonly number[]) =>
      seconds.flatMap((second) =>
        ids.map((streamId, n) => ({ streamId, value: second + n, timestamp: at(second) })),
      );
    await datastream.appendMultiple(items([0, 1]));
    const appended = await datastream.appendMultiple(items([2, 3, 7]));
    expect(
      appended.map(({ streamId, datapoint: { t, v } }) => ({ streamId, value: v, timestamp: t })),
    ).toEqual(items([2, 3, 7]).map((item) => ({ ...item, timestamp: new Date(item.timestamp) })));
    expect(backend.lastTicks.map(({ timestampMs }) => timestampMs)).toEqual([at(2), at(3), at(7)]);
    expect(backend.lastTicks[2]!.values).toEqual(Float64Array.of(7, 8, 9, 10, 11));
    const commitCount = backend.commits.length;
    await expect(datastream.appendMultiple(items([6, 8]))).rejects.toMatchObject({
      code: 'INVALID_TIMESTAMP',
    });
    expect(backend.commits).toHaveLength(commitCount);
    await datastream.appendMultiple(items([6, 8]), { checkTimestamp: false });
    const { timestamps } = await datastream.getData(ids[4]!, 'seconds', { start: at(0) }).columns();
    expect([...timestamps]).toEqual([0, 1, 2, 3, 6, 7, 8].map((second) => at(second)));
  });

  test.each([
    ['a stream twice', [0, 1, 2, 1, 3, 4], [0, 0, 0, 0, 0, 0]],
    ['streams in turns', [0, 1, 2, 3, 3, 2, 1, 0], [0, 0, 0, 0, 1, 1, 1, 1]],
    ['an instant twice', [0, 1, 2, 3, 0, 1, 2, 3], [0, 0, 0, 0, 0, 0, 0, 0]],
    ['an instant too few', [0, 1, 2, 3, 0, 1, 2], [0, 0, 0, 0, 1, 1, 1]],
    ['two instants in one round', [0, 1, 2, 3, 0, 1, 2, 3], [0, 0, 0, 1, 1, 1, 1, 1]],
  ])('are not made of lists that have %s', async (_, streams, seconds) => {
    const { datastream } = await watched();
    const ids = await ensureMany(datastream, 5);
    for (const from of [0, 10, 20]) {
      const items = streams.map((n, row) => ({
        streamId: ids[n]!,
        value: 100 * from + row,
        timestamp: at(from + seconds[row]!),
      }));
      const appended = await datastream.appendMultiple(items);
      expect(appended.map(({ datapoint }) => datapoint.v)).toEqual(items.map(({ value }) => value));
      for (const streamId of ids) {
        const wanted = items.filter((item) => item.streamId === streamId);
        const rows = await datastream.getData(streamId, 'seconds', { start: at(from) }).toArray();
        expect(rows).toEqual(
          wanted.map(({ value, timestamp }) => ({ t: new Date(timestamp), v: value })),
        );
      }
    }
  });

  test('carry the outputs of derived streams as ticks, with a gap where there is none', async () => {
    const { backend, datastream } = await watched();
    const ids = await ensureMany(datastream, 3);
    const reset = await datastream.ensureStream({ n: 'reset' }, SECONDS);
    const rates: StreamId[] = [];
    for (const stream of ids) {
      const rate = await datastream.ensureStream(
        { rate: stream },
        {
          ...SECONDS,
          deriveFrom: [{ name: 'reset', stream: reset }, { stream }],
          deriveOp: 'counter_derivative',
        },
      );
      rates.push(rate);
    }
    await datastream.appendTick(at(0), ids, Float64Array.of(10, 10, 10));
    await datastream.appendTick(at(2), ids, Float64Array.of(12, 4, Number.NaN));
    const outputs = backend.lastTicks[1]!;
    expect(outputs.streamIds).toEqual(rates);
    expect(outputs.values).toEqual(Float64Array.of(1, NO_ROW, Number.NaN));
    await datastream.appendTick(at(3), ids, Float64Array.of(12, 5, 1));
    expect(backend.lastTicks[1]!.values).toEqual(Float64Array.of(0, 1, NO_ROW));
    const [first, second, third] = await Promise.all(
      rates.map((rate) => datastream.getData(rate, 'seconds', { start: at(0) }).toArray()),
    );
    expect(first!.map(({ v }) => v)).toEqual([1, 0]);
    expect(second!.map(({ v }) => v)).toEqual([1]);
    expect(third!.map(({ v }) => v)).toEqual([null]);
  });

  test('are followed where several of them share the bucket of a sum, or none begins it', async () => {
    const { backend, datastream } = await watched();
    const definition = { ...SECONDS, highestGranularity: Granularity.byName('10seconds') };
    const ids: StreamId[] = [];
    for (let n = 0; n < 3; n++) ids.push(await datastream.ensureStream({ n }, definition));
    const total = await datastream.ensureStream(
      { n: 'total' },
      { ...definition, deriveFrom: ids, deriveOp: 'sum' },
    );
    const outputs = async (): Promise<unknown> =>
      (await datastream.getData(total, '10seconds', { start: at(0) }).toArray()).map(({ t, v }) => [
        ((t as Date).getTime() - at(0)) / 1000,
        v,
      ]);
    await datastream.appendTick(at(3), ids, Float64Array.of(1, 2, 3));
    const sources = backend.lastTicks[0]!.streamIds;
    await datastream.appendTick(at(5), ids, Float64Array.of(1, 20, 3));
    expect(backend.lastTicks[0]!.streamIds).toBe(sources);
    expect(await outputs()).toEqual([[0, 24]]);
    await Promise.all([
      datastream.appendTick(at(9), ids, Float64Array.of(1, 200, Number.NaN)),
      datastream.appendTick(at(13), ids, Float64Array.of(7, 7, 7)),
      datastream.appendTick(at(20), ids, Float64Array.of(8, 8, 8)),
    ]);
    expect(backend.lastTicks.map(({ streamIds }) => streamIds)).toEqual([
      sources,
      sources,
      sources,
    ]);
    expect(backend.lastTicks[2]!.streamIds).toBe(sources);
    expect(await outputs()).toEqual([
      [0, 201],
      [10, 21],
      [20, 24],
    ]);
    const other = new Datastream(backend, { onWarning: () => {} });
    for (const second of [22, 24])
      await other.appendTick(at(second), ids, Float64Array.of(1, 1, second));
    expect(backend.lastTicks[0]!.streamIds).toHaveLength(3);
    await other.append(ids[1]!, 5, at(25));
    expect(await outputs()).toEqual([
      [0, 201],
      [10, 21],
      [20, 30],
    ]);
    expect((await other.verify()).differenceCount).toBe(0);
  });

  test('take an output away that a second value of the same instant makes too large', async () => {
    for (const isTick of [true, false]) {
      const { datastream } = await open();
      const [a, b] = (await ensureMany(datastream, 2)) as [StreamId, StreamId];
      const definition = { ...SECONDS, deriveFrom: [a, a], deriveOp: 'sum' };
      const live = await datastream.ensureStream({ n: 'live' }, definition);
      const append = (second: number, value: number): Promise<unknown> =>
        isTick
          ? datastream.appendTick(at(second), [a, b], Float64Array.of(value, 0))
          : datastream.append(a, value, at(second));
      await append(0, 1);
      await append(1, 2);
      await append(1, Number.MAX_VALUE);
      await append(2, 3);
      const replayed = await datastream.ensureStream(
        { n: 'replayed' },
        { ...definition, deriveBackprocess: true },
      );
      await datastream.backprocessStreams();
      const [outputs, expected] = await Promise.all(
        [live, replayed].map((id) => datastream.getData(id, 'seconds', { start: 0 }).toArray()),
      );
      expect(outputs).toEqual(expected);
      expect(outputs).toEqual([
        { t: new Date(at(0)), v: 2 },
        { t: new Date(at(2)), v: 6 },
      ]);
    }
  });

  test('are refused as a whole, whatever is wrong with one of their streams', async () => {
    const { datastream } = await open();
    const [a, b] = (await ensureMany(datastream, 2)) as [StreamId, StreamId];
    const text = await datastream.ensureStream(
      { n: 'text' },
      { ...SECONDS, valueDownsamplers: [], valueType: 'nominal' },
    );
    const slope = await datastream.ensureStream(
      { n: 'slope' },
      { ...SECONDS, deriveFrom: a, deriveOp: 'derivative' },
    );
    await datastream.appendTick(at(5), [a, b], Float64Array.of(1, 2));
    const refused: readonly (readonly [string, readonly unknown[], number, number])[] = [
      ['INVALID_VALUE', [a, b], 6, Number.POSITIVE_INFINITY],
      ['INVALID_VALUE', [a, a], 6, 1],
      ['INVALID_VALUE', [a, text], 6, 1],
      ['INVALID_TIMESTAMP', [a, b], 4, 1],
      ['STREAM_NOT_FOUND', [a, 'nobody'], 6, 1],
      ['STREAM_NOT_FOUND', [a, 42], 6, 1],
      ['APPEND_TO_DERIVED_STREAM_NOT_ALLOWED', [a, slope], 6, 1],
    ];
    for (const [code, ids, second, value] of refused) {
      for (let round = 0; round < 2; round++) {
        const tick = datastream.appendTick(at(second), ids as string[], Float64Array.of(3, value));
        await expect(tick).rejects.toMatchObject({ code });
      }
    }
    expect(await datastream.getData(a, 'seconds', { start: 0 }).count()).toBe(1);
    await datastream.appendTick(at(6), [a, b], Float64Array.of(3, 4));
    const outputs = await datastream.getData(slope, 'seconds', { start: 0 }).toArray();
    expect(outputs).toEqual([{ t: new Date(at(6)), v: 2 }]);
  });

  test('follow a derived stream that comes, and one that goes', async () => {
    const { datastream } = await open();
    const ids = await ensureMany(datastream, 3);
    const tick = (second: number): Promise<void> =>
      datastream.appendTick(at(second), ids, Float64Array.of(second, 2, 3));
    await tick(0);
    const slope = await datastream.ensureStream(
      { n: 'slope' },
      { ...SECONDS, deriveFrom: ids[0]!, deriveOp: 'derivative', deriveBackprocess: false },
    );
    await tick(1);
    await tick(2);
    const outputs = await datastream.getData(slope, 'seconds', { start: 0 }).toArray();
    expect(outputs.map(({ t }) => t)).toEqual([new Date(at(2))]);
    await datastream.deleteStreams({ n: 'slope' });
    await tick(3);
    await datastream.deleteStreams({ n: 2 });
    await expect(tick(4)).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND' });
    expect(await datastream.getData(ids[0]!, 'seconds', { start: 0 }).count()).toBe(4);
  });
});

describe('rows in order that levels did not wait for', () => {
  async function withLevelAhead(): Promise<{
    datastream: Datastream;
    ids: readonly StreamId[];
    staleOf: (id: StreamId) => Promise<unknown>;
  }> {
    const { backend, datastream } = await open();
    const ids = await ensureMany(datastream, 2);
    await datastream.appendTick(at(0), ids, Float64Array.of(1, 1));
    const [snapshot] = await backend.readStreams(ids);
    const { record } = snapshot!;
    const levels = { ...record.levels, '10seconds': { untilMs: at(60), stale: [] } };
    // As when the level followed ticks in which the stream had no row.
    await backend.commit({ expect: [], update: [{ ...record, levels }] });
    const other = new Datastream(backend);
    const staleOf = async (id: StreamId): Promise<unknown> => {
      const [stored] = await backend.readStreams([id]);
      return stored!.record.levels['10seconds']?.stale;
    };
    return { datastream: other, ids, staleOf };
  }

  const stale = [{ startMs: at(50), endMs: at(60) }];

  test('make the buckets stale when they come alone', async () => {
    const { datastream, ids, staleOf } = await withLevelAhead();
    await datastream.append(ids[0]!, 2, at(55));
    expect(await staleOf(ids[0]!)).toEqual(stale);
    await datastream.append(ids[0]!, 2, at(60));
    expect(await staleOf(ids[0]!)).toEqual(stale);
  });

  test('make the buckets stale when they come in a tick', async () => {
    const { datastream, ids, staleOf } = await withLevelAhead();
    await datastream.appendTick(at(55), ids, Float64Array.of(2, 2));
    expect(await staleOf(ids[0]!)).toEqual(stale);
    expect(await staleOf(ids[1]!)).toBeUndefined();
    await datastream.appendTick(at(60), ids, Float64Array.of(2, 2));
    expect(await staleOf(ids[0]!)).toEqual(stale);
  });
});

describe('the cache of streams', () => {
  test('lets go of streams that were not used for long, and finds them again', async () => {
    const { backend, datastream } = await open();
    const ids = await ensureMany(datastream, 6);
    const forgotten: StreamId[] = [];
    const onReload = ({ streamId }: { streamId: StreamId }): void => void forgotten.push(streamId);
    const cache = new StreamCache(backend, onReload, { streamCountMax: 5 });
    await cache.loadClosure(ids);
    cache.trim();
    expect(forgotten).toEqual([]);
    cache.get(ids[3]!)!.isInUse = true;
    const { epoch } = cache;
    cache.trim();
    expect(forgotten).toEqual(ids.filter((id) => id !== ids[3]));
    expect(cache.epoch).not.toBe(epoch);
    expect(cache.isReady(ids[0]!)).toBe(false);
    await cache.loadClosure([ids[0]!]);
    expect(cache.isReady(ids[0]!)).toBe(true);
  });
});
