import assert from 'node:assert/strict';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { at, type Fixture, type Suite } from '../fixture.ts';

const { Seconds10, Minutes } = Granularity;
const LATE = { checkTimestamp: false } as const;

/** Ten minutes of ones, downsampled. */
async function ones(fixture: Fixture): Promise<StreamId> {
  const id = await fixture.ensure('a');
  await fixture.appendNumbers(id, new Array(601).fill(1));
  await fixture.datastream.downsampleStreams();
  return id;
}

export function lateDataTopic({ test }: Suite): void {
  test('late data is corrected on every level at the next maintenance', async (fixture) => {
    const id = await ones(fixture);
    await fixture.datastream.append(id, 50, at(123), LATE);
    const count = fixture.backend.supports.equalTimestamps ? 11 : 10;
    const beforeMaintenance = fixture.byLevels({ stored: 1, computed: 50 });
    assert.equal((await fixture.readLetter(id, Seconds10, 'u'))[12], beforeMaintenance);
    await fixture.datastream.downsampleStreams();
    assert.equal((await fixture.readLetter(id, Seconds10, 'u'))[12], 50);
    assert.equal((await fixture.readLetter(id, Seconds10, 'c'))[12], count);
    assert.equal((await fixture.readLetter(id, Minutes, 'u'))[2], 50);
    assert.equal((await fixture.readLetter(id, Minutes, 's'))[2], 49 + count + 50);
    await fixture.assertVerified();
  });

  test('a correction writes the changed buckets and no others', async (fixture) => {
    const id = await ones(fixture);
    await fixture.datastream.append(id, 50, at(123), LATE);
    await fixture.datastream.append(id, 60, at(128), LATE);
    const written = await fixture.datastream.downsampleStreams({ returnDatapoints: true });
    assert.deepEqual(
      written.map(({ granularity }) => granularity),
      [Seconds10, Granularity.Minutes],
    );
    assert.deepEqual(await fixture.datastream.downsampleStreams({ returnDatapoints: true }), []);
  });

  test('late data above the watermark needs no correction', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.appendNumbers(id, new Array(100).fill(1));
    await fixture.datastream.downsampleStreams({ until: at(50) });
    await fixture.datastream.append(id, 9, at(70), LATE);
    await fixture.datastream.append(id, 9, at(49), LATE);
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await fixture.readLetter(id, Seconds10, 'u'), [
      ...[1, 1, 1, 1, 9, 1, 1, 9, 1],
      ...fixture.byLevels({ stored: [], computed: [1] }),
    ]);
    await fixture.assertVerified();
  });

  test('data before the first datapoint extends the levels to the left', async (fixture) => {
    const id = await ones(fixture);
    await fixture.datastream.append(id, 7, at(-1234), LATE);
    await fixture.datastream.downsampleStreams();
    const tens = await fixture.readLetter(id, Seconds10, 'c');
    assert.equal(tens.length, fixture.byLevels({ stored: 60, computed: 61 }) + 124);
    assert.deepEqual([tens[0], tens[1], tens[123], tens[124]], [1, 0, 0, 10]);
    assert.deepEqual((await fixture.datastream.getStream(id)).earliestDatapoint, at(-1234));
    await fixture.assertVerified();
  });

  test('a late null changes nothing but the raw data', async (fixture) => {
    const id = await ones(fixture);
    const before = await fixture.read(id, Seconds10);
    await fixture.datastream.append(id, null, at(123), LATE);
    await fixture.datastream.downsampleStreams();
    if (!fixture.backend.supports.equalTimestamps) {
      assert.equal((await fixture.readRaw(id)).length, 601);
      assert.deepEqual((await fixture.readRaw(id))[123], [123, null]);
      assert.equal((await fixture.readLetter(id, Seconds10, 'c'))[12], 9);
      await fixture.assertVerified();
      return;
    }
    assert.deepEqual(await fixture.read(id, Seconds10), before);
    assert.equal((await fixture.readRaw(id)).length, 602);
  });

  test('late columns and late lists of datapoints are corrected too', async (fixture) => {
    const id = await ones(fixture);
    const timestamps = Float64Array.of(at(15).getTime(), at(305).getTime(), at(700).getTime());
    const values = Float64Array.of(2, 3, 4);
    await fixture.datastream.appendColumns(id, { timestamps, values }, LATE);
    await fixture.datastream.appendMultiple(
      [
        { streamId: id, value: 5, timestamp: at(450) },
        { streamId: id, value: 6, timestamp: at(30) },
      ],
      LATE,
    );
    await fixture.datastream.downsampleStreams();
    const tens = await fixture.readLetter(id, Seconds10, 'u');
    assert.deepEqual(
      [1, 3, 30, 45].map((index) => tens[index]),
      [2, 6, 3, 5],
    );
    assert.equal(tens.length, fixture.byLevels({ stored: 70, computed: 71 }));
    await fixture.assertVerified();
  });

  test('a late datapoint corrects a derivative up to the next source datapoint', async (fixture) => {
    const source = await fixture.ensure('source');
    const rate = await fixture.derive('rate', 'derivative', source);
    for (const [second, value] of [
      [0, 0],
      [10, 10],
      [20, 40],
    ] as const) {
      await fixture.datastream.append(source, value, at(second));
    }
    await fixture.datastream.append(source, 30, at(15), LATE);
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(rate), [
      [10, 1],
      [15, 4],
      [20, 2],
    ]);
    await fixture.datastream.append(source, 100, at(-10), LATE);
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(rate), [
      [0, -10],
      [10, 1],
      [15, 4],
      [20, 2],
    ]);
    await fixture.assertVerified();
  });

  test('sum emits a bucket in whatever order the sources arrive', async (fixture) => {
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    const sum = await fixture.derive('sum', 'sum', [a, b]);
    // No limit on pending buckets: a runs far ahead.
    await fixture.appendNumbers(
      a,
      Array.from({ length: 200 }, (_, n) => n),
    );
    assert.deepEqual(await fixture.readRaw(sum), []);
    await fixture.datastream.append(b, 1000, at(150));
    for (const second of [3, 90, 20]) {
      await fixture.datastream.append(b, 1000, at(second), LATE);
    }
    await fixture.settle();
    assert.deepEqual(
      await fixture.readRaw(sum),
      [3, 20, 90, 150].map((second) => [second, 1000 + second]),
    );
    await fixture.assertVerified();
  });

  test('of several values of one source in a bucket of a sum the last one counts', async (fixture) => {
    const definition = { highestGranularity: Seconds10 };
    const a = await fixture.ensure('a', definition);
    const b = await fixture.ensure('b', definition);
    const sum = await fixture.derive('sum', 'sum', [a, b], definition);
    await fixture.appendSeries(a, [1, 2, 3]);
    await fixture.appendSeries(b, [10, 20]);
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(sum), [[0, 23]]);
    await fixture.datastream.append(a, 5, at(4));
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(sum), [[0, 25]]);
    await fixture.datastream.append(a, 7, at(3), LATE);
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(sum), [[0, 25]]);
    await fixture.assertVerified();
  });

  test('a correction flows through a chain, and through its levels', async (fixture) => {
    const source = await fixture.ensure('source');
    const other = await fixture.ensure('other');
    const rate = await fixture.derive('rate', 'derivative', source);
    const sum = await fixture.derive('sum', 'sum', [rate, other]);
    await fixture.appendNumbers(
      source,
      Array.from({ length: 100 }, (_, n) => n * 2),
    );
    await fixture.appendNumbers(other, new Array(100).fill(1));
    await fixture.settle();
    const tenCount = fixture.byLevels({ stored: 9, computed: 10 });
    assert.deepEqual(await fixture.readLetter(sum, Seconds10, 'u'), new Array(tenCount).fill(3));
    await fixture.datastream.append(source, 1000, at(49.5), LATE);
    await fixture.settle();
    await fixture.assertVerified();
    const rates = new Map(await fixture.readRaw(rate));
    // At second 49 there are two datapoints now, 98 and then 1000; what follows starts from 1000.
    assert.equal(rates.get(50), 100 - 1000);
    assert.equal((await fixture.readLetter(sum, Seconds10, 'l'))[5], 100 - 1000 + 1);
  });

  test('a reset that arrives after its data corrects the counter derivative', async (fixture) => {
    const reset = await fixture.ensure('reset', { valueType: 'nominal' });
    const data = await fixture.ensure('data');
    const rate = await fixture.derive('rate', 'counter_derivative', [
      { name: 'reset', stream: reset },
      { stream: data },
    ]);
    await fixture.appendSeries(data, [10, 20, 5, 9]);
    await fixture.datastream.append(reset, 1, at(1));
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(rate), [[3, 4]]);
    await fixture.assertVerified();
  });

  test('a correction that takes every derived datapoint away empties the levels too', async (fixture) => {
    const reset = await fixture.ensure('reset', { valueType: 'nominal' });
    const data = await fixture.ensure('data');
    const rate = await fixture.derive('rate', 'counter_derivative', [
      { name: 'reset', stream: reset },
      { stream: data },
    ]);
    const source = { stream: rate, granularity: Seconds10 };
    const coarse = await fixture.derive('coarse', 'sum', source, {
      highestGranularity: Seconds10,
    });
    const seconds = [0, 10, 20, 30];
    for (const second of seconds) await fixture.datastream.append(data, second, at(second));
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(coarse), [
      [10, 1],
      [20, 1],
    ]);
    for (const second of seconds) await fixture.datastream.append(reset, 1, at(second));
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(rate), []);
    assert.deepEqual(await fixture.read(rate, Seconds10), []);
    assert.deepEqual(await fixture.readRaw(coarse), []);
    assert.equal((await fixture.datastream.verify({})).staleRangeCount, 0);
    await fixture.assertVerified();
  });

  test('a bucket that was complete stays, when a correction takes what followed it', async (fixture) => {
    const source = await fixture.ensure('source');
    const reset = await fixture.derive('reset', 'counter_reset', source, { valueType: 'nominal' });
    for (const [second, value] of [
      [0, 2],
      [1, 1],
      [10, 0],
    ] as const) {
      await fixture.datastream.append(source, value, at(second));
    }
    await fixture.settle();
    assert.deepEqual(await fixture.readLetter(reset, Seconds10, 'c'), [
      1,
      ...fixture.byLevels({ stored: [], computed: [1] }),
    ]);
    await fixture.datastream.append(source, 0, at(9), LATE);
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(reset), [
      [1, 1],
      [9, 1],
    ]);
    assert.deepEqual(await fixture.readLetter(reset, Seconds10, 'c'), [2]);
    await fixture.assertVerified();
  });
}
