import assert from 'node:assert/strict';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { assertCode, assertMisuse, at, type Fixture, type Suite } from '../fixture.ts';

const { Seconds10, Minutes } = Granularity;

/** Ten minutes of ones, downsampled. */
async function ones(fixture: Fixture): Promise<StreamId> {
  const id = await fixture.ensure('a');
  await fixture.appendNumbers(id, new Array(601).fill(1));
  await fixture.datastream.downsampleStreams();
  return id;
}

export function correctionsTopic({ test }: Suite): void {
  test('replaced data is on every level after the next maintenance', async (fixture) => {
    const { datastream } = fixture;
    const id = await ones(fixture);
    await datastream.replaceData(id, { start: at(120), endExclusive: at(180) }, [
      { timestamp: at(175), value: 7 },
      { timestamp: at(120), value: 5 },
    ]);
    assert.deepEqual((await fixture.readRaw(id)).slice(118, 124), [
      ...[
        [118, 1],
        [119, 1],
        [120, 5],
        [175, 7],
        [180, 1],
        [181, 1],
      ],
    ]);
    await datastream.downsampleStreams();
    assert.deepEqual((await fixture.readLetter(id, Seconds10, 'c')).slice(11, 19), [
      ...[10, 1, 0, 0, 0, 0, 1, 10],
    ]);
    assert.deepEqual((await fixture.readLetter(id, Minutes, 's')).slice(1, 4), [60, 12, 60]);
    await fixture.assertVerified();
  });

  test('a correction writes the changed buckets and no others', async (fixture) => {
    const { datastream } = fixture;
    const id = await ones(fixture);
    await datastream.upsert(id, 50, at(123));
    const written = await datastream.downsampleStreams({ returnDatapoints: true });
    assert.deepEqual(
      written.map(({ granularity }) => granularity),
      [Seconds10, Minutes],
    );
    assert.deepEqual(await datastream.downsampleStreams({ returnDatapoints: true }), []);
  });

  test('columns replace data as lists do, in any order', async (fixture) => {
    const id = await ones(fixture);
    const timestamps = Float64Array.of(at(300).getTime(), at(10).getTime(), at(12).getTime());
    const values = Float64Array.of(3, 1, Number.NaN);
    await fixture.datastream.replaceData(
      id,
      { start: at(0), end: at(400) },
      { timestamps, values },
    );
    assert.deepEqual((await fixture.readRaw(id)).slice(0, 4), [
      ...[
        [10, 1],
        [12, null],
        [300, 3],
        [401, 1],
      ],
    ]);
    await fixture.datastream.downsampleStreams();
    await fixture.assertVerified();
  });

  test('equal timestamps that replace are kept as those that are appended', async (fixture) => {
    const id = await ones(fixture);
    const data = [2, 3].map((value) => ({ timestamp: at(5), value }));
    await fixture.datastream.replaceData(id, { start: at(0), end: at(9) }, data);
    const kept = fixture.backend.supports.equalTimestamps
      ? [
          [5, 2],
          [5, 3],
        ]
      : [[5, 3]];
    assert.deepEqual((await fixture.readRaw(id)).slice(0, kept.length), kept);
    await fixture.datastream.downsampleStreams();
    await fixture.assertVerified();
  });

  test('deleted data is gone from every level after the next maintenance', async (fixture) => {
    const { datastream } = fixture;
    const id = await ones(fixture);
    await datastream.deleteData(id, { start: at(60), endExclusive: at(120) });
    await datastream.downsampleStreams();
    assert.equal((await fixture.readRaw(id)).length, 541);
    assert.deepEqual((await fixture.readLetter(id, Minutes, 'c')).slice(0, 3), [60, 0, 60]);
    await fixture.assertVerified();
  });

  test('the first datapoints may be deleted, and levels then begin later', async (fixture) => {
    const { datastream } = fixture;
    const id = await ones(fixture);
    await datastream.deleteData(id, { start: at(-100), endExclusive: at(75) });
    await datastream.downsampleStreams();
    assert.deepEqual((await datastream.getStream(id)).earliestDatapoint, at(75));
    const counts = await fixture.readLetter(id, Minutes, 'c');
    assert.deepEqual(counts.slice(0, 2), [45, 60]);
    await fixture.assertVerified();
  });

  test('the last datapoints may be deleted, and appending goes on from there', async (fixture) => {
    const { datastream } = fixture;
    const id = await ones(fixture);
    await datastream.deleteData(id, { start: at(300) });
    assert.deepEqual((await datastream.getStream(id)).latestDatapoint, at(299));
    await datastream.append(id, 9, at(310));
    await datastream.appendTick(at(320), [id], Float64Array.of(8));
    await datastream.downsampleStreams();
    assert.deepEqual((await fixture.readRaw(id)).slice(299), [
      ...[
        [299, 1],
        [310, 9],
        [320, 8],
      ],
    ]);
    assert.equal((await fixture.readLetter(id, Seconds10, 'u'))[31], 9);
    await fixture.assertVerified();
  });

  test('all datapoints may be deleted, and the stream begins anew', async (fixture) => {
    const { datastream } = fixture;
    const id = await ones(fixture);
    await datastream.deleteData(id, { start: at(-1_000_000) });
    await datastream.downsampleStreams();
    assert.deepEqual(await fixture.read(id), []);
    assert.deepEqual(await fixture.read(id, Minutes), []);
    assert.equal((await datastream.getStream(id)).latestDatapoint, null);
    await fixture.appendNumbers(id, new Array(100).fill(2));
    await datastream.downsampleStreams();
    assert.equal((await fixture.readLetter(id, Seconds10, 'u'))[0], 2);
    await fixture.assertVerified();
  });

  test('a range without datapoints may be filled, before, between and behind the others', async (fixture) => {
    const { datastream } = fixture;
    const id = await fixture.ensure('a');
    for (const second of [0, 1000]) await datastream.append(id, 1, at(second));
    await datastream.downsampleStreams();
    for (const second of [-500, 500, 1500]) {
      const range = { start: at(second - 100), end: at(second + 100) };
      await datastream.replaceData(id, range, [{ timestamp: at(second), value: second }]);
    }
    await datastream.deleteData(id, { start: at(200), end: at(300) });
    await datastream.downsampleStreams();
    assert.deepEqual(await fixture.readRaw(id), [
      ...[
        [-500, -500],
        [0, 1],
        [500, 500],
        [1000, 1],
        [1500, 1500],
      ],
    ]);
    await fixture.assertVerified();
  });

  test('an upsert replaces what is at its timestamp, or adds', async (fixture) => {
    const { datastream } = fixture;
    const id = await fixture.ensure('a');
    const other = await fixture.ensure('b');
    await fixture.appendSeries(id, [1, 2, 3], 1);
    await datastream.upsertMultiple([
      { streamId: id, value: 20, timestamp: at(2) },
      { streamId: other, value: 5, timestamp: at(7) },
      { streamId: id, value: 40, timestamp: at(4) },
      { streamId: id, value: null, timestamp: at(1) },
      { streamId: id, value: 21, timestamp: at(2) },
    ]);
    assert.deepEqual(await fixture.readRaw(id), [
      ...[
        [1, null],
        [2, 21],
        [3, 3],
        [4, 40],
      ],
    ]);
    assert.deepEqual(await fixture.readRaw(other), [[7, 5]]);
  });

  test('derived streams follow corrections of their sources, through chains', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source');
    const rate = await fixture.derive('rate', 'derivative', source);
    const change = await fixture.derive('change', 'derivative', rate);
    const total = await fixture.derive('total', 'sum', [source, rate]);
    await fixture.appendNumbers(source, [0, 10, 30, 60, 100, 150]);
    await datastream.replaceData(source, { start: at(2), end: at(3) }, [
      { timestamp: at(2), value: 20 },
    ]);
    await datastream.deleteData(source, { start: at(5) });
    await fixture.settle();
    assert.deepEqual(await fixture.readRaw(source), [
      ...[
        [0, 0],
        [1, 10],
        [2, 20],
        [4, 100],
      ],
    ]);
    assert.deepEqual(await fixture.readRaw(rate), [
      ...[
        [1, 10],
        [2, 10],
        [4, 40],
      ],
    ]);
    assert.deepEqual(await fixture.readRaw(change), [
      ...[
        [2, 0],
        [4, 15],
      ],
    ]);
    assert.deepEqual(await fixture.readRaw(total), [
      ...[
        [1, 20],
        [2, 30],
        [4, 140],
      ],
    ]);
    await datastream.append(source, 130, at(5));
    assert.deepEqual((await fixture.readRaw(rate)).at(-1), [5, 30]);
    await fixture.assertVerified();
  });

  test('what derives from a level follows corrections of the raw datapoints', async (fixture) => {
    const { datastream } = fixture;
    const source = await ones(fixture);
    const rate = await fixture.derive(
      'rate',
      'derivative',
      { stream: source, granularity: Minutes },
      {
        highestGranularity: Minutes,
        deriveBackprocess: true,
      },
    );
    await fixture.settle();
    await datastream.replaceData(source, { start: at(60), endExclusive: at(120) }, [
      { timestamp: at(60), value: 61 },
    ]);
    await fixture.settle();
    assert.deepEqual((await fixture.readRaw(rate)).slice(0, 2), [
      ...[
        [60, 1],
        [120, -1],
      ],
    ]);
    await fixture.assertVerified();
  });

  test('a correction that is refused changes nothing', async (fixture) => {
    const { datastream } = fixture;
    const id = await ones(fixture);
    const derived = await fixture.derive('derived', 'derivative', id);
    const before = await fixture.read(id);
    const range = { start: at(0), end: at(10) };
    const one = (value: unknown, second = 5) => [{ timestamp: at(second), value }];
    await assertCode(() => datastream.replaceData(id, range, one('text')), 'INVALID_VALUE');
    await assertCode(() => datastream.replaceData(id, range, one(1, 11)), 'INVALID_TIMESTAMP');
    await assertCode(() => datastream.replaceData(id, range, one(1, -1)), 'INVALID_TIMESTAMP');
    await assertCode(
      () => datastream.deleteData(derived, range),
      'APPEND_TO_DERIVED_STREAM_NOT_ALLOWED',
    );
    await assertCode(() => datastream.upsert('nobody', 1, at(1)), 'STREAM_NOT_FOUND');
    const mixed = [
      { streamId: id, value: 2, timestamp: at(1) },
      { streamId: derived, value: 2, timestamp: at(1) },
    ];
    await assertCode(
      () => datastream.upsertMultiple(mixed),
      'APPEND_TO_DERIVED_STREAM_NOT_ALLOWED',
    );
    await assertMisuse(() => datastream.replaceData(id, {}, []));
    await assertMisuse(() => datastream.deleteData(id, { start: at(0), startExclusive: at(0) }));
    await assertMisuse(() => datastream.replaceData(id, range, 5 as never));
    assert.deepEqual(await fixture.read(id), before);
  });

  test('corrections and appends at once lose and double nothing', async (fixture) => {
    const { datastream } = fixture;
    const id = await ones(fixture);
    const appends = Array.from({ length: 20 }, (_, i) => datastream.append(id, i, at(700 + i)));
    const corrections = Array.from({ length: 10 }, (_, i) => datastream.upsert(id, -i, at(i * 50)));
    await Promise.all([...appends, ...corrections, datastream.downsampleStreams()]);
    await datastream.downsampleStreams();
    const rows = await fixture.readRaw(id);
    assert.equal(rows.length, 621);
    for (let i = 0; i < 10; i++) assert.deepEqual(rows[i * 50], [i * 50, -i]);
    await fixture.assertVerified();
  });
}
