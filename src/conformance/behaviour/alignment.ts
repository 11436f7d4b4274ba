import assert from 'node:assert/strict';
import type { DataRange, Thinning } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { assertCode, assertJson, assertMisuse, at, type Fixture, type Suite } from '../fixture.ts';

const { Seconds, Seconds10, Minutes } = Granularity;
const ALL = { start: at(-1000) } as const;

/**
 * Numbers in the buckets of ten seconds that begin at 0, 50 and 70, and a later one that completes them: ten
 * to each side of the number that stands here.
 */
async function gappy(fixture: Fixture): Promise<StreamId> {
  const id = await fixture.ensure('a');
  for (const [second, value] of [
    [1, 10],
    [51, 60],
    [71, 20],
    [130, 0],
  ] as const) {
    await fixture.datastream.append(id, value - 10, at(second));
    await fixture.datastream.append(id, value + 10, at(second + 1));
  }
  await fixture.datastream.downsampleStreams();
  return id;
}

/** The values of one letter in the buckets of ten seconds from 0 to 120: all that a stored level has. */
async function letters(
  fixture: Fixture,
  id: StreamId,
  { letter = 'm', ...range }: Partial<DataRange> & { letter?: string },
): Promise<unknown[]> {
  const bounds = { ...ALL, end: at(120) };
  const buckets = await fixture.read(id, Seconds10, { ...bounds, ...range });
  return buckets.map(({ v }) => v[letter]);
}

const NO = null;

