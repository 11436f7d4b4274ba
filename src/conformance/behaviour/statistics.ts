import assert from 'node:assert/strict';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { assertJson, at, BASE_MS, type Fixture, type Suite } from '../fixture.ts';

const { Seconds10, Minutes } = Granularity;

/** The first bucket of 10 s over the values, one a second. */
async function firstBucket(fixture: Fixture, id: StreamId, values: readonly unknown[]) {
  await fixture.appendSeries(id, values);
  await fixture.datastream.append(id, null, at(10));
  await fixture.datastream.downsampleStreams();
  return (await fixture.read(id, Seconds10))[0]!;
}

function isClose(a: number, b: number, tolerance = 1e-12): void {
  assert(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${a} is close to ${b}`);
}

export function statisticsTopic({ test }: Suite): void {
  test('§3 std_dev of 1, 2, 3, 4, 5 is 1.4142135623730951', async (fixture) => {
    const { v } = await firstBucket(fixture, await fixture.ensure('a'), [1, 2, 3, 4, 5]);
    assert.equal(String(v.d), '1.4142135623730951');
    assert.deepEqual({ ...v, d: 0 }, { m: 3, s: 15, l: 1, u: 5, q: 55, d: 0, c: 5 });
  });

  test('§3 std_dev of one value is 0, of none null', async (fixture) => {
    const id = await fixture.ensure('a');
    assert.equal((await firstBucket(fixture, id, [7])).v.d, 0);
    const empty = await fixture.ensure('b');
    assert.equal((await firstBucket(fixture, empty, [null])).v.d, null);
  });

  test('§3 std_dev of 10⁹ ± 0.5 is 0.5 at every level', async (fixture) => {
    const id = await fixture.ensure('a');
    const values = Array.from({ length: 700 }, (_, n) => 1e9 + (n % 2 === 0 ? 0.5 : -0.5));
    await fixture.appendNumbers(id, values);
    await fixture.datastream.append(id, 0, at(86_400));
    await fixture.datastream.downsampleStreams();
    for (const granularity of [Seconds10, Minutes, Granularity.Minutes10, Granularity.Hours]) {
      const [bucket] = await fixture.read(id, granularity);
      isClose(bucket!.v.d, 0.5);
    }
  });

  test('§3 a bucket of nulls has count 0 and every other value null', async (fixture) => {
    const id = await fixture.ensure('a');
    const { t, v } = await firstBucket(fixture, id, [null, null, null]);
    assert.deepEqual(v, { m: null, s: null, l: null, u: null, q: null, d: null, c: 0 });
    if (!fixture.hasTime('first')) {
      assert.deepEqual(t, { m: at(0) });
      return;
    }
    assert.deepEqual(t.m, at(5));
    assert.deepEqual([t.a, t.z, t.i, t.l, t.u, t.q, t.d], new Array(7).fill(null));
  });

  test('§3 nulls are skipped by value and time downsamplers', async (fixture) => {
    const id = await fixture.ensure('a');
    const { t, v } = await firstBucket(fixture, id, [null, 4, null, null, 8, null, null, 0, null]);
    assert.deepEqual({ ...v, d: 0 }, { m: 4, s: 12, l: 0, u: 8, q: 80, d: 0, c: 3 });
    if (!fixture.hasTime('first')) {
      assert.deepEqual(t, { m: at(0) });
      return;
    }
    assert.deepEqual([t.m, t.a, t.z], [at(4), at(1), at(7)]);
    assert.deepEqual([t.i, t.l, t.u, t.q, t.d], [3, 3, 3, 18, 0]);
  });

  test('§5 time downsamplers: mean to the second, first, last, intervals', async (fixture) => {
    const id = await fixture.ensure('a');
    for (const second of [1, 2, 4, 9]) await fixture.datastream.append(id, 1, at(second));
    await fixture.datastream.append(id, 1, at(10));
    await fixture.datastream.downsampleStreams();
    const { t } = (await fixture.read(id, Seconds10))[0]!;
    if (!fixture.hasTime('first')) {
      assert.deepEqual(t, { m: at(0) });
      return;
    }
    assert.deepEqual(t, {
      m: at(4),
      a: at(1),
      z: at(9),
      i: 8 / 3,
      l: 1,
      u: 5,
      q: 1 + 4 + 25,
      d: t.d,
    });
    isClose(t.d, Math.sqrt(30 / 3 - (8 / 3) ** 2));
  });

  test('§5 a lone datapoint has no intervals', async (fixture) => {
    const { t } = await firstBucket(fixture, await fixture.ensure('a'), [null, 1]);
    if (!fixture.hasTime('first')) {
      assert.deepEqual(t, { m: at(0) });
      return;
    }
    assert.deepEqual([t.m, t.a, t.z], [at(1), at(1), at(1)]);
    assert.deepEqual([t.i, t.l, t.u, t.q, t.d], [null, null, null, null, null]);
  });

  test('§5 intervals of a lower level reach across the buckets of the finer one', async (fixture) => {
    const id = await fixture.ensure('a');
    for (const second of [0, 5, 25, 55]) await fixture.datastream.append(id, 1, at(second));
    for (const second of [60, 70]) await fixture.datastream.append(id, 1, at(second));
    await fixture.datastream.downsampleStreams();
    const { t } = (await fixture.read(id, Minutes))[0]!;
    if (!fixture.hasTime('first')) {
      assert.deepEqual(t, { m: at(0) });
      return;
    }
    assert.deepEqual([t.a, t.z], [at(0), at(55)]);
    assert.deepEqual([t.i, t.l, t.u, t.q], [55 / 3, 5, 30, 25 + 400 + 900]);
    // (0 + 5 + 25 + 55) / 4 = 21.25
    assert.deepEqual(t.m, at(21));
  });

  test('§3 equal timestamps have intervals of zero', async (fixture) => {
    const id = await fixture.ensure('a');
    for (const second of [3, 3, 5]) await fixture.datastream.append(id, 1, at(second));
    await fixture.datastream.append(id, 1, at(10));
    await fixture.datastream.downsampleStreams();
    const { t, v } = (await fixture.read(id, Seconds10))[0]!;
    if (!fixture.backend.supports.equalTimestamps) {
      assert.equal(v.c, 2);
      return;
    }
    assert.deepEqual([t.i, t.l, t.u, t.q, t.d], [1, 0, 2, 4, 1]);
  });

  test('§3 median is exact in small buckets, and merges', async (fixture) => {
    const id = await fixture.ensureWith('a', { valueDownsamplers: ['median'] });
    if (id === null) return;
    const values = Array.from({ length: 60 }, (_, n) => (n * 37) % 61);
    await fixture.appendSeries(id, values);
    for (const second of [60, 70]) await fixture.datastream.append(id, 0, at(second));
    await fixture.datastream.downsampleStreams();
    const median = (some: readonly number[]) => {
      const sorted = some.toSorted((a, b) => a - b);
      const middle = sorted.length / 2;
      return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
    };
    const tens = await fixture.readLetter(id, Seconds10, 'n');
    assert.deepEqual(
      tens.slice(0, 6),
      Array.from({ length: 6 }, (_, n) => median(values.slice(n * 10, n * 10 + 10))),
    );
    assert.deepEqual(await fixture.readLetter(id, Minutes, 'n'), [median(values)]);
  });

  test('§3 median of many values is close', async (fixture) => {
    const id = await fixture.ensureWith('a', { valueDownsamplers: ['median'] });
    if (id === null) return;
    const values = Array.from({ length: 3600 }, (_, n) => 1000 + ((n * 7919) % 3600));
    await fixture.appendNumbers(id, [...values, ...new Array(1201).fill(1)]);
    await fixture.datastream.downsampleStreams();
    const [median] = await fixture.readLetter(id, Granularity.Hours, 'n');
    isClose(median as number, 2799.5, 0.02);
  });

  test('§3 nominal: count, most_often, least_often, frequencies', async (fixture) => {
    const valueDownsamplers = ['most_often', 'least_often', 'frequencies'];
    const id = await fixture.ensureWith('a', { valueType: 'nominal', valueDownsamplers });
    if (id === null) return;
    const { v } = await firstBucket(fixture, id, ['x', 'y', 'x', null, 'z', 'x', 'y']);
    assert.deepEqual(v, { c: 6, o: 'x', r: 'z', f: { x: 3, y: 2, z: 1 } });
  });

  test('§3 nominal values of any JSON are counted by their content', async (fixture) => {
    const valueDownsamplers = ['most_often', 'least_often'];
    const id = await fixture.ensureWith('a', { valueType: 'nominal', valueDownsamplers });
    if (id === null) return;
    const values = [{ a: 1, b: [2] }, false, { b: [2], a: 1 }, 0, 0, { b: [2], a: 1 }];
    const { v } = await firstBucket(fixture, id, values);
    assertJson(v, { c: 6, o: { a: 1, b: [2] }, r: false });
  });

  test('§3 frequencies merge into lower levels', async (fixture) => {
    const valueDownsamplers = ['most_often', 'frequencies'];
    const id = await fixture.ensureWith('a', { valueType: 'nominal', valueDownsamplers });
    if (id === null) return;
    for (let second = 0; second <= 70; second++) {
      await fixture.datastream.append(id, second < 60 ? `k${second % 7}` : 'later', at(second));
    }
    await fixture.datastream.downsampleStreams();
    const [minute] = await fixture.read(id, Minutes);
    assert.deepEqual(minute!.v, {
      c: 60,
      o: 'k0',
      f: { k0: 9, k1: 9, k2: 9, k3: 9, k4: 8, k5: 8, k6: 8 },
    });
  });

  test('§3 nominal buckets without data have count 0 and nulls', async (fixture) => {
    const valueDownsamplers = ['most_often', 'least_often', 'frequencies'];
    const id = await fixture.ensureWith('a', { valueType: 'nominal', valueDownsamplers });
    if (id === null) return;
    const { v } = await firstBucket(fixture, id, [null]);
    assert.deepEqual(v, { c: 0, o: null, r: null, f: null });
  });

  test('§3 graphs are counted', async (fixture) => {
    const id = await fixture.ensure('a', { valueType: 'graph' });
    const { v } = await firstBucket(fixture, id, [{ v: [], e: [] }, null, { v: [], e: [] }]);
    assert.deepEqual(v, { c: 2 });
  });

  test('§6 level k equals what raw data gives', async (fixture) => {
    const id = await fixture.ensure('a');
    const rowCount = 8000;
    const values = Array.from({ length: rowCount }, (_, n) => ((n * 7919) % 1009) / 4);
    await fixture.appendNumbers(id, values);
    await fixture.datastream.append(id, 0, at(3 * 86_400));
    await fixture.datastream.downsampleStreams();
    for (const granularity of Granularity.values.slice(1)) {
      const seconds = granularity.durationMs / 1000;
      const offset = (BASE_MS - granularity.bucketStart(BASE_MS).getTime()) / 1000;
      const buckets = await fixture.read(id, granularity);
      for (let index = 0; index * seconds - offset < rowCount; index++) {
        const from = Math.max(0, index * seconds - offset);
        const group = values.slice(from, (index + 1) * seconds - offset);
        const { t, v } = buckets[index]!;
        const sum = group.reduce((a, b) => a + b, 0);
        assert.deepEqual(
          [v.c, v.s, v.m, v.l, v.u],
          [group.length, sum, sum / group.length, Math.min(...group), Math.max(...group)],
        );
        const times = [at(from), at(from + group.length - 1)];
        if (fixture.hasTime('first')) assert.deepEqual([t.a, t.z], times);
        else assert.deepEqual(t, { m: granularity.bucketStart(at(from)) });
        const variance = group.reduce((a, x) => a + (x - v.m) ** 2, 0) / group.length;
        isClose(v.d, Math.sqrt(variance), 1e-9);
      }
    }
  });
}
