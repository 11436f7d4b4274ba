import assert from 'node:assert/strict';
import { Granularity } from '../../model/granularity.ts';
import { at, type Suite } from '../fixture.ts';

const { Seconds10 } = Granularity;
const COUNTER = [
  10, 23, 28, 44, 2, 17, 90, 30, 2, 5, 10, 15, 23, 1, 7, 12, 19, 25, 31, 45, 51,
] as const;

export function countersTopic({ test }: Suite): void {
  test('§7 counter_reset marks four resets; counts of the first 20 s: 3, 1', async (fixture) => {
    const uptime = await fixture.ensure('uptime');
    const reset = await fixture.derive('reset', 'counter_reset', uptime, { valueType: 'nominal' });
    await fixture.appendSeries(uptime, COUNTER);
    assert.deepEqual(await fixture.readRaw(reset), [
      [4, 1],
      [7, 1],
      [8, 1],
      [13, 1],
    ]);
    // One more reset, after the twentieth second, makes its second bucket complete.
    await fixture.datastream.append(uptime, 0, at(21));
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await fixture.readLetter(reset, Seconds10, 'c'), [
      3,
      1,
      ...fixture.byLevels({ stored: [], computed: [1] }),
    ]);
  });

  test('§7 counter_reset skips null', async (fixture) => {
    const uptime = await fixture.ensure('uptime');
    const reset = await fixture.derive('reset', 'counter_reset', uptime, { valueType: 'nominal' });
    await fixture.appendSeries(uptime, [5, null, 3, null, null, 4, 4, 2]);
    assert.deepEqual(await fixture.readRaw(reset), [
      [2, 1],
      [7, 1],
    ]);
  });

  test('§7 counter_derivative, max 256: 7, 251, 18, 11, 15', async (fixture) => {
    const uptime = await fixture.ensure('uptime');
    const reset = await fixture.derive('reset', 'counter_reset', uptime, { valueType: 'nominal' });
    const data = await fixture.ensure('data');
    const rate = await fixture.derive(
      'rate',
      'counter_derivative',
      [{ name: 'reset', stream: reset }, { stream: data }],
      { deriveArgs: { max_value: 256 } },
    );
    const values = [5, 12, 7, 25, 7, 18, 33, 40, 5];
    const pairs = values.map((value, second) => [COUNTER[second], value] as const);
    await fixture.appendPairs([uptime, data], pairs);
    assert.deepEqual(await fixture.readRaw(rate), [
      [1, 7],
      [2, 251],
      [3, 18],
      [5, 11],
      [6, 15],
    ]);
    await fixture.assertVerified();
  });

  test('§7 counter_derivative gives the same when the data comes before the reset', async (fixture) => {
    const uptime = await fixture.ensure('uptime');
    const reset = await fixture.derive('reset', 'counter_reset', uptime, { valueType: 'nominal' });
    const data = await fixture.ensure('data');
    const rate = await fixture.derive(
      'rate',
      'counter_derivative',
      [{ name: 'reset', stream: reset }, { stream: data }],
      { deriveArgs: { max_value: 256 } },
    );
    const values = [5, 12, 7, 25, 7, 18, 33, 40, 5];
    const pairs = values.map((value, second) => [value, COUNTER[second]] as const);
    await fixture.appendPairs([data, uptime], pairs);
    await fixture.settle();
    assert.deepEqual(
      (await fixture.readRaw(rate)).map(([, value]) => value),
      [7, 251, 18, 11, 15],
    );
    await fixture.assertVerified();
  });

  test('§7 counter_derivative without max_value warns of a drop and goes on', async (fixture) => {
    const reset = await fixture.ensure('reset', { valueType: 'nominal' });
    const data = await fixture.ensure('data');
    const rate = await fixture.derive('rate', 'counter_derivative', [
      { name: 'reset', stream: reset },
      { stream: data },
    ]);
    await fixture.appendSeries(data, [10, 20, 5, 9]);
    assert.deepEqual(await fixture.readRaw(rate), [
      [1, 10],
      [3, 4],
    ]);
    assert.deepEqual(
      fixture.warnings.map(({ code }) => code),
      ['INVALID_VALUE_WARNING'],
    );
  });

  test('§7 only a truthy value on the reset stream clears the counter', async (fixture) => {
    const reset = await fixture.ensure('reset', { valueType: 'nominal' });
    const data = await fixture.ensure('data');
    const rate = await fixture.derive('rate', 'counter_derivative', [
      { name: 'reset', stream: reset },
      { stream: data },
    ]);
    const resets = [0, false, '', null, 'yes', 1];
    await fixture.appendPairs(
      [reset, data],
      resets.map((value, second) => [value, second * 10]),
    );
    assert.deepEqual(await fixture.readRaw(rate), [
      [1, 10],
      [2, 10],
      [3, 10],
    ]);
  });
}
