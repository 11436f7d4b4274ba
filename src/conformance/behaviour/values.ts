import assert from 'node:assert/strict';
import { Granularity } from '../../model/granularity.ts';
import type { ValueType } from '../../model/stream.ts';
import { assertCode, at, type Suite } from '../fixture.ts';

const GRAPH = { v: [{ i: 'a', weight: 1 }, { i: 'b' }], e: [{ f: 'a', t: 'b', cost: 2.5 }] };

/** Values that a stream of the type refuses, each with the reason. */
const REFUSED: readonly (readonly [ValueType, string, unknown])[] = [
  ['numeric', 'a string', '1'],
  ['numeric', 'a boolean', true],
  ['numeric', 'undefined', undefined],
  ['numeric', 'a list', [1]],
  ['numeric', 'a date', new Date(0)],
  ['numeric', 'NaN, which is no number', Number.NaN],
  ['numeric', 'an infinity', Number.POSITIVE_INFINITY],
  ['numeric', 'the other infinity', Number.NEGATIVE_INFINITY],
  ['numeric', 'a symbol', Symbol('x')],
  ['nominal', 'undefined', undefined],
  ['nominal', 'a function', () => 1],
  ['nominal', 'a bigint, which is no JSON', 1n],
  ['nominal', 'NaN inside', { a: [Number.NaN] }],
  ['graph', 'a number', 1],
  ['graph', 'a list', []],
  ['graph', 'no vertices', { e: [] }],
  ['graph', 'no edges', { v: [] }],
  ['graph', 'vertices that are no list', { v: {}, e: [] }],
  ['graph', 'edges that are no list', { v: [], e: 1 }],
  ['graph', 'a vertex without id', { v: [{ x: 1 }], e: [] }],
  ['graph', 'a duplicate id', { v: [{ i: 'a' }, { i: 'a' }], e: [] }],
  ['graph', 'an edge without start', { v: [{ i: 'a' }], e: [{ t: 'a' }] }],
  ['graph', 'an edge without end', { v: [{ i: 'a' }], e: [{ f: 'a' }] }],
  ['graph', 'an edge from nowhere', { v: [{ i: 'a' }], e: [{ f: 'b', t: 'a' }] }],
  ['graph', 'an edge to nowhere', { v: [{ i: 'a' }], e: [{ f: 'a', t: 'b' }] }],
];

/** What each type keeps as it was given. */
const KEPT: Readonly<Record<ValueType, readonly unknown[]>> = {
  numeric: [0, 1, -1, 0.1, 1e300, 5e-324, 2 ** 53, null],
  nominal: ['text', '', 0, -1.5, true, false, null, [], [1, [2]], {}, { a: { b: [null] } }],
  graph: [GRAPH, { v: [], e: [] }, { v: [{ i: 1 }], e: [{ f: 1, t: 1 }], title: 'x' }, null],
};

export function valuesTopic({ test }: Suite): void {
  for (const [valueType, reason, value] of REFUSED) {
    test(`§3 ${valueType} refuses ${reason}, and stores nothing`, async (fixture) => {
      const id = await fixture.ensure('a', { valueType });
      await assertCode(() => fixture.datastream.append(id, value, at(0)), 'INVALID_VALUE');
      const good = valueType === 'graph' ? GRAPH : 1;
      await assertCode(
        () =>
          fixture.datastream.appendMultiple([
            { streamId: id, value: good, timestamp: at(0) },
            { streamId: id, value, timestamp: at(1) },
          ]),
        'INVALID_VALUE',
      );
      assert.deepEqual(await fixture.read(id), []);
      assert.equal((await fixture.datastream.getStream(id)).latestDatapoint, null);
    });
  }

  for (const [valueType, values] of Object.entries(KEPT)) {
    test(`§3 ${valueType} values come back as they were given`, async (fixture) => {
      const id = await fixture.ensure('a', { valueType: valueType as ValueType });
      await fixture.appendSeries(id, values);
      assert.deepEqual(
        await fixture.readRaw(id),
        values.map((value, second) => [second, value]),
      );
    });
  }

  test('§3 INVALID_VALUE is a TypeError too', async (fixture) => {
    const id = await fixture.ensure('a');
    await assert.rejects(fixture.datastream.append(id, 'x'), TypeError);
  });

  test('§3 big numbers stay within float accuracy', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.appendSeries(id, [2n ** 128n, 2 ** 128, 12n]);
    assert.deepEqual(await fixture.readRaw(id), [
      [0, 2 ** 128],
      [1, 2 ** 128],
      [2, 12],
    ]);
  });

  test('§3 an integer that is too large for a float is refused', async (fixture) => {
    const id = await fixture.ensure('a');
    await assertCode(() => fixture.datastream.append(id, 10n ** 400n, at(0)), 'INVALID_VALUE');
  });

  test('§3 an already downsampled value stands for its group', async (fixture) => {
    const id = await fixture.ensure('a', { valueDownsamplers: ['mean', 'min', 'max', 'std_dev'] });
    const group = { m: 2.5, s: 10, l: 1, u: 4, q: 30, d: Math.sqrt(1.25), c: 4 };
    if (!fixture.backend.supports.groupValues) {
      await assertCode(() => fixture.datastream.append(id, group, at(0)), 'NOT_SUPPORTED');
      return;
    }
    await fixture.datastream.append(id, group, at(0));
    await fixture.appendSeries(id, [5, 6, null], 1);
    await fixture.datastream.append(id, 0, at(10));
    assert.deepEqual((await fixture.read(id))[0]!.v, group);
    await fixture.datastream.downsampleStreams();
    const [bucket] = await fixture.read(id, Granularity.Seconds10);
    const { d: deviation, ...exact } = bucket!.v;
    // Together it is 1, 2, 3, 4, 5, 6.
    assert.deepEqual(exact, { m: 3.5, s: 21, l: 1, u: 6, q: 91, c: 6 });
    assert(Math.abs(deviation - Math.sqrt(35 / 12)) < 1e-12);
  });

  test('§3 an already downsampled value has exactly the letters of its stream', async (fixture) => {
    const id = await fixture.ensure('a', { valueDownsamplers: ['mean', 'min'] });
    const group = { m: 2, s: 4, l: 1, c: 2 };
    if (!fixture.backend.supports.groupValues) {
      const timestamps = Float64Array.of(at(0).getTime(), at(1).getTime());
      const append = () => fixture.datastream.appendColumns(id, { timestamps, values: [1, group] });
      await assertCode(append, 'NOT_SUPPORTED');
      await assertCode(() => fixture.datastream.append(id, { m: 2 }, at(0)), 'INVALID_VALUE');
      assert.deepEqual(await fixture.read(id), []);
      return;
    }
    await fixture.datastream.append(id, group, at(0));
    for (const value of [
      { m: 2, s: 4, c: 2 },
      { m: 2, l: 1, c: 2 },
      { ...group, u: 3 },
      { ...group, x: 3 },
      { ...group, m: 'two' },
      { ...group, c: -1 },
      { ...group, c: 1.5 },
      {},
    ]) {
      await assertCode(() => fixture.datastream.append(id, value, at(1)), 'INVALID_VALUE');
    }
    assert.equal((await fixture.read(id)).length, 1);
  });
}
