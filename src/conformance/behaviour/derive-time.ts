import assert from 'node:assert/strict';
import type { StreamDefinition } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { assertCode, at, type Fixture, type Suite } from '../fixture.ts';

const { Seconds10 } = Granularity;

/** Of a value of 6 each second: seconds since the start, times 6. */
const ENERGY = { deriveOp: 'integral' };
const SMOOTH = { deriveOp: 'exponential_smoothing', deriveArgs: { alpha: 0.5 } };
const MEAN = { deriveOp: 'moving_average', deriveArgs: { window: 3 } };
const LATER = { deriveOp: 'time_shift', deriveArgs: { offset: 3600 } };
const EARLIER = { deriveOp: 'time_shift', deriveArgs: { offset: -3600 } };

type Names = 'energy' | 'smooth' | 'mean' | 'later' | 'earlier';

async function deriveAll(fixture: Fixture, source: StreamId): Promise<Record<Names, StreamId>> {
  const derive = (name: string, { deriveOp, ...rest }: Partial<StreamDefinition>) =>
    fixture.derive(name, deriveOp!, source, rest);
  return {
    energy: await derive('energy', ENERGY),
    smooth: await derive('smooth', SMOOTH),
    mean: await derive('mean', MEAN),
    later: await derive('later', LATER),
    earlier: await derive('earlier', EARLIER),
  };
}

type Points = readonly (readonly [number, number | null])[];

/** What the operators give of the datapoints. */
async function assertOutputs(
  fixture: Fixture,
  streams: Record<Names, StreamId>,
  wanted: Record<'energy' | 'smooth' | 'mean', Points> & { readonly source: Points },
): Promise<void> {
  const { source, ...rest } = wanted;
  const moved = (seconds: number): Points => source.map(([t, v]) => [t + seconds, v]);
  for (const [name, points] of Object.entries({
    ...rest,
    later: moved(3600),
    earlier: moved(-3600),
  })) {
    assert.deepEqual(await fixture.readRaw(streams[name as Names]), points, name);
  }
}

const BEFORE = {
  source: [
    [0, 4],
    [1, 8],
    [2, null],
    [3, 8],
    [5, 4],
  ],
  energy: [
    [0, 0],
    [1, 6],
    [2, null],
    [3, 6],
    [5, 18],
  ],
  smooth: [
    [0, 4],
    [1, 6],
    [2, null],
    [3, 7],
    [5, 5.5],
  ],
  mean: [
    [0, 4],
    [1, 6],
    [2, null],
    [3, 8],
    [5, 6],
  ],
} as const;

/** After a value of 0 arrived at second 4, and second 1 became 0. */
const AFTER = {
  source: [
    [0, 4],
    [1, 0],
    [2, null],
    [3, 8],
    [4, 0],
    [5, 4],
  ],
  energy: [
    [0, 0],
    [1, 2],
    [2, null],
    [3, 2],
    [4, 6],
    [5, 8],
  ],
  smooth: [
    [0, 4],
    [1, 2],
    [2, null],
    [3, 5],
    [4, 2.5],
    [5, 3.25],
  ],
  mean: [
    [0, 4],
    [1, 2],
    [2, null],
    [3, 4],
    [4, 4],
    [5, 4],
  ],
} as const;

async function append(fixture: Fixture, streamId: StreamId, points: Points): Promise<void> {
  for (const [second, value] of points) {
    await fixture.datastream.append(streamId, value, at(second));
  }
}

