import assert from 'node:assert/strict';
import { Granularity } from '../../model/granularity.ts';
import { assertCode, at, type Suite } from '../fixture.ts';

/** Euler's number with 63 significant digits: forty times it has 64. */
const EULER = '2.71828182845904523536028747135266249775724709369995957496696762';
const EULER_FORTY_TIMES = '108.7312731383618094144114988541064999102898837479983829986787048';

const HIGH_ACCURACY = { valueTypeOptions: { highAccuracy: true } } as const;

export function highAccuracyTopic(suite: Suite): void {
  const test: Suite['test'] = (name, body) =>
    suite.test(name, async (fixture) => {
      if (fixture.backend.supports.highAccuracy) return body(fixture);
      await assertCode(() => fixture.ensure('a', HIGH_ACCURACY), 'UNSUPPORTED_VALUE_TYPE');
      assert.equal(await fixture.datastream.findStreams().count(), 0);
    });

  test('§3 forty times a number of 63 digits has exactly that mean', async (fixture) => {
    const id = await fixture.ensure('a', HIGH_ACCURACY);
    await fixture.appendSeries(id, new Array(40).fill(EULER));
    await fixture.datastream.append(id, 0, at(60));
    await fixture.datastream.append(id, 0, at(70));
    await fixture.datastream.downsampleStreams();
    const raw = await fixture.read(id);
    assert.equal(String(raw[0]!.v), EULER);
    const tens = await fixture.read(id, Granularity.Seconds10);
    assert.equal(String(tens[3]!.v.m), EULER);
    const [minute] = await fixture.read(id, Granularity.Minutes);
    assert.equal(String(minute!.v.m), EULER);
    assert.equal(String(minute!.v.s), EULER_FORTY_TIMES);
    assert.equal(String(minute!.v.l), EULER);
    assert.equal(minute!.v.c, 40);
    assert.equal(Number(minute!.v.d), 0);
  });

  test('§3 whole numbers of any size are exact, as bigints', async (fixture) => {
    const id = await fixture.ensure('a', HIGH_ACCURACY);
    const values = [2n ** 128n + 1n, 2n ** 128n - 1n, -(10n ** 40n), 2n ** 53n + 1n];
    await fixture.appendSeries(id, values);
    await fixture.datastream.append(id, 0, at(10));
    await fixture.datastream.downsampleStreams();
    const raw = await fixture.read(id);
    assert.deepEqual(
      raw.slice(0, 4).map(({ v }) => v),
      values,
    );
    assert.equal(String(raw[4]!.v), '0');
    const [bucket] = await fixture.read(id, Granularity.Seconds10);
    assert.equal(
      BigInt(String(bucket!.v.s)),
      values.reduce((sum, value) => sum + value),
    );
    assert.equal(bucket!.v.u, values[0]);
    assert.equal(bucket!.v.l, values[2]);
  });

  test('§3 numbers, integers and decimal texts are taken alike', async (fixture) => {
    const id = await fixture.ensure('a', HIGH_ACCURACY);
    await fixture.appendSeries(id, [0.5, 1n, '0.1', '-1e-30', null]);
    const raw = await fixture.read(id);
    assert.deepEqual(
      raw.map(({ v }) => (v === null ? null : String(v))),
      ['0.5', '1', '0.1', '-1e-30', null],
    );
    // Sums of decimal fractions have no error of binary ones.
    await fixture.appendSeries(id, ['0.1', '0.2'], 10);
    await fixture.datastream.append(id, 0, at(20));
    await fixture.datastream.downsampleStreams();
    const tens = await fixture.read(id, Granularity.Seconds10);
    assert.equal(String(tens[1]!.v.s), '0.3');
  });

  test('§3 what is no number is refused', async (fixture) => {
    const id = await fixture.ensure('a', HIGH_ACCURACY);
    for (const value of ['', 'one', '1,5', 'NaN', 'Infinity', true, Number.NaN, [1], {}]) {
      await assertCode(() => fixture.datastream.append(id, value, at(0)), 'INVALID_VALUE');
    }
    assert.deepEqual(await fixture.read(id), []);
  });

  test('§3 derived streams of high accuracy compute in it', async (fixture) => {
    const a = await fixture.ensure('a', HIGH_ACCURACY);
    const b = await fixture.ensure('b', HIGH_ACCURACY);
    const sum = await fixture.derive('sum', 'sum', [a, b], HIGH_ACCURACY);
    const rate = await fixture.derive('rate', 'derivative', a, HIGH_ACCURACY);
    await fixture.appendSeries(a, ['0.1', 2n ** 60n]);
    await fixture.appendSeries(b, ['0.2', 1n]);
    const [first, second] = await fixture.read(sum);
    assert.equal(String(first!.v), '0.3');
    assert.equal(second!.v, 2n ** 60n + 1n);
    const [change] = await fixture.read(rate);
    assert.equal(String(change!.v), '1152921504606846975.9');
    await fixture.assertVerified();
  });
}
