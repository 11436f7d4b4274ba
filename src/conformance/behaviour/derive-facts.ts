import assert from 'node:assert/strict';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { at, type Suite } from '../fixture.ts';

const { Seconds10 } = Granularity;

export function deriveTopic({ test }: Suite): void {
  test('expression: of history, live, and corrected', async (fixture) => {
    const { datastream } = fixture;
    const rx = await fixture.ensure('rx');
    const tx = await fixture.ensure('tx');
    await datastream.append(rx, 4, at(0));
    await datastream.append(tx, 2, at(0));
    const from = [
      { name: 'rx', stream: rx },
      { name: 'tx', stream: tx },
    ];
    const deriveArgs = { expression: '(rx + tx) * 8 / rx' };
    const id = await fixture.derive('use', 'expression', from, { deriveArgs });
    await datastream.backprocessStreams();
    assert.deepEqual(await fixture.readRaw(id), [[0, 12]]);
    for (const [second, a, b] of [
      [1, 8, 0],
      [2, null, 3],
      [3, 0, 1],
    ] as const) {
      await datastream.append(tx, b, at(second));
      await datastream.append(rx, a, at(second));
    }
    assert.deepEqual(await fixture.readRaw(id), [
      [0, 12],
      [1, 8],
      [2, null],
      [3, null],
    ]);
    assert.equal(fixture.warnings.length, 1);
    await datastream.upsert(tx, 8, at(1));
    await datastream.downsampleStreams();
    assert.deepEqual((await fixture.readRaw(id))[1], [1, 16]);
    assert.deepEqual((await datastream.getStream(id)).derivedFrom?.args, deriveArgs);
  });

  test('§7 sum, derivative, and the sum of a stream and its derivative', async (fixture) => {
    const { datastream } = fixture;
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    const sum = await fixture.derive('sum', 'sum', [a, b]);
    const rate = await fixture.derive('rate', 'derivative', a);
    const both = await fixture.derive('both', 'sum', [a, rate]);
    const rows = [
      [0, 21, 21],
      [1, 25, 25],
      [2, 28, 28],
      [3, 32, 32],
      [4, 25, 25],
      [10, 70, 42],
      [11, 74, 42],
    ] as const;
    for (const [second, valueA, valueB] of rows) {
      const isFirstB = second === 4;
      if (isFirstB) await datastream.append(b, valueB, at(second));
      await datastream.append(a, valueA, at(second));
      if (!isFirstB) await datastream.append(b, valueB, at(second));
    }
    assert.deepEqual(await fixture.readRaw(sum), [
      [0, 42],
      [1, 50],
      [2, 56],
      [3, 64],
      [4, 50],
      [10, 112],
      [11, 116],
    ]);
    assert.deepEqual(await fixture.readRaw(rate), [
      [1, 4],
      [2, 3],
      [3, 4],
      [4, -7],
      [10, 7.5],
      [11, 4],
    ]);
    assert.deepEqual(await fixture.readRaw(both), [
      [1, 29],
      [2, 31],
      [3, 36],
      [4, 18],
      [10, 77.5],
      [11, 78],
    ]);
    assert.deepEqual(fixture.warnings, []);
  });

  test('§7 sum of two 10seconds sources over 32 s: empty, then 10, 10, 10', async (fixture) => {
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    const sum = await fixture.derive(
      'sum',
      'sum',
      [
        { stream: a, granularity: Seconds10 },
        { stream: b, granularity: '10seconds' },
      ],
      { highestGranularity: Seconds10 },
    );
    await fixture.appendPairs(
      [a, b],
      Array.from({ length: 32 }, () => [5, 5] as const),
    );
    assert.deepEqual(await fixture.readRaw(sum), []);
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(sum), [
      [0, 10],
      [10, 10],
      [20, 10],
    ]);
    await fixture.assertVerified();
  });

  test('§7 a source of a lower granularity contributes its mean', async (fixture) => {
    const a = await fixture.ensure('a');
    const rate = await fixture.derive(
      'rate',
      'derivative',
      { stream: a, granularity: Seconds10 },
      {
        highestGranularity: Seconds10,
      },
    );
    await fixture.appendNumbers(
      a,
      Array.from({ length: 41 }, (_, n) => n * n),
    );
    await fixture.settle();
    const means = (await fixture.readLetter(a, Seconds10, 'm')) as number[];
    assert.deepEqual(
      await fixture.readRaw(rate),
      [1, 2, 3].map((n) => [n * 10, (means[n]! - means[n - 1]!) / 10]),
    );
  });

  test('§7 sum of sources of which one has an empty bucket leaves it out', async (fixture) => {
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    const sources = [a, b].map((stream) => ({ stream, granularity: Seconds10 }));
    const sum = await fixture.derive('sum', 'sum', sources, { highestGranularity: Seconds10 });
    await fixture.appendNumbers(a, new Array(31).fill(2));
    await fixture.datastream.append(b, 3, at(5));
    await fixture.datastream.append(b, 3, at(35));
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(sum), [
      [0, 5],
      [10, 2],
      [20, 2],
    ]);
  });

  test('§7 null sources are left out of a sum; all null gives null', async (fixture) => {
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    const sum = await fixture.derive('sum', 'sum', [a, b]);
    await fixture.appendPairs(
      [a, b],
      [
        [1, null],
        [null, 2],
        [null, null],
        [3, 4],
      ],
    );
    assert.deepEqual(await fixture.readRaw(sum), [
      [0, 1],
      [1, 2],
      [2, null],
      [3, 7],
    ]);
  });

  test('§7 a sum takes any number of sources', async (fixture) => {
    const ids: StreamId[] = [];
    for (let index = 0; index < 12; index++) ids.push(await fixture.ensure(`s${index}`));
    const one = await fixture.derive('one', 'sum', ids[0]!);
    const all = await fixture.derive('all', 'sum', ids);
    const values = Float64Array.from(ids, (_, index) => 2 ** index);
    for (let second = 0; second < 5; second++) {
      await fixture.datastream.appendTick(at(second), ids, values);
    }
    assert.deepEqual(
      (await fixture.readRaw(one)).map(([, v]) => v),
      new Array(5).fill(1),
    );
    assert.deepEqual(
      (await fixture.readRaw(all)).map(([, v]) => v),
      new Array(5).fill(4095),
    );
  });

  test('§7 null is carried to a derivative, and clears the previous value', async (fixture) => {
    const source = await fixture.ensure('source');
    const rate = await fixture.derive('rate', 'derivative', source);
    await fixture.appendSeries(source, [1, null, 5, 7, null, null, 9]);
    assert.deepEqual(await fixture.readRaw(rate), [
      [1, null],
      [3, 2],
      [4, null],
      [5, null],
    ]);
  });

  test('§7 no time difference: a warning, and nothing emitted', async (fixture) => {
    const source = await fixture.ensure('source');
    const rate = await fixture.derive('rate', 'derivative', source);
    for (const [second, value] of [
      [0, 1],
      [1, 3],
      [1, 5],
      [2, 6],
    ] as const) {
      await fixture.datastream.append(source, value, at(second));
    }
    if (!fixture.backend.supports.equalTimestamps) {
      // The later value stands in the place of the earlier one, as if that had never been.
      await fixture.settle();
      assert.deepEqual(await fixture.readRaw(rate), [
        [1, 4],
        [2, 1],
      ]);
      await fixture.assertVerified();
      return;
    }
    assert.deepEqual(await fixture.readRaw(rate), [
      [1, 2],
      [2, 1],
    ]);
    assert.deepEqual(
      fixture.warnings.map(({ code }) => code),
      ['INVALID_VALUE_WARNING'],
    );
  });

  test('§7 derived streams follow every way of appending', async (fixture) => {
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    const sum = await fixture.derive('sum', 'sum', [a, b]);
    const rate = await fixture.derive('rate', 'derivative', sum);
    await fixture.datastream.append(a, 1, at(0));
    await fixture.datastream.append(b, 1, at(0));
    await fixture.datastream.appendMultiple([
      { streamId: a, value: 2, timestamp: at(1) },
      { streamId: b, value: 3, timestamp: at(1) },
    ]);
    await fixture.datastream.appendTick(at(2), [a, b], Float64Array.of(4, 5));
    await fixture.appendNumbers(a, [6, 7, 8], 3);
    await fixture.appendNumbers(b, [1, 2, 3], 3);
    assert.deepEqual(
      (await fixture.readRaw(sum)).map(([, v]) => v),
      [2, 5, 9, 7, 9, 11],
    );
    assert.deepEqual(
      (await fixture.readRaw(rate)).map(([, v]) => v),
      [3, 4, -2, 2, 2],
    );
    await fixture.assertVerified();
  });

  test('§7 derived streams have levels as others have', async (fixture) => {
    const a = await fixture.ensure('a');
    const rate = await fixture.derive('rate', 'derivative', a);
    await fixture.appendNumbers(
      a,
      Array.from({ length: 32 }, (_, n) => n * 3),
    );
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await fixture.readLetter(rate, Seconds10, 'c'), [
      9,
      10,
      10,
      ...fixture.byLevels({ stored: [], computed: [2] }),
    ]);
    const means = await fixture.readLetter(rate, Seconds10, 'm');
    assert.deepEqual(means, new Array(means.length).fill(3));
  });
}