export function alignmentTopic({ test }: Suite): void {
  test('gaps of a level are nulls, or filled with a number, with what was before, or along a line', async (fixture) => {
    const id = await gappy(fixture);
    const plain = [10, NO, NO, NO, NO, 60, NO, 20, NO, NO, NO, NO, NO];
    assert.deepEqual(await letters(fixture, id, {}), plain);
    assert.deepEqual(await letters(fixture, id, { fill: 'null' }), plain);
    assert.deepEqual(
      await letters(fixture, id, { fill: 5 }),
      plain.map((value) => value ?? 5),
    );
    assert.deepEqual(
      await letters(fixture, id, { fill: 'previous' }),
      [10, 10, 10, 10, 10, 60, 60, 20, 20, 20, 20, 20, 20],
    );
    // A stored level ends before the bucket that is still open: on its other side there is nothing yet.
    const end = fixture.byLevels({
      stored: [NO, NO, NO, NO, NO] as (number | null)[],
      computed: [5, 4, 3, 2, 1].map((share) => (20 * share) / 6),
    });
    const line = await letters(fixture, id, { fill: 'linear' });
    assert.deepEqual(line.slice(0, 8), [10, 20, 30, 40, 50, 60, 40, 20]);
    assertNear(line.slice(8), end);
    const live = await letters(fixture, id, { fill: 'linear', live: true });
    assertNear(
      live.slice(8),
      [5, 4, 3, 2, 1].map((share) => (20 * share) / 6),
    );
  });

  test('filling leaves counts and times alone, and sums unless it is with a number', async (fixture) => {
    const id = await gappy(fixture);
    const read = async (fill: NonNullable<DataRange['fill']>) =>
      (await fixture.read(id, Seconds10, { ...ALL, fill }))[1]!;
    const [, plain] = await fixture.read(id, Seconds10);
    const { v, t } = await read('previous');
    assert.deepEqual(t, plain!.t);
    assert.deepEqual(v, { ...plain!.v, m: 10, l: 0, u: 20, d: 10 });
    assert.deepEqual((await read('linear')).v, { ...plain!.v, m: 20, l: 10, u: 30, d: 10 });
    const { c, ...others } = (await read(0)).v;
    assert.equal(c, 0);
    assert.deepEqual(others, { m: 0, s: 0, l: 0, u: 0, q: 0, d: 0 });
  });

  test('a filled value does not depend on the range, the direction or the form of the read', async (fixture) => {
    const id = await gappy(fixture);
    for (const fill of ['previous', 'linear', -1] as const) {
      const whole = await letters(fixture, id, { fill });
      const part = { fill, start: at(20), end: at(64) };
      const wanted = whole.slice(2, 7);
      assert.deepEqual(await letters(fixture, id, part), wanted);
      const backwards = await letters(fixture, id, { ...part, reverse: true });
      assert.deepEqual(backwards, wanted.toReversed());
      const data = fixture.datastream.getData(id, Seconds10, { ...ALL, fill });
      assert.deepEqual(
        (await data.slice(2, 7).toArray()).map(({ v }) => v.m),
        wanted,
      );
      assert.equal((await data.at(3))!.v.m, whole[3]);
      const { v } = await data.slice(2, 7).columns();
      assert.deepEqual([...v!['m']!], wanted);
      const inGap = { fill, start: at(20), end: at(30), valueDownsamplers: ['max'] };
      const tops = await letters(fixture, id, { fill, letter: 'u' });
      assert.deepEqual(await letters(fixture, id, { ...inGap, letter: 'u' }), tops.slice(2, 4));
    }
  });

  test('live buckets are filled, and fill, as those are that maintenance has computed', async (fixture) => {
    const id = await gappy(fixture);
    const wanted = await letters(fixture, id, { fill: 'linear', end: at(70) });
    const other = await fixture.ensure('b');
    for (const { t, v } of await fixture.read(id)) await fixture.datastream.append(other, v, t);
    const live = { fill: 'linear', live: true } as const;
    assert.deepEqual(await letters(fixture, other, { ...live, end: at(70) }), wanted);
    const part = await letters(fixture, other, { ...live, start: at(20), end: at(30) });
    assert.deepEqual(part, wanted.slice(2, 4));
  });

  test('nominal levels are filled with what was before', async (fixture) => {
    const downsamplers = { valueType: 'nominal', valueDownsamplers: ['most_often'] } as const;
    const id = await fixture.ensureWith('a', downsamplers);
    if (id === null) return;
    await fixture.appendSeries(id, [{ on: true }], 1);
    await fixture.appendSeries(id, ['x'], 35);
    await fixture.appendSeries(id, ['y'], 60);
    await fixture.datastream.downsampleStreams();
    const read = (fill: NonNullable<DataRange['fill']>) =>
      letters(fixture, id, { letter: 'o', end: at(50), fill });
    assertJson(await read('previous'), [{ on: true }, { on: true }, { on: true }, 'x', 'x', 'x']);
    await assertCode(() => read('linear'), 'UNSUPPORTED_VALUE_TYPE');
    await assertCode(() => read(1), 'UNSUPPORTED_VALUE_TYPE');
  });

  test('high-accuracy levels are filled digit by digit', async (fixture) => {
    if (!fixture.backend.supports.highAccuracy) return;
    const id = await fixture.ensure('a', { valueTypeOptions: { highAccuracy: true } });
    await fixture.appendSeries(id, ['1.00000000000000000001'], 1);
    await fixture.appendSeries(id, ['4.00000000000000000004'], 31);
    await fixture.appendSeries(id, [10n ** 20n], 51);
    await fixture.appendSeries(id, [0], 60);
    await fixture.datastream.downsampleStreams();
    const read = async (fill: NonNullable<DataRange['fill']>) =>
      (await letters(fixture, id, { end: at(50), fill })).map(String);
    assert.deepEqual(await read('linear'), [
      '1.00000000000000000001',
      '2.00000000000000000002',
      '3.00000000000000000003',
      '4.00000000000000000004',
      '50000000000000000002.00000000000000000002',
      '100000000000000000000',
    ]);
    assert.equal((await read('previous'))[1], '1.00000000000000000001');
    assert.equal((await read(0.1))[1], '0.1');
  });

  test('raw datapoints have no gaps to fill, and what fills them is checked', async (fixture) => {
    const id = await gappy(fixture);
    for (const fill of ['previous', 0] as const) {
      await assertCode(
        () => fixture.read(id, Seconds, { ...ALL, fill }),
        'UNSUPPORTED_GRANULARITY',
      );
    }
    assert.equal((await fixture.read(id, Seconds, { ...ALL, fill: 'null' })).length, 8);
    for (const fill of ['next', Number.NaN, true] as never[]) {
      await assertMisuse(() => fixture.read(id, Minutes, { ...ALL, fill }));
    }
    const empty = await fixture.ensure('b');
    assert.deepEqual(await fixture.read(empty, Minutes, { ...ALL, fill: 'linear' }), []);
  });

  test('maxPoints picks the finest granularity that has no more points in the range', async (fixture) => {
    const id = await fixture.ensure('a');
    const numbers = Array.from({ length: 1200 }, (_, second) => second);
    await fixture.appendNumbers(id, numbers);
    await fixture.datastream.downsampleStreams();
    const { datastream } = fixture;
    const pick = async (maxPoints: number, range: DataRange = {}) =>
      (await datastream.getData(id, { maxPoints, ...range }).granularity()).name;
    assert.equal(await pick(1200), 'seconds');
    assert.equal(await pick(1199), '10seconds');
    assert.equal(await pick(120), '10seconds');
    assert.equal(await pick(119), 'minutes');
    assert.equal(await pick(2), '10minutes');
    assert.equal(await pick(1), 'hours');
    const part = { start: at(600), endExclusive: at(700) };
    assert.equal(await pick(100, part), 'seconds');
    assert.equal(await pick(99, part), '10seconds');
    assert.equal(await pick(9, part), 'minutes');
    assert.equal(await pick(58, { startExclusive: at(599), end: at(658) }), '10seconds');
    assert.equal(await pick(59, { startExclusive: at(599), end: at(658) }), 'seconds');
    assert.equal(await pick(59, { start: at(5000) }), 'seconds');
    const tens = datastream.getData(id, 'auto', { maxPoints: 120, reverse: true });
    assert.equal((await tens.granularity()).name, '10seconds');
    const wanted = await fixture.read(id, Seconds10);
    assert.deepEqual(await tens.toArray(), wanted.toReversed());
    assert.deepEqual(await tens.slice(3, 5).toArray(), wanted.toReversed().slice(3, 5));
    assert.deepEqual(await tens.at(-1), wanted[0]);
    assert.equal((await tens.slice(3).granularity()).name, '10seconds');
    // Once picked, it stays: what is read later fits what was read before.
    await fixture.appendNumbers(id, numbers, 1200);
    assert.equal((await tens.granularity()).name, '10seconds');
    assert.equal(await pick(120), 'minutes');
    assert.equal((await datastream.getData(id, Seconds, ALL).granularity()).name, 'seconds');
  });

  test('maxPoints does not depend on maintenance, and takes a level where gaps are to be filled', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.appendNumbers(id, new Array(100).fill(1));
    const read = (range: DataRange) => fixture.datastream.getData(id, { maxPoints: 50, ...range });
    assert.equal((await read({}).granularity()).name, '10seconds');
    assert.equal(await read({ live: true }).count(), 10);
    const filled = fixture.datastream.getData(id, { maxPoints: 200, fill: 'previous' });
    assert.equal((await filled.granularity()).name, '10seconds');
    const empty = await fixture.ensure('b');
    const none = fixture.datastream.getData(empty, { maxPoints: 10 });
    assert.equal((await none.granularity()).name, 'seconds');
    assert.deepEqual(await none.toArray(), []);
  });

  test('where even the coarsest granularity has more than maxPoints, points are left out', async (fixture) => {
    const { datastream } = fixture;
    const id = await fixture.ensure('a', { valueDownsamplers: [] });
    const numbers = new Array(500).fill(1);
    numbers[77] = 100;
    await fixture.appendNumbers(id, numbers);
    const data = datastream.getData(id, { maxPoints: 10 });
    assert.equal((await data.granularity()).name, 'seconds');
    const points = await data.toArray();
    assert.equal(points.length, 10);
    assert.deepEqual(points.at(0), { t: at(0), v: 1 });
    assert.deepEqual(points.at(-1), { t: at(499), v: 1 });
    assert(points.some(({ t, v }) => v === 100 && t.getTime() === at(77).getTime()));
    const words = await fixture.ensure('b', { valueType: 'nominal', valueDownsamplers: [] });
    await fixture.appendSeries(words, ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    const few = await datastream.getData(words, { maxPoints: 4 }).toArray();
    assert.deepEqual(
      few.map(({ v }) => v),
      ['a', 'c', 'e', 'g'],
    );
  });

  test('thin leaves points out, and keeps the shape, the ends and the gaps', async (fixture) => {
    const id = await fixture.ensure('a');
    const numbers = Array.from({ length: 1200 }, (_, second) => Math.sin(second / 100));
    numbers[333] = 9;
    await fixture.appendNumbers(id, numbers.slice(0, 600));
    await fixture.appendNumbers(id, numbers.slice(900), 900);
    await fixture.datastream.downsampleStreams();
    const { datastream } = fixture;
    const all = await fixture.read(id, Seconds10);
    for (const reverse of [false, true]) {
      const thinned = datastream.getData(id, Seconds10, { ...ALL, reverse, thin: { points: 20 } });
      const points = await thinned.toArray();
      assert.equal(points.length, 20);
      assert.equal(await thinned.count(), 20);
      const ends = [points.at(0), points.at(-1)];
      assert.deepEqual(reverse ? ends.reverse() : ends, [all[0], all.at(-1)]);
      const peak = all.find(({ v }) => v.u === 9);
      assert(points.some(({ v }) => v.m === peak!.v.m));
      assert.equal(points.filter(({ v }) => v.c === 0).length, 1);
      assert.deepEqual(await thinned.slice(5, 7).toArray(), points.slice(5, 7));
      assert.deepEqual(await thinned.at(-1), points.at(-1));
      const { timestamps, v, t } = await thinned.columns();
      assert.equal(timestamps.length, 20);
      assert.deepEqual(
        [...v!['u']!].map((value) => (Number.isNaN(value) ? null : value)),
        points.map((point) => point.v.u),
      );
      assert.deepEqual(
        [...t!['m']!],
        points.map((point) => point.t.m.getTime()),
      );
    }
    const thin = { points: 5, by: 'max' };
    const highest = await fixture.read(id, Seconds10, { ...ALL, thin });
    assert(highest.some(({ v }) => v.u === 9));
    const raw = await fixture.read(id, Seconds, { ...ALL, thin: { points: 30 } });
    assert.equal(raw.length, 30);
    assert(raw.some(({ v }) => v === 9));
    const few = await fixture.read(id, Minutes, { ...ALL, thin: { points: 500 } });
    assert.deepEqual(few, await fixture.read(id, Minutes));
    const filled = await fixture.read(id, Seconds10, { ...ALL, fill: 0, thin: { points: 20 } });
    assert(filled.some(({ v }) => v.c === 0 && v.m === 0));
  });

  test('thinning wants numbers, or no shape', async (fixture) => {
    const id = await fixture.ensure('a', { valueType: 'nominal' });
    await fixture.appendSeries(id, ['a', 'b', 'c', 'd', 'e']);
    const read = (thin: Thinning) => fixture.read(id, Seconds, { ...ALL, thin });
    await assertCode(() => read({ points: 3 }), 'UNSUPPORTED_VALUE_TYPE');
    const even = await read({ points: 3, method: 'even' });
    assert.deepEqual(
      even.map(({ v }) => v),
      ['a', 'c', 'e'],
    );
    const numeric = await fixture.ensure('b');
    for (const by of ['most_often', 'median', 'height']) {
      const thin = { points: 3, by };
      await assertCode(
        () => fixture.read(numeric, Seconds10, { ...ALL, thin }),
        'UNSUPPORTED_DOWNSAMPLER',
      );
    }
  });

  test('what picks and thins is checked', async (fixture) => {
    const id = await fixture.ensure('a');
    const { datastream } = fixture;
    for (const maxPoints of [0, 1.5, Number.NaN, '9'] as never[]) {
      await assertMisuse(() => datastream.getData(id, { maxPoints }));
    }
    await assertMisuse(() => datastream.getData(id, Seconds, { ...ALL, maxPoints: 5 }));
    await assertMisuse(() => datastream.getData(id, 'auto', ALL));
    await assertCode(() => datastream.getData(id, ALL as never), 'UNSUPPORTED_GRANULARITY');
    const both = { maxPoints: 5, start: at(0), startExclusive: at(0) };
    await assertMisuse(() => datastream.getData(id, both));
    for (const thin of [
      5,
      {},
      { points: 1 },
      { points: 5, method: 'odd' },
      { points: 5, of: 'mean' },
      { points: 5, by: 1 },
      { points: 5, by: 'mean', method: 'even' },
    ] as never[]) {
      await assertMisuse(() => datastream.getData(id, Seconds, { ...ALL, thin }));
    }
  });
}

function assertNear(actual: readonly unknown[], wanted: readonly (number | null)[]): void {
  assert.equal(actual.length, wanted.length);
  for (const [index, value] of wanted.entries()) {
    const isNear = value !== null && Math.abs((actual[index] as number) - value) < 1e-9;
    if (!isNear) assert.equal(actual[index], value);
  }
}