export function deriveTimeTopic({ test }: Suite): void {
  test('totals, averages and shifts follow appends', async (fixture) => {
    const source = await fixture.ensure('source');
    const streams = await deriveAll(fixture, source);
    await append(fixture, source, BEFORE.source);
    await assertOutputs(fixture, streams, BEFORE);
    await fixture.assertVerified();
    assert.deepEqual(fixture.warnings, []);
  });

  test('totals, averages and shifts of history are those of appends', async (fixture) => {
    const source = await fixture.ensure('source');
    await append(fixture, source, BEFORE.source);
    const streams = await deriveAll(fixture, source);
    await fixture.settle();
    await assertOutputs(fixture, streams, BEFORE);
    await append(fixture, source, [[7, 0]]);
    assert.deepEqual((await fixture.readRaw(streams.energy)).at(-1), [7, 22]);
    assert.deepEqual((await fixture.readRaw(streams.smooth)).at(-1), [7, 2.75]);
    assert.deepEqual((await fixture.readRaw(streams.mean)).at(-1), [7, 2]);
    await fixture.assertVerified();
  });

  test('totals, averages and shifts follow late data and corrections', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source');
    const streams = await deriveAll(fixture, source);
    await append(fixture, source, BEFORE.source);
    await fixture.settle();
    await datastream.append(source, 0, at(4), { checkTimestamp: false });
    await datastream.upsert(source, 0, at(1));
    await fixture.settle();
    await assertOutputs(fixture, streams, AFTER);
    await fixture.assertVerified();
  });

  test('a total goes on from what is stored, in another process too', async (fixture) => {
    const source = await fixture.ensure('source');
    const total = await fixture.derive('total', 'integral', source);
    const other = fixture.open(fixture.backend);
    for (let second = 0; second < 10; second += 2) {
      await fixture.datastream.append(source, 6, at(second));
      await other.append(source, 6, at(second + 1));
    }
    const totals = await fixture.readRaw(total);
    assert.deepEqual(
      totals,
      totals.map((_row, second) => [second, second * 6]),
    );
    assert.equal(totals.length, 10);
  });

  test('datapoints that go take their outputs with them', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source');
    const streams = await deriveAll(fixture, source);
    await append(fixture, source, BEFORE.source);
    await fixture.settle();
    await datastream.deleteData(source, { start: at(1), endExclusive: at(5) });
    await fixture.settle();
    const rest = [
      [0, 4],
      [5, 4],
    ] as const;
    await assertOutputs(fixture, streams, {
      source: rest,
      energy: [
        [0, 0],
        [5, 20],
      ],
      smooth: rest,
      mean: rest,
    });
    await fixture.assertVerified();
  });

  test('a total of a rate of a sum of shifted levels stays exact', async (fixture) => {
    const { datastream } = fixture;
    const a = await fixture.ensure('a');
    const coarse = { highestGranularity: Seconds10 };
    const level = { stream: a, granularity: Seconds10 };
    const later = await fixture.derive('later', 'time_shift', level, {
      ...coarse,
      deriveArgs: { offset: 30 },
    });
    const both = await fixture.derive('both', 'sum', [level, later], coarse);
    const rate = await fixture.derive('rate', 'derivative', both, coarse);
    const total = await fixture.derive('total', 'integral', rate, coarse);
    const mean = await fixture.derive('mean', 'moving_average', total, {
      ...coarse,
      deriveArgs: { window: 60 },
    });
    await fixture.appendNumbers(
      a,
      Array.from({ length: 200 }, (_, n) => (n * n) % 37),
    );
    await fixture.settle();
    await datastream.upsert(a, 50, at(75));
    await datastream.append(a, 1, at(-15), { checkTimestamp: false });
    await fixture.settle();
    assert.equal((await fixture.readRaw(later))[0]![0], 10);
    assert.equal((await fixture.readRaw(mean)).length, (await fixture.readRaw(total)).length);
    assert.deepEqual((await fixture.readRaw(total))[0]![1], 0);
    await fixture.assertVerified();
  });

  test('a total of decimals has all of its digits', async (fixture) => {
    if (!fixture.backend.supports.highAccuracy) return;
    const exact = { valueTypeOptions: { highAccuracy: true } } as const;
    const source = await fixture.ensure('source', exact);
    const total = await fixture.derive('total', 'integral', source, exact);
    const mean = await fixture.derive('mean', 'moving_average', source, {
      ...exact,
      deriveArgs: { window: 10 },
    });
    for (const second of [0, 1, 2]) {
      await fixture.datastream.append(source, '0.1000000000000000000000001', at(second));
    }
    const textOf = async (id: StreamId) => String((await fixture.readRaw(id)).at(-1)![1]);
    assert.equal(await textOf(total), '0.2000000000000000000000002');
    assert.equal(await textOf(mean), '0.1000000000000000000000001');
    const refused = { ...exact, deriveArgs: { alpha: 0.5 } };
    await assertCode(
      () => fixture.derive('smooth', 'exponential_smoothing', source, refused),
      'INCOMPATIBLE_TYPES',
    );
  });

  test('wrong times and weights are refused by name', async (fixture) => {
    const a = await fixture.ensure('a');
    const cases = [
      ['integral', { unit: 0 }, /unit/],
      ['integral', { max_gap: '5' }, /max_gap/],
      ['integral', { method: 'simpson' }, /method.*"trapezoid" or "held"/],
      ['exponential_smoothing', {}, /time_constant or alpha/],
      ['exponential_smoothing', { time_constant: 5, alpha: 0.5 }, /time_constant or alpha/],
      ['exponential_smoothing', { alpha: 1.5 }, /alpha/],
      ['moving_average', {}, /window/],
      ['moving_average', { window: -1 }, /window/],
      ['time_shift', { offset: 0 }, /offset/],
      ['time_shift', { offset: 1.5 }, /offset/],
    ] as const;
    for (const [operator, deriveArgs, message] of cases) {
      await assert.rejects(() => fixture.derive('x', operator, a, { deriveArgs }), {
        code: 'INVALID_OPERATOR_ARGUMENTS',
        message,
      });
    }
    assert.equal(await fixture.datastream.findStreams({ name: 'x' }).count(), 0);
  });
}
