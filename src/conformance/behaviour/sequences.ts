import assert from 'node:assert/strict';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { at, BASE_MS, type Fixture, type Suite } from '../fixture.ts';

const { Seconds, Seconds10 } = Granularity;

/** Values 0 to 99, one a second, downsampled. */
async function hundred(fixture: Fixture): Promise<StreamId> {
  const id = await fixture.ensure('a');
  await fixture.appendNumbers(
    id,
    Array.from({ length: 100 }, (_, n) => n),
  );
  await fixture.datastream.downsampleStreams();
  return id;
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, n) => from + n);
}

export function sequencesTopic({ test }: Suite): void {
  test('datapoints count, and can be taken by index', async (fixture) => {
    const id = await hundred(fixture);
    const data = fixture.datastream.getData(id, Seconds, { start: at(10), end: at(59) });
    assert.equal(await data.count(), 50);
    assert.deepEqual(await data.at(0), { t: at(10), v: 10 });
    assert.deepEqual(await data.at(49), { t: at(59), v: 59 });
    assert.equal((await data.at(50)) ?? undefined, undefined);
  });

  test('slices of datapoints are datapoints again', async (fixture) => {
    const id = await hundred(fixture);
    const data = fixture.datastream.getData(id, Seconds, { start: at(0) });
    const valuesOf = async (slice: typeof data) => (await slice.toArray()).map(({ v }) => v);
    assert.deepEqual(await valuesOf(data.slice(95)), numbers(95, 100));
    assert.deepEqual(await valuesOf(data.slice(5, 8)), [5, 6, 7]);
    assert.deepEqual(await valuesOf(data.slice(10, 50).slice(5, 8)), [15, 16, 17]);
    assert.deepEqual(await valuesOf(data.slice(98, 200)), [98, 99]);
    assert.deepEqual(await valuesOf(data.slice(100)), []);
    assert.equal(await data.slice(5, 8).count(), 3);
    assert.deepEqual(await data.slice(5, 8).at(1), { t: at(6), v: 6 });
    const reverse = fixture.datastream.getData(id, Seconds, { start: at(0), reverse: true });
    assert.deepEqual(await valuesOf(reverse.slice(0, 3)), [99, 98, 97]);
    assert.deepEqual(await reverse.at(99), { t: at(0), v: 0 });
    assert.equal(await reverse.count(), 100);
  });

  test('a sequence can be iterated again, and left early', async (fixture) => {
    const id = await hundred(fixture);
    const data = fixture.datastream.getData(id, Seconds, { start: at(0) });
    for (let round = 0; round < 2; round++) {
      const seen: unknown[] = [];
      for await (const { v } of data) {
        seen.push(v);
        if (seen.length === 3) break;
      }
      assert.deepEqual(seen, [0, 1, 2]);
    }
    assert.equal((await data.toArray()).length, 100);
  });

  test('a sequence is read when it is iterated, not before', async (fixture) => {
    const id = await hundred(fixture);
    const data = fixture.datastream.getData(id, Seconds, { start: at(0) });
    await fixture.datastream.append(id, 100, at(100));
    assert.equal(await data.count(), 101);
  });

  test('raw columns are typed arrays', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.appendSeries(id, [1, null, 3]);
    const range = { start: at(0) };
    const columns = await fixture.datastream.getData(id, Seconds, range).columns();
    assert(columns.timestamps instanceof Float64Array);
    assert.deepEqual([...columns.timestamps], [BASE_MS, BASE_MS + 1000, BASE_MS + 2000]);
    assert(columns.values instanceof Float64Array);
    assert.deepEqual([...columns.values], [1, Number.NaN, 3]);
    const reverse = { ...range, reverse: true };
    const backward = await fixture.datastream.getData(id, Seconds, reverse).columns();
    assert.deepEqual([...backward.values!], [3, Number.NaN, 1]);
    const slice = await fixture.datastream.getData(id, Seconds, range).slice(2).columns();
    assert.deepEqual([...slice.values!], [3]);
  });

  test('columns of a nominal stream have its values', async (fixture) => {
    const id = await fixture.ensure('a', { valueType: 'nominal' });
    const values = ['x', null, { y: 1 }];
    await fixture.appendSeries(id, values);
    const columns = await fixture.datastream.getData(id, Seconds, { start: at(0) }).columns();
    assert.deepEqual([...columns.values!], values);
  });

  test('columns of a level have letters', async (fixture) => {
    const id = await hundred(fixture);
    const columns = await fixture.datastream
      .getData(id, Seconds10, {
        start: at(0),
        end: at(10),
        valueDownsamplers: ['mean', 'count'],
        timeDownsamplers: ['first'],
      })
      .columns();
    assert.deepEqual([...columns.timestamps], [BASE_MS, BASE_MS + 10_000]);
    assert.deepEqual(Object.keys(columns.v!).sort(), ['c', 'm']);
    assert.deepEqual([...columns.v!['m']!], [4.5, 14.5]);
    assert.deepEqual([...columns.v!['c']!], [10, 10]);
    if (fixture.hasTime('first')) {
      assert.deepEqual(Object.keys(columns.t!), ['a']);
      assert.deepEqual([...columns.t!['a']!], [BASE_MS, BASE_MS + 10_000]);
    } else {
      assert.deepEqual(columns.t, {});
    }
  });

  test('columns of nothing are empty', async (fixture) => {
    const id = await fixture.ensure('a');
    const raw = await fixture.datastream.getData(id, Seconds, { start: at(0) }).columns();
    assert.equal(raw.timestamps.length, 0);
    const level = await fixture.datastream.getData(id, Seconds10, { start: at(0) }).columns();
    assert.equal(level.timestamps.length, 0);
  });

  test('a long series is the same as datapoints, as columns and in slices', async (fixture) => {
    const id = await fixture.ensure('a');
    const rowCount = 30_000;
    await fixture.appendNumbers(id, numbers(0, rowCount));
    const data = fixture.datastream.getData(id, Seconds, { start: at(0) });
    let next = 0;
    for await (const { t, v } of data) {
      assert(v === next && t.getTime() === BASE_MS + next * 1000, 'in order, none left out');
      next++;
    }
    assert.equal(next, rowCount);
    const { values } = await data.columns();
    assert(values!.every((value, index) => value === index));
    assert.deepEqual(await data.at(29_999), { t: at(29_999), v: 29_999 });
    assert.equal((await data.slice(12_345, 12_346).toArray())[0]!.v, 12_345);
  });

  test('equal timestamps are iterated in order of arrival, reversed in reverse', async (fixture) => {
    const id = await fixture.ensure('a');
    for (const value of [1, 2, 3, 4]) await fixture.datastream.append(id, value, at(0));
    const read = async (reverse: boolean) =>
      (await fixture.read(id, Seconds, { start: at(0), reverse })).map(({ v }) => v);
    const kept = fixture.backend.supports.equalTimestamps ? [1, 2, 3, 4] : [4];
    assert.deepEqual(await read(false), kept);
    assert.deepEqual(await read(true), kept.toReversed());
  });

  test('§2 streams come in creation order, lazily, counted and sliced', async (fixture) => {
    const ids: StreamId[] = [];
    for (let index = 0; index < 30; index++) {
      ids.push(await fixture.ensure(`s${index}`, { tags: { even: index % 2 === 0 } }));
    }
    const streams = fixture.datastream.findStreams();
    const idsOf = async (some: typeof streams) => (await some.toArray()).map(({ id }) => id);
    assert.equal(await streams.count(), 30);
    assert.deepEqual(await idsOf(streams), ids);
    assert.deepEqual(await idsOf(streams.slice(10, 12)), ids.slice(10, 12));
    assert.deepEqual(await idsOf(streams.slice(28)), ids.slice(28));
    assert.equal((await streams.at(29))?.id, ids[29]);
    assert.equal((await streams.at(30)) ?? undefined, undefined);
    const even = fixture.datastream.findStreams({ even: true });
    assert.equal(await even.count(), 15);
    assert.equal((await even.at(3))?.id, ids[6]);
    const seen: string[] = [];
    for await (const { id } of even) {
      seen.push(id);
      if (seen.length === 2) break;
    }
    assert.deepEqual(seen, [ids[0], ids[2]]);
  });
}
