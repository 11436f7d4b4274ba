import assert from 'node:assert/strict';
import type { DataRange } from '../../api/types.ts';
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
}

function assertNear(actual: readonly unknown[], wanted: readonly (number | null)[]): void {
  assert.equal(actual.length, wanted.length);
  for (const [index, value] of wanted.entries()) {
    const isNear = value !== null && Math.abs((actual[index] as number) - value) < 1e-9;
    if (!isNear) assert.equal(actual[index], value);
  }
}
