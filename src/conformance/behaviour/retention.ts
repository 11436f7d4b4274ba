import assert from 'node:assert/strict';
import type { StreamDefinition } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { assertCode, assertMisuse, at, BASE_MS, type Fixture, type Suite } from '../fixture.ts';

const { Seconds, Seconds10, Minutes, Minutes10, Hours } = Granularity;
const DAY_SECONDS = 86_400;
/** Seconds from the first datapoint to the time of the fixture. */
const NOW_SECONDS = 10 * DAY_SECONDS;
const KEPT = { raw: '1d', minutes: '5d', hours: null } as const;

/** Ensures a stream with retention; null after asserting the refusal where the store has none. */
async function retained(
  fixture: Fixture,
  name: string,
  definition: Partial<StreamDefinition> = {},
): Promise<StreamId | null> {
  const wanted = { retention: KEPT, ...definition };
  if (fixture.backend.supports.levels === 'stored') return fixture.ensure(name, wanted);
  await assertCode(() => fixture.ensure(name, wanted), 'NOT_SUPPORTED');
  return null;
}

/** One datapoint every five minutes for ten days, each with its number as value. */
async function fill(fixture: Fixture, id: StreamId): Promise<void> {
  const count = NOW_SECONDS / 300;
  await fixture.datastream.appendColumns(id, {
    timestamps: Float64Array.from({ length: count }, (_, n) => BASE_MS + n * 300_000),
    values: Float64Array.from({ length: count }, (_, n) => n),
  });
}

async function firstSecond(
  fixture: Fixture,
  id: StreamId,
  granularity: Granularity,
): Promise<number> {
  const { timestamps } = await fixture.datastream
    .getData(id, granularity, { start: BASE_MS })
    .columns();
  return (timestamps[0]! - BASE_MS) / 1000;
}

