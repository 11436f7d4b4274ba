import assert from 'node:assert/strict';
import { Granularity } from '../../model/granularity.ts';
import { assertCode, at, BASE_MS, type Suite } from '../fixture.ts';

export function timestampsTopic({ test }: Suite): void {
  test('§4 append() without a timestamp uses now', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.datastream.append(id, 1);
    fixture.nowMs += 5000;
    await fixture.datastream.append(id, 2);
    assert.deepEqual(
      (await fixture.read(id)).map(({ t }) => t.getTime()),
      [fixture.nowMs - 5000, fixture.nowMs],
    );
  });

  test('§1 an appended timestamp is cut to whole seconds', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.datastream.append(id, 1, BASE_MS + 999);
    await fixture.datastream.append(id, 2, new Date(BASE_MS + 1001));
    assert.deepEqual(await fixture.readRaw(id), [
      [0, 1],
      [1, 2],
    ]);
  });

  test('§4 timestamps are compared after they are cut', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.datastream.append(id, 1, BASE_MS + 900);
    await fixture.datastream.append(id, 2, BASE_MS + 100);
    assert.equal((await fixture.datastream.getStream(id)).latestDatapoint?.getTime(), BASE_MS);
  });

  test('§4 an older timestamp is refused, unless the check is off', async (fixture) => {
    const { datastream } = fixture;
    const id = await fixture.ensure('a');
    await datastream.append(id, 1, at(10));
    await assertCode(() => datastream.append(id, 2, at(9)), 'INVALID_TIMESTAMP');
    await assertCode(
      () => datastream.appendMultiple([{ streamId: id, value: 2, timestamp: at(9) }]),
      'INVALID_TIMESTAMP',
    );
    await datastream.append(id, 3, at(9), { checkTimestamp: false });
    await datastream.append(id, 4, at(10));
    const tens = fixture.backend.supports.equalTimestamps ? [1, 4] : [4];
    assert.deepEqual(await fixture.readRaw(id), [[9, 3], ...tens.map((value) => [10, value])]);
    assert.deepEqual((await datastream.getStream(id)).earliestDatapoint, at(9));
    assert.deepEqual((await datastream.getStream(id)).latestDatapoint, at(10));
  });

  test('a datapoint at the latest timestamp is refused where only newer ones are wanted', async (fixture) => {
    const { datastream } = fixture;
    const newer = { checkTimestamp: 'newer' } as const;
    const [a, b] = [await fixture.ensure('a'), await fixture.ensure('b')];
    await datastream.append(a, 1, at(10), newer);
    const columns = (...seconds: readonly number[]) => ({
      timestamps: Float64Array.from(seconds, (second) => at(second).getTime()),
      values: new Float64Array(seconds.length),
    });
    const item = (second: number) => ({ streamId: a, value: 2, timestamp: at(second) });
    for (const refused of [
      () => datastream.append(a, 1, at(10), newer),
      () => datastream.append(a, 1, at(9), newer),
      () => datastream.appendMultiple([item(11), item(11)], newer),
      () => datastream.appendMultiple([item(10), item(11)], newer),
      () => datastream.appendColumns(a, columns(10, 11), newer),
      () => datastream.appendColumns(a, columns(11, 12, 12), newer),
      () => datastream.appendTick(at(10), [b, a], Float64Array.of(5, 6), newer),
    ]) {
      await assertCode(refused, 'INVALID_TIMESTAMP');
    }
    await datastream.appendTick(at(11), [b, a], Float64Array.of(5, 6), newer);
    // In one turn: the second one finds the first.
    const both = [0, 1].map(() =>
      datastream.appendTick(at(12), [b, a], Float64Array.of(7, 8), newer),
    );
    const settled = await Promise.allSettled(both);
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    await datastream.appendColumns(a, columns(13, 14), newer);
    const stored = [10, 11, 12, 13, 14].map((second, i) => [second, [1, 6, 8, 0, 0][i]]);
    assert.deepEqual(await fixture.readRaw(a), stored);
    assert.deepEqual(await fixture.readRaw(b), [
      [11, 5],
      [12, 7],
    ]);
  });

  test('§4 of five datapoints at one second all are kept', async (fixture) => {
    const id = await fixture.ensure('a');
    for (let value = 0; value < 5; value++) await fixture.datastream.append(id, value, at(1));
    const kept = fixture.backend.supports.equalTimestamps ? [0, 1, 2, 3, 4] : [4];
    assert.deepEqual(
      await fixture.readRaw(id),
      kept.map((value) => [1, value]),
    );
    await fixture.datastream.append(id, 0, at(20));
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await fixture.readLetter(id, Granularity.Seconds10, 'c'), [
      kept.length,
      0,
      ...fixture.byLevels({ stored: [], computed: [1] }),
    ]);
  });

  test('§4 what is no instant is refused', async (fixture) => {
    const id = await fixture.ensure('a');
    const { startMs, endMs } = fixture.backend.supports.timestampRange;
    const timestamps = [
      new Date(Number.NaN),
      Number.NaN,
      Number.POSITIVE_INFINITY,
      startMs - 1000,
      Math.max(endMs, 8.64e15) + 1000,
      '2000-01-01',
      {},
      true,
    ] as (Date | number)[];
    for (const timestamp of timestamps) {
      await assertCode(() => fixture.datastream.append(id, 1, timestamp), 'INVALID_TIMESTAMP');
      await assertCode(
        () => fixture.datastream.append(id, 1, timestamp, { checkTimestamp: false }),
        'INVALID_TIMESTAMP',
      );
    }
    for (const timestamp of [Number.NaN, startMs - 1000]) {
      const timestamps = Float64Array.of(timestamp);
      await assertCode(
        () => fixture.datastream.appendColumns(id, { timestamps, values: Float64Array.of(1) }),
        'INVALID_TIMESTAMP',
      );
      await assertCode(
        () => fixture.datastream.appendTick(timestamp, [id], Float64Array.of(1)),
        'INVALID_TIMESTAMP',
      );
    }
    assert.deepEqual(await fixture.read(id), []);
  });

  test('§10 instants before 1970 work where the backend supports them', async (fixture) => {
    const id = await fixture.ensure('a');
    const { startMs } = fixture.backend.supports.timestampRange;
    const beforeMs = Date.UTC(1969, 11, 31, 23, 59, 55);
    if (startMs > beforeMs) {
      await assertCode(() => fixture.datastream.append(id, 1, beforeMs), 'INVALID_TIMESTAMP');
      return;
    }
    await fixture.datastream.append(id, 1, beforeMs + 500);
    await fixture.datastream.append(id, 3, beforeMs + 4000);
    await fixture.datastream.append(id, 5, 0);
    await fixture.datastream.append(id, 7, 10_000);
    await fixture.datastream.downsampleStreams();
    const buckets = await fixture.read(id, Granularity.Seconds10, { start: beforeMs });
    const { timestamps } = await fixture.datastream
      .getData(id, Granularity.Seconds10, { start: beforeMs })
      .columns();
    const shown = fixture.byLevels({ stored: 2, computed: 3 });
    assert.deepEqual([...timestamps], [-10_000, 0, 10_000].slice(0, shown));
    assert.deepEqual(
      buckets.map(({ v }) => v.m),
      [2, 5, 7].slice(0, shown),
    );
    if (fixture.hasTime('first') && fixture.hasTime('last')) {
      assert.deepEqual(
        buckets.slice(0, 2).map(({ t }) => [t.a.getTime(), t.z.getTime()]),
        [
          [beforeMs, beforeMs + 4000],
          [0, 0],
        ],
      );
    }
    const raw = await fixture.read(id, Granularity.Seconds, { start: beforeMs, end: -1 });
    assert.deepEqual(
      raw.map(({ v }) => v),
      [1, 3],
    );
  });
}
