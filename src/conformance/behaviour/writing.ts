import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { assertCode, at, BASE_MS, type Suite } from '../fixture.ts';

function seconds(...values: readonly number[]): Float64Array {
  return Float64Array.from(values, (second) => BASE_MS + second * 1000);
}

export function writingTopic({ test }: Suite): void {
  test('§4 append() answers with what it stored', async (fixture) => {
    const id = await fixture.ensure('a');
    assert.deepEqual(await fixture.datastream.append(id, 42, BASE_MS + 1500), {
      streamId: id,
      granularity: Granularity.Seconds,
      datapoint: { t: at(1), v: 42 },
    });
    const coarse = await fixture.ensure('b', { highestGranularity: Granularity.Minutes });
    const { granularity, datapoint } = await fixture.datastream.append(coarse, null, at(61));
    assert.equal(granularity, Granularity.Minutes);
    assert.deepEqual(datapoint, { t: at(61), v: null });
  });

  test('§2 every write to an unknown stream is STREAM_NOT_FOUND', async ({ datastream }) => {
    const id = randomUUID() as string as StreamId;
    const code = 'STREAM_NOT_FOUND';
    await assertCode(() => datastream.append(id, 1), code);
    await assertCode(() => datastream.appendMultiple([{ streamId: id, value: 1 }]), code);
    await assertCode(
      () => datastream.appendColumns(id, { timestamps: seconds(0), values: new Float64Array(1) }),
      code,
    );
    await assertCode(() => datastream.appendTick(at(0), [id], new Float64Array(1)), code);
  });

  test('§4 appendMultiple() stores all datapoints or none', async (fixture) => {
    const { datastream, backend } = fixture;
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    const answers = await datastream.appendMultiple([
      { streamId: a, value: 1, timestamp: at(0) },
      { streamId: b, value: 2, timestamp: at(0) },
      { streamId: a, value: 3, timestamp: at(1) },
    ]);
    assert.deepEqual(
      answers.map(({ streamId, datapoint }) => [streamId, datapoint.v]),
      [
        [a, 1],
        [b, 2],
        [a, 3],
      ],
    );
    await assertCode(
      () =>
        datastream.appendMultiple([
          { streamId: a, value: 4, timestamp: at(2) },
          { streamId: b, value: 5, timestamp: at(2) },
          { streamId: b, value: 6, timestamp: at(1) },
        ]),
      'INVALID_TIMESTAMP',
    );
    if (backend.supports.transactions) assert.equal((await fixture.read(a)).length, 2);
    assert.deepEqual(await fixture.readRaw(b), [[0, 2]]);
    assert.deepEqual(await datastream.appendMultiple([]), []);
  });

  test('§4 appendColumns() stores rows of one stream, NaN as null', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.datastream.appendColumns(id, {
      timestamps: seconds(0, 1, 5),
      values: Float64Array.of(1, Number.NaN, -2.5),
    });
    await fixture.datastream.appendColumns(id, {
      timestamps: new Float64Array(0),
      values: new Float64Array(0),
    });
    assert.deepEqual(await fixture.readRaw(id), [
      [0, 1],
      [1, null],
      [5, -2.5],
    ]);
  });

  test('§4 appendColumns() refuses what does not fit, and stores nothing', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.datastream.append(id, 1, at(10));
    const append = (timestamps: Float64Array, values: Float64Array, options = {}) =>
      fixture.datastream.appendColumns(id, { timestamps, values }, options);
    await assertCode(() => append(seconds(9), Float64Array.of(1)), 'INVALID_TIMESTAMP');
    await assertCode(() => append(seconds(12, 11), Float64Array.of(1, 2)), 'INVALID_TIMESTAMP');
    await assertCode(
      () => append(seconds(11, 12), Float64Array.of(1, Number.POSITIVE_INFINITY)),
      'INVALID_VALUE',
    );
    await assert.rejects(async () => append(seconds(11, 12), Float64Array.of(1)));
    assert.deepEqual(await fixture.readRaw(id), [[10, 1]]);
  });

  test('§4 appendColumns() takes rows in any order with the check off', async (fixture) => {
    const id = await fixture.ensure('a');
    const options = { checkTimestamp: false };
    await fixture.datastream.append(id, 1, at(10));
    const timestamps = seconds(12, 3, 11);
    await fixture.datastream.appendColumns(
      id,
      { timestamps, values: Float64Array.of(12, 3, 11) },
      options,
    );
    assert.deepEqual(await fixture.readRaw(id), [
      [3, 3],
      [10, 1],
      [11, 11],
      [12, 12],
    ]);
  });

  test('§4 the caller may go on using its arrays', async (fixture) => {
    const id = await fixture.ensure('a');
    const timestamps = seconds(0, 1);
    const values = Float64Array.of(1, 2);
    await fixture.datastream.appendColumns(id, { timestamps, values });
    timestamps.fill(0);
    values.fill(7);
    assert.deepEqual(await fixture.readRaw(id), [
      [0, 1],
      [1, 2],
    ]);
  });

  test('§4 appendTick() stores one value in each of many streams', async (fixture) => {
    const ids: StreamId[] = [];
    for (const name of ['a', 'b', 'c']) ids.push(await fixture.ensure(name));
    await fixture.datastream.appendTick(at(0), ids, Float64Array.of(1, Number.NaN, 3));
    await fixture.datastream.appendTick(BASE_MS + 1900, ids, Float64Array.of(4, 5, 6));
    const rows = [];
    for (const id of ids) rows.push(await fixture.readRaw(id));
    assert.deepEqual(rows, [
      [
        [0, 1],
        [1, 4],
      ],
      [
        [0, null],
        [1, 5],
      ],
      [
        [0, 3],
        [1, 6],
      ],
    ]);
    assert.deepEqual((await fixture.datastream.getStream(ids[1]!)).latestDatapoint, at(1));
  });

  test('§4 appendTick() refuses an older time, and then stores nothing', async (fixture) => {
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    await fixture.datastream.append(b, 1, at(10));
    await assertCode(
      () => fixture.datastream.appendTick(at(5), [a, b], Float64Array.of(1, 2)),
      'INVALID_TIMESTAMP',
    );
    if (fixture.backend.supports.transactions) assert.deepEqual(await fixture.read(a), []);
    assert.deepEqual(await fixture.readRaw(b), [[10, 1]]);
    await assertCode(
      () => fixture.datastream.appendTick(at(20), [a], Float64Array.of(Number.NEGATIVE_INFINITY)),
      'INVALID_VALUE',
    );
    await assert.rejects(async () =>
      fixture.datastream.appendTick(at(20), [a, b], Float64Array.of(1)),
    );
  });

  test('concurrent appends to one stream are all kept, in the order of the calls', async (fixture) => {
    const id = await fixture.ensure('a');
    const count = 300;
    await Promise.all(
      Array.from({ length: count }, (_, n) => fixture.datastream.append(id, n, at(n))),
    );
    assert.deepEqual(
      await fixture.readRaw(id),
      Array.from({ length: count }, (_, n) => [n, n]),
    );
  });

  test('a refused append does not hurt the others of the same moment', async (fixture) => {
    const id = await fixture.ensure('a');
    const results = await Promise.allSettled([
      fixture.datastream.append(id, 1, at(1)),
      fixture.datastream.append(id, 'wrong', at(2)),
      fixture.datastream.append(id, 3, at(0)),
      fixture.datastream.append(id, 4, at(4)),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(await fixture.readRaw(id), [
      [1, 1],
      [4, 4],
    ]);
  });

  test('two engines on one store see each other', async (fixture) => {
    const other = fixture.open(fixture.backend);
    const id = await fixture.ensure('a');
    const rate = await fixture.derive('rate', 'derivative', id);
    for (let second = 0; second < 20; second++) {
      const engine = second % 3 === 0 ? other : fixture.datastream;
      await engine.append(id, second * second, at(second));
    }
    await assertCode(() => other.append(id, 1, at(18)), 'INVALID_TIMESTAMP');
    assert.deepEqual(
      await fixture.readRaw(rate),
      Array.from({ length: 19 }, (_, n) => [n + 1, 2 * n + 1]),
    );
  });

  test('after close() every call is BACKEND_CLOSED', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.datastream.append(id, 1, at(0));
    await fixture.datastream.close();
    const { datastream } = fixture;
    await assertCode(() => datastream.append(id, 1, at(1)), 'BACKEND_CLOSED');
    await assertCode(() => datastream.getStream(id), 'BACKEND_CLOSED');
    await assertCode(() => fixture.read(id), 'BACKEND_CLOSED');
    await assertCode(() => datastream.findStreams().toArray(), 'BACKEND_CLOSED');
    await assertCode(() => datastream.downsampleStreams(), 'BACKEND_CLOSED');
    await datastream.close();
  });

  test('a durable store keeps streams and datapoints, and an engine goes on', async (fixture) => {
    if (!fixture.backend.supports.durable) return;
    const id = await fixture.ensure('a');
    const rate = await fixture.derive('rate', 'derivative', id);
    await fixture.appendNumbers(id, [1, 3, 6]);
    const before = await fixture.datastream.getStream(id);
    await fixture.reopen();
    assert.deepEqual(await fixture.datastream.getStream(id), before);
    await fixture.appendNumbers(id, [10, 15], 3);
    assert.deepEqual(await fixture.readRaw(rate), [
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
    await fixture.assertVerified();
  });
}
