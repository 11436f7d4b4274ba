import assert from 'node:assert/strict';
import type { StreamDefinition } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { assertCode, assertJson, at, type Fixture, type Suite } from '../fixture.ts';

const { Seconds10, Minutes, Hours } = Granularity;

type Definition = Partial<StreamDefinition> & { readonly valueDownsamplers: readonly string[] };

/**
 * A stream with the values, one a second, and levels computed; null after asserting the refusal where the store
 * lacks one of its downsamplers.
 */
async function seriesWith(
  fixture: Fixture,
  definition: Definition,
  values: readonly unknown[],
): Promise<StreamId | null> {
  const id = await fixture.ensureWith('a', definition);
  if (id === null) return null;
  await fixture.appendSeries(id, values);
  // Null, so that it is in no bucket.
  await fixture.datastream.append(id, null, at(7200));
  await fixture.datastream.downsampleStreams();
  return id;
}

/** The statistics of the first bucket. */
async function firstOf(fixture: Fixture, id: StreamId, granularity: Granularity) {
  return (await fixture.read(id, granularity))[0]!.v;
}

export function moreStatisticsTopic({ test }: Suite): void {
  test('first and last of numbers, at every level and in empty buckets', async (fixture) => {
    const values = Array.from({ length: 70 }, (_, n) => ((n * 37) % 61) / 4);
    const wanted = { valueDownsamplers: ['first', 'last', 'rate_of_change'] };
    const id = await seriesWith(fixture, wanted, [null, ...values.slice(1)]);
    if (id === null) return;
    const tens = await fixture.read(id, Seconds10);
    const edges = tens.slice(0, 8).map(({ v }) => [v.a, v.z]);
    assert.deepEqual(edges.slice(0, 2), [
      [values[1], values[9]],
      [values[10], values[19]],
    ]);
    assert.deepEqual(edges[7], [null, null]);
    assert.equal(tens[1]!.v.k, (values[19]! - values[10]!) / 9);
    assert.equal(tens[7]!.v.k, null);
    const rate = (values[59]! - values[1]!) / 58;
    assert.deepEqual(await firstOf(fixture, id, Minutes), {
      c: 59,
      a: values[1],
      z: values[59],
      k: rate,
    });
    assert.equal((await firstOf(fixture, id, Hours)).z, values[69]);
  });

  test('first and last of one instant are those that arrived so', async (fixture) => {
    const id = await fixture.ensureWith('a', { valueDownsamplers: ['first', 'last'] });
    if (id === null || !fixture.backend.supports.equalTimestamps) return;
    for (const value of [3, 1, 2]) await fixture.datastream.append(id, value, at(0));
    await fixture.datastream.append(id, 0, at(120));
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await firstOf(fixture, id, Minutes), { c: 3, a: 3, z: 2 });
  });

  test('first, last and distinct of nominal values are any JSON', async (fixture) => {
    const definition: Definition = {
      valueType: 'nominal',
      valueDownsamplers: ['first', 'last', 'distinct'],
    };
    const values = [null, { a: [1, 'x'] }, 'up', 5, 'up', { a: [1, 'x'] }, false, null];
    const id = await seriesWith(fixture, definition, values);
    if (id === null) return;
    const wanted = { c: 6, a: { a: [1, 'x'] }, z: false, h: 4 };
    for (const granularity of [Seconds10, Minutes, Hours]) {
      assertJson(await firstOf(fixture, id, granularity), wanted);
    }
    const columns = await fixture.datastream.getData(id, Minutes, { start: at(0) }).columns();
    assertJson(columns.v!['a']![0], { a: [1, 'x'] });
    assertJson(columns.v!['a']![1], null);
  });

  test('what is thinned keeps the shape of numbers alone', async (fixture) => {
    const definition: Definition = {
      valueType: 'nominal',
      valueDownsamplers: ['last', 'distinct'],
    };
    const id = await seriesWith(fixture, definition, ['up', 'down', 'up', 'down']);
    if (id === null) return;
    const thinned = (by: string) =>
      fixture.datastream
        .getData(id, Seconds10, { start: at(0), thin: { points: 10, by } })
        .toArray();
    assert.equal((await thinned('distinct')).at(0)!.v.h, 2);
    await assertCode(() => thinned('last'), 'UNSUPPORTED_DOWNSAMPLER');
  });

  test('range and variance', async (fixture) => {
    const definition = { valueDownsamplers: ['range', 'variance', 'std_dev'] };
    const id = await seriesWith(fixture, definition, [2, 4, 4, 4, 5, 5, 7, 9, null]);
    if (id === null) return;
    for (const granularity of [Seconds10, Minutes, Hours]) {
      const { g, v, d } = await firstOf(fixture, id, granularity);
      assert.equal(g, 7);
      assert(Math.abs(v - 4) < 1e-12);
      assert(Math.abs(d - 2) < 1e-12);
    }
    const [, empty] = await fixture.read(id, Seconds10);
    assert.deepEqual([empty!.v.g, empty!.v.v], [null, null]);
  });

  test('percentiles share the state of the median', async (fixture) => {
    const definition = {
      valueDownsamplers: ['percentile_99.9', 'percentile_0', 'percentile_50', 'percentile_75'],
    };
    const values = Array.from({ length: 600 }, (_, n) => ((n * 7) % 600) + 1);
    const id = await seriesWith(fixture, definition, values);
    if (id === null) return;
    const { valueDownsamplers } = await fixture.datastream.getStream(id);
    assert.deepEqual(valueDownsamplers, [
      ...['count', 'percentile_0', 'percentile_50', 'percentile_75', 'percentile_99.9'],
    ]);
    const ten = await firstOf(fixture, id, Seconds10);
    assert.deepEqual({ ...ten, 'p99.9': 0 }, { c: 10, p0: 1, p50: 32.5, p75: 48.25, 'p99.9': 0 });
    const hour = await firstOf(fixture, id, Hours);
    for (const [letter, value] of Object.entries({ p50: 300, p75: 450, 'p99.9': 599 })) {
      assert(Math.abs(hour[letter] - value) <= 0.0101 * value, `${letter} ${hour[letter]}`);
    }
    const limited = { start: at(0), valueDownsamplers: ['percentile_75'] };
    const [selected] = await fixture.datastream.getData(id, Seconds10, limited).toArray();
    assert.deepEqual(Object.keys(selected!.v), ['p75']);
  });

  test('distinct is exact for few values, and close for many', async (fixture) => {
    const id = await fixture.ensureWith('a', { valueDownsamplers: ['distinct'] });
    if (id === null) return;
    const values = Array.from({ length: 3000 }, (_, n) => (n % 1500) / 8);
    await fixture.appendNumbers(id, [...values, ...new Array(1801).fill(0)]);
    await fixture.datastream.downsampleStreams();
    assert.equal((await firstOf(fixture, id, Seconds10)).h, 10);
    assert.equal((await firstOf(fixture, id, Minutes)).h, 60);
    const { h } = await firstOf(fixture, id, Hours);
    assert(Math.abs(h - 1500) < 1500 * 5 * 0.0163, `${h}`);
  });

  test('statistics that groups of datapoints cannot tell refuse them', async (fixture) => {
    if (!fixture.backend.supports.groupValues) return;
    for (const name of ['percentile_50', 'distinct', 'rate_of_change']) {
      const id = await fixture.ensure(name, { valueDownsamplers: [name] });
      const { valueDownsamplers } = await fixture.datastream.getStream(id);
      assert(valueDownsamplers.includes('count'));
      const append = fixture.datastream.append(id, { c: 1, p50: 1, h: 1, k: 1, a: 1, z: 1 }, at(0));
      await assertCode(() => append, 'INVALID_VALUE');
    }
    const id = await fixture.ensure('b', { valueDownsamplers: ['first', 'last', 'variance'] });
    const group = { s: 4, q: 10, c: 2, a: 3, z: 1, v: 1 };
    await fixture.datastream.append(id, group, at(0));
    await fixture.datastream.append(id, 5, at(1));
    await fixture.datastream.append(id, 0, at(120));
    await fixture.datastream.downsampleStreams();
    const { v, ...rest } = await firstOf(fixture, id, Minutes);
    assert.deepEqual(rest, { s: 9, q: 35, c: 3, a: 3, z: 5 });
    assert(Math.abs(v - 8 / 3) < 1e-12);
  });

  test('on high-accuracy streams first, last, range and variance keep all digits', async (fixture) => {
    if (!fixture.backend.supports.highAccuracy) return;
    const large = 10n ** 60n;
    const definition: Definition = {
      valueTypeOptions: { highAccuracy: true },
      valueDownsamplers: ['first', 'last', 'range', 'variance'],
    };
    const id = await seriesWith(fixture, definition, [large, large + 2n, large - 2n, large]);
    if (id === null) return;
    for (const granularity of [Seconds10, Minutes, Hours]) {
      const { a, z, g, v } = await firstOf(fixture, id, granularity);
      assert.deepEqual([a, z, String(g), String(v)], [large, large, '4', '2']);
    }
  });
}
