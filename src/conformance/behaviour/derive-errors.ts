import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { StreamDefinition } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import { assertCode, at, type Suite } from '../fixture.ts';

export function deriveErrorsTopic({ test }: Suite): void {
  test('§7 wrong derivations are refused by code, and nothing is created', async (fixture) => {
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    const nominal = await fixture.ensure('nominal', { valueType: 'nominal' });
    const minutes = await fixture.ensure('minutes', { highestGranularity: 'minutes' });
    const named = { name: 'reset', stream: nominal };
    const cases: readonly (readonly [string, Partial<StreamDefinition>])[] = [
      ['UNSUPPORTED_DERIVE_OPERATOR', { deriveOp: 'product', deriveFrom: [a, b] }],
      ['UNSUPPORTED_DERIVE_OPERATOR', { deriveOp: 'toString', deriveFrom: a }],
      // An operator that does not produce the stream's value type.
      ['UNSUPPORTED_DERIVE_OPERATOR', { deriveOp: 'counter_reset', deriveFrom: a }],
      [
        'UNSUPPORTED_DERIVE_OPERATOR',
        { deriveOp: 'derivative', deriveFrom: a, valueType: 'nominal' },
      ],
      ['STREAM_NOT_FOUND', { deriveOp: 'sum', deriveFrom: [a, randomUUID()] }],
      ['STREAM_NOT_FOUND', { deriveOp: 'sum', deriveFrom: { stream: 'nothing' } }],
      // Above what the source has, and not equal to the derived stream's own.
      ['INCOMPATIBLE_GRANULARITIES', { deriveOp: 'derivative', deriveFrom: minutes }],
      [
        'INCOMPATIBLE_GRANULARITIES',
        { deriveOp: 'derivative', deriveFrom: { stream: minutes, granularity: 'seconds' } },
      ],
      [
        'INCOMPATIBLE_GRANULARITIES',
        { deriveOp: 'sum', deriveFrom: [a, { stream: b, granularity: '10seconds' }] },
      ],
      [
        'INCOMPATIBLE_GRANULARITIES',
        { deriveOp: 'sum', deriveFrom: [a, b], highestGranularity: Granularity.Minutes },
      ],
      ['UNSUPPORTED_GRANULARITY', { deriveOp: 'sum', deriveFrom: { stream: a, granularity: 'x' } }],
      ['INCOMPATIBLE_TYPES', { deriveOp: 'sum', deriveFrom: [a, nominal] }],
      ['INCOMPATIBLE_TYPES', { deriveOp: 'derivative', deriveFrom: nominal }],
      [
        'INCOMPATIBLE_TYPES',
        { deriveOp: 'counter_reset', deriveFrom: nominal, valueType: 'nominal' },
      ],
      ['INCOMPATIBLE_TYPES', { deriveOp: 'counter_derivative', deriveFrom: [named, nominal] }],
      ['INVALID_OPERATOR_ARGUMENTS', { deriveOp: 'derivative', deriveFrom: [a, b] }],
      [
        'INVALID_OPERATOR_ARGUMENTS',
        { deriveOp: 'expression', deriveFrom: { name: 'a', stream: a } },
      ],
      [
        'INVALID_OPERATOR_ARGUMENTS',
        {
          deriveOp: 'expression',
          deriveFrom: { name: 'a', stream: a },
          deriveArgs: { expression: 'a + process' },
        },
      ],
      ['INVALID_OPERATOR_ARGUMENTS', { deriveOp: 'sum', deriveFrom: [] }],
      ['INVALID_OPERATOR_ARGUMENTS', { deriveOp: 'counter_derivative', deriveFrom: a }],
      ['INVALID_OPERATOR_ARGUMENTS', { deriveOp: 'counter_derivative', deriveFrom: [a, named] }],
      ['INVALID_OPERATOR_ARGUMENTS', { deriveOp: 'counter_derivative', deriveFrom: [nominal, a] }],
      [
        'INVALID_OPERATOR_ARGUMENTS',
        { deriveOp: 'counter_derivative', deriveFrom: [{ name: 'rest', stream: nominal }, a] },
      ],
      [
        'INVALID_OPERATOR_ARGUMENTS',
        { deriveOp: 'counter_derivative', deriveFrom: [named, a], deriveArgs: { max_value: -1 } },
      ],
      [
        'INVALID_OPERATOR_ARGUMENTS',
        { deriveOp: 'counter_derivative', deriveFrom: [named, a], deriveArgs: { max_value: '9' } },
      ],
      [
        'INVALID_OPERATOR_ARGUMENTS',
        { deriveOp: 'derivative', deriveFrom: a, deriveArgs: { unknown: 1 } },
      ],
    ];
    for (const [code, definition] of cases) {
      await assertCode(() => fixture.ensure('derived', definition), code);
    }
    assert.equal(await fixture.datastream.findStreams().count(), 4);
    assert.deepEqual((await fixture.datastream.getStream(a)).contributesTo, []);
  });

  test('§4 appending to a derived stream is refused in every way', async (fixture) => {
    const a = await fixture.ensure('a');
    const rate = await fixture.derive('rate', 'derivative', a);
    const { datastream } = fixture;
    const code = 'APPEND_TO_DERIVED_STREAM_NOT_ALLOWED';
    const values = Float64Array.of(1);
    const timestamps = Float64Array.of(at(0).getTime());
    await assertCode(() => datastream.append(rate, 1, at(0)), code);
    await assertCode(() => datastream.append(rate, 1, at(0), { checkTimestamp: false }), code);
    await assertCode(
      () =>
        datastream.appendMultiple([
          { streamId: a, value: 1, timestamp: at(0) },
          { streamId: rate, value: 1, timestamp: at(0) },
        ]),
      code,
    );
    await assertCode(() => datastream.appendColumns(rate, { timestamps, values }), code);
    await assertCode(() => datastream.appendTick(at(0), [rate], values), code);
    assert.deepEqual(await fixture.read(rate), []);
    if (fixture.backend.supports.transactions) assert.deepEqual(await fixture.read(a), []);
  });

  test('§7 sources and contributions are described', async (fixture) => {
    const reset = await fixture.ensure('reset', { valueType: 'nominal' });
    const data = await fixture.ensure('data');
    const rate = await fixture.derive(
      'rate',
      'counter_derivative',
      [{ name: 'reset', stream: reset }, data],
      { deriveArgs: { max_value: 256 } },
    );
    const coarse = await fixture.derive(
      'coarse',
      'sum',
      { stream: data, granularity: 'hours' },
      { highestGranularity: 'hours' },
    );
    assert.deepEqual((await fixture.datastream.getStream(rate)).derivedFrom, {
      op: 'counter_derivative',
      args: { max_value: 256 },
      sources: [
        { name: 'reset', stream: reset, granularity: Granularity.Seconds },
        { name: null, stream: data, granularity: Granularity.Seconds },
      ],
    });
    assert.deepEqual((await fixture.datastream.getStream(coarse)).derivedFrom?.sources, [
      { name: null, stream: data, granularity: Granularity.Hours },
    ]);
    assert.deepEqual((await fixture.datastream.getStream(data)).contributesTo, [
      { streamId: rate, op: 'counter_derivative', args: { max_value: 256 } },
      { streamId: coarse, op: 'sum', args: {} },
    ]);
  });
}