export function retentionTopic({ test }: Suite): void {
  test('each level goes when it has been kept long enough', async (fixture) => {
    const { datastream } = fixture;
    const id = await retained(fixture, 'a');
    if (id === null) return;
    await fill(fixture, id);
    await datastream.downsampleStreams();
    const day9 = NOW_SECONDS - DAY_SECONDS;
    assert.equal(await firstSecond(fixture, id, Seconds), day9);
    assert.equal(await firstSecond(fixture, id, Seconds10), day9);
    assert.equal(await firstSecond(fixture, id, Minutes), NOW_SECONDS - 5 * DAY_SECONDS);
    assert.equal(await firstSecond(fixture, id, Minutes10), NOW_SECONDS - 5 * DAY_SECONDS);
    assert.equal(await firstSecond(fixture, id, Hours), 0);
    const { retention, expiredUntil, earliestDatapoint } = await datastream.getStream(id);
    assert.deepEqual(retention, KEPT);
    assert.deepEqual(expiredUntil.seconds, at(day9));
    assert.deepEqual(expiredUntil.minutes, at(NOW_SECONDS - 5 * DAY_SECONDS));
    assert.equal(expiredUntil.hours, undefined);
    assert.deepEqual(earliestDatapoint, at(day9));
    const hours = await fixture.readLetter(id, Hours, 'c');
    assert.deepEqual(hours, new Array(hours.length).fill(12));
    await fixture.assertVerified();
    assert.deepEqual(await datastream.downsampleStreams({ returnDatapoints: true }), []);
  });

  test('what expires moves on with time, also after the store was opened again', async (fixture) => {
    const id = await retained(fixture, 'a', { retention: { raw: '1d', '10seconds': null } });
    if (id === null) return;
    await fill(fixture, id);
    await fixture.datastream.downsampleStreams();
    if (fixture.backend.supports.durable) await fixture.reopen();
    fixture.nowMs += 6 * 3_600_000;
    await fixture.datastream.downsampleStreams();
    const firstKept = NOW_SECONDS - DAY_SECONDS + 6 * 3600;
    assert.equal(await firstSecond(fixture, id, Seconds), firstKept);
    assert.equal(await firstSecond(fixture, id, Seconds10), 0);
    await fixture.datastream.append(id, 7, at(NOW_SECONDS));
    await fixture.datastream.downsampleStreams();
    assert.deepEqual((await fixture.readLetter(id, Seconds10, 'c')).slice(0, 2), [1, 0]);
    await fixture.assertVerified();
    fixture.nowMs += 100 * DAY_SECONDS * 1000;
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await fixture.readRaw(id), [[NOW_SECONDS, 7]]);
  });

  test('what is older than what is kept cannot be changed any more', async (fixture) => {
    const { datastream } = fixture;
    const id = await retained(fixture, 'a');
    if (id === null) return;
    await fill(fixture, id);
    await datastream.downsampleStreams();
    const other = await fixture.ensure('b');
    const limit = NOW_SECONDS - DAY_SECONDS;
    const late = { checkTimestamp: false } as const;
    const refused = (call: () => Promise<unknown>): Promise<void> =>
      assertCode(call, 'INVALID_TIMESTAMP');
    await refused(() => datastream.append(id, 1, at(limit - 1), late));
    await refused(() =>
      datastream.appendMultiple(
        [
          { streamId: other, value: 1, timestamp: at(0) },
          { streamId: id, value: 1, timestamp: at(limit - 1) },
        ],
        late,
      ),
    );
    await refused(() =>
      datastream.appendColumns(
        id,
        {
          timestamps: Float64Array.of(at(limit).getTime(), at(limit - 1).getTime()),
          values: Float64Array.of(1, 1),
        },
        late,
      ),
    );
    await refused(() => datastream.upsert(id, 1, at(limit - 300)));
    await refused(() => datastream.deleteData(id, { start: at(0), end: at(limit) }));
    assert.deepEqual(await fixture.readRaw(other), []);
    await datastream.append(id, 1000, at(limit), late);
    await datastream.upsert(id, 5, at(limit + 300));
    await datastream.downsampleStreams();
    const sums = await fixture.readLetter(id, Minutes, 's');
    const first = (NOW_SECONDS - DAY_SECONDS - (NOW_SECONDS - 5 * DAY_SECONDS)) / 60;
    assert.deepEqual(sums.slice(first, first + 6), [
      1000 + limit / 300,
      ...[null, null, null, null],
      5,
    ]);
    await fixture.assertVerified();
    await datastream.deleteData(id, { start: at(limit) });
    await refused(() => datastream.append(id, 1, at(limit - 1)));
    await datastream.downsampleStreams();
    assert.equal(await firstSecond(fixture, id, Hours), 0);
    await datastream.append(id, 3, at(limit + 7));
    await datastream.downsampleStreams();
    await fixture.assertVerified();
  });

  test('history that is still to be processed holds back what it is computed from', async (fixture) => {
    const { datastream } = fixture;
    const id = await retained(fixture, 'a');
    if (id === null) return;
    await fill(fixture, id);
    const derived = await fixture.derive('derived', 'clamp', id, { deriveArgs: { max: 5 } });
    await datastream.downsampleStreams();
    assert.equal(await firstSecond(fixture, id, Seconds), 0);
    await datastream.backprocessStreams();
    await datastream.downsampleStreams();
    assert.equal(await firstSecond(fixture, id, Seconds), NOW_SECONDS - DAY_SECONDS - 300);
    assert.equal((await fixture.readRaw(derived)).length, NOW_SECONDS / 300);
    await fixture.assertVerified();
  });

  test('derived streams follow corrections of all that is kept, and keep what they had', async (fixture) => {
    const { datastream } = fixture;
    const a = await retained(fixture, 'a');
    if (a === null) return;
    const b = await fixture.ensure('b');
    const difference = await fixture.derive('difference', 'difference', a);
    const sum = await fixture.derive('sum', 'sum', [a, b]);
    await fill(fixture, a);
    await fill(fixture, b);
    await fixture.settle();
    const limit = NOW_SECONDS - DAY_SECONDS;
    assert.deepEqual((await datastream.getStream(a)).expiredUntil.seconds, at(limit));
    await datastream.upsert(a, 0, at(limit));
    await datastream.upsert(b, 0, at(limit - 300));
    await datastream.append(b, 1, at(limit - 299), { checkTimestamp: false });
    await fixture.settle();
    const n = limit / 300;
    const differences = await fixture.readRaw(difference);
    assert.equal(differences.length, NOW_SECONDS / 300 - 1);
    assert.deepEqual(differences.slice(n - 2, n + 1), [
      ...[
        [limit - 300, 1],
        [limit, 0 - (n - 1)],
        [limit + 300, n + 1],
      ],
    ]);
    const sums = await fixture.readRaw(sum);
    assert.equal(sums.length, NOW_SECONDS / 300);
    assert.deepEqual(sums.slice(n - 1, n + 1), [
      ...[
        [limit - 300, 2 * (n - 1)],
        [limit, n],
      ],
    ]);
    await fixture.assertVerified();
  });

  test('what comes to derive from a stream is computed from what it has kept', async (fixture) => {
    const { datastream } = fixture;
    const id = await retained(fixture, 'a');
    if (id === null) return;
    await fill(fixture, id);
    await datastream.downsampleStreams();
    const limit = NOW_SECONDS - DAY_SECONDS;
    const derived = await fixture.derive('derived', 'clamp', id, { deriveArgs: { max: 1e9 } });
    const level = { stream: id, granularity: Hours };
    const hourly = await fixture.derive('hourly', 'sum', level, { highestGranularity: Hours });
    await fixture.settle();
    assert.equal((await datastream.getStream(derived)).pendingBackprocess, false);
    assert.deepEqual((await fixture.readRaw(derived))[0], [limit, limit / 300]);
    assert.equal((await fixture.readRaw(hourly)).length, 10 * 24 - 1);
    await fixture.assertVerified();
    await datastream.append(id, 5, at(NOW_SECONDS));
    assert.deepEqual((await fixture.readRaw(derived)).at(-1), [NOW_SECONDS, 5]);
  });

  test('where a granularity has expired, the finest level that still has the time answers when asked', async (fixture) => {
    const { datastream } = fixture;
    const id = await retained(fixture, 'a');
    if (id === null) return;
    await fill(fixture, id);
    await datastream.downsampleStreams();
    const range = { start: BASE_MS, fallback: true } as const;
    const answered = datastream.getData(id, Seconds, range);
    const points = await answered.toArray();
    const hours = (5 * DAY_SECONDS) / 3600;
    const minutes = (4 * DAY_SECONDS) / 60;
    assert.equal(points.length, hours + minutes + DAY_SECONDS / 300);
    assert.equal(await answered.count(), points.length);
    const names = points.map(({ granularity }) => granularity?.name);
    assert.deepEqual(
      [names[0], names[hours - 1], names[hours], names[hours + minutes - 1], names.at(-1)],
      ['hours', 'hours', 'minutes', 'minutes', 'seconds'],
    );
    assert.equal(points[0]!.v.c, 12);
    assert.deepEqual(points.at(-1)!.v, NOW_SECONDS / 300 - 1);
    const reverse = await datastream.getData(id, Seconds, { ...range, reverse: true }).toArray();
    assert.deepEqual(reverse.toReversed(), points);
    assert.deepEqual(await answered.slice(hours - 1, hours + 2).toArray(), [
      ...points.slice(hours - 1, hours + 2),
    ]);
    assert.deepEqual(await answered.at(-1), points.at(-1));
    await assertMisuse(() => answered.columns());
    const blocks = [];
    for await (const { granularity, timestamps } of answered.columnBlocks()) {
      blocks.push([granularity!.name, timestamps.length]);
    }
    assert.deepEqual(
      new Set(blocks.map(([name]) => name)),
      new Set(['hours', 'minutes', 'seconds']),
    );
    const recent = { ...range, start: at(NOW_SECONDS - 600) };
    const columns = await datastream.getData(id, Seconds, recent).columns();
    assert.deepEqual([columns.granularity, columns.timestamps.length], [Seconds, 2]);
    const level = await datastream.getData(id, Minutes, range).toArray();
    assert.deepEqual([level[0]!.granularity, level.at(-1)!.granularity], [Hours, Minutes]);
    assert.deepEqual(await datastream.getData(id, Hours, range).count(), 10 * 24 - 1);
  });

  test('an added downsampler fills what can be computed from what is kept', async (fixture) => {
    const { datastream } = fixture;
    const id = await retained(fixture, 'a', { valueDownsamplers: ['count'] });
    if (id === null) return;
    await fill(fixture, id);
    await datastream.downsampleStreams();
    await datastream.updateStream(id, { valueDownsamplers: { add: ['max'] } });
    await datastream.downsampleStreams();
    const hours = await fixture.readLetter(id, Hours, 'u');
    const first = (NOW_SECONDS - DAY_SECONDS) / 3600;
    assert.deepEqual(hours.slice(0, first), new Array(first).fill(null));
    assert.deepEqual(hours.slice(first, first + 2), [first * 12 + 11, first * 12 + 23]);
    assert.deepEqual(await fixture.readLetter(id, Hours, 'c'), new Array(hours.length).fill(12));
    await fixture.assertVerified();
  });

  test('retention may change; what has expired does not come back', async (fixture) => {
    const { datastream } = fixture;
    const id = await retained(fixture, 'a');
    if (id === null) return;
    await fill(fixture, id);
    await datastream.downsampleStreams();
    await datastream.updateStream(id, { retention: null });
    fixture.nowMs += DAY_SECONDS * 1000;
    await datastream.downsampleStreams();
    assert.equal((await datastream.getStream(id)).retention, null);
    assert.equal(await firstSecond(fixture, id, Seconds), NOW_SECONDS - DAY_SECONDS);
    await datastream.updateStream(id, { retention: { raw: '1d12h', days: null } });
    assert.deepEqual((await datastream.getStream(id)).retention, { raw: '1d12h', days: null });
    await datastream.downsampleStreams();
    assert.equal(await firstSecond(fixture, id, Seconds), NOW_SECONDS - DAY_SECONDS / 2);
    await fixture.assertVerified();
  });

  test('retention that contradicts itself is refused', async (fixture) => {
    if (fixture.backend.supports.levels === 'computed') return;
    const refused = (retention: unknown): Promise<void> =>
      assertMisuse(() => fixture.ensure('a', { retention: retention as { raw: string } }));
    await refused({ raw: '30d', minutes: '1d' });
    await refused({ minutes: '1y' });
    await refused({ raw: null, hours: '1y' });
    await refused({ raw: 'a while' });
    await refused({ raw: 30 });
    await refused('30d');
    const unknown = { retention: { seconds: '1d' } } as const;
    await assertCode(() => fixture.ensure('a', unknown), 'UNSUPPORTED_GRANULARITY');
    assert.equal(await fixture.datastream.findStreams().count(), 0);
  });

  test('a read of so many points takes a level that still has the range', async (fixture) => {
    const { datastream } = fixture;
    const id = await retained(fixture, 'a');
    if (id === null) return;
    await fill(fixture, id);
    await datastream.downsampleStreams();
    const chosen = async (startSeconds: number, maxPoints = 1e6): Promise<string | null> => {
      const data = datastream.getData(id, { start: at(startSeconds), maxPoints });
      return (await data.granularity())?.name ?? null;
    };
    const days = (count: number): number => NOW_SECONDS - count * DAY_SECONDS;
    assert.equal(await chosen(days(0.5)), 'seconds');
    assert.equal(await chosen(days(3)), 'minutes');
    assert.equal(await chosen(days(3), 1000), '10minutes');
    assert.equal(await chosen(days(7)), 'hours');
    assert.equal(await chosen(days(10), 20), 'days');
    await datastream.updateStream(id, { retention: { raw: '1d', hours: '1d' } });
    fixture.nowMs += 1000;
    await datastream.downsampleStreams();
    // Nothing has what is gone: the finest will do.
    assert.equal(await chosen(days(0.5)), 'seconds');
    assert.equal(await chosen(days(7)), 'seconds');
  });
}
