import assert from 'node:assert/strict';
import type { Datapoints } from '../../api/datapoints.ts';
import type { StreamDefinition, TimeBounds } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { assertCode, at, BASE_MS, type Fixture, type Suite } from '../fixture.ts';

const HOUR_MS = 3_600_000;
const LATE = { checkTimestamp: false } as const;

/** Ensures a stream with extra levels; null after asserting the refusal where the store has none. */
async function ensureLevels(
  fixture: Fixture,
  definition: Pick<StreamDefinition, 'levels' | 'timeZone'> & Partial<StreamDefinition>,
): Promise<StreamId | null> {
  fixture.nowMs = Date.UTC(2030, 0);
  if (fixture.backend.supports.extraLevels) return fixture.ensure('a', definition);
  await assertCode(() => fixture.ensure('a', definition), 'UNSUPPORTED_GRANULARITY');
  assert.equal(await fixture.datastream.findStreams({ name: 'a' }).count(), 0);
  return null;
}

/** Appends ones, an hour apart. */
async function appendHours(
  fixture: Fixture,
  streamId: StreamId,
  { start, count }: { readonly start: string; readonly count: number },
): Promise<void> {
  const startMs = Date.parse(start);
  await fixture.datastream.appendColumns(streamId, {
    timestamps: Float64Array.from({ length: count }, (_, hour) => startMs + hour * HOUR_MS),
    values: new Float64Array(count).fill(1),
  });
}

/** Start and count of each bucket, as `2024-03-30T23:00Z 23`. */
async function countsOf(
  fixture: Fixture,
  streamId: StreamId,
  { level, live = false }: { readonly level: string; readonly live?: boolean },
): Promise<readonly string[]> {
  const { timestamps, v } = await fixture.datastream
    .getData(streamId, level, { start: Date.UTC(1800, 0), live })
    .columns();
  return Array.from(
    timestamps,
    (startMs, row) => `${new Date(startMs).toISOString().slice(0, 16)}Z ${v?.['c']?.[row]}`,
  );
}

export function extraLevelsTopic({ test }: Suite): void {
  test('a day of a time zone has 23 or 25 hours where clocks are changed', async (fixture) => {
    const timeZone = 'Europe/London';
    const definition = { timeZone, levels: ['days'], highestGranularity: 'hours' };
    const id = await ensureLevels(fixture, definition);
    if (id === null) return;
    await appendHours(fixture, id, { start: '2011-10-28T23:00Z', count: 24 + 25 + 25 });
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await countsOf(fixture, id, { level: 'days@Europe/London' }), [
      '2011-10-28T23:00Z 24',
      '2011-10-29T23:00Z 25',
      '2011-10-31T00:00Z 24',
    ]);
    // The days of every stream stay those of UTC.
    assert.equal((await countsOf(fixture, id, { level: 'days' }))[1], '2011-10-29T00:00Z 24');
    await fixture.assertVerified();
  });

  test('months and years of a time zone have the hours that its clocks show', async (fixture) => {
    const timeZone = 'Europe/Paris';
    const definition = { timeZone, levels: ['months', 'years'], highestGranularity: 'hours' };
    const id = await ensureLevels(fixture, definition);
    if (id === null) return;
    await appendHours(fixture, id, { start: '2023-12-31T23:00Z', count: 8784 + 24 * 40 });
    await fixture.datastream.downsampleStreams();
    const months = await countsOf(fixture, id, { level: 'months@Europe/Paris' });
    assert.deepEqual(months.slice(1, 5), [
      '2024-01-31T23:00Z 696',
      '2024-02-29T23:00Z 743',
      '2024-03-31T22:00Z 720',
      '2024-04-30T22:00Z 744',
    ]);
    assert.equal(months[9], '2024-09-30T22:00Z 745');
    const years = await countsOf(fixture, id, { level: 'years@Europe/Paris' });
    assert.deepEqual(years, ['2023-12-31T23:00Z 8784']);
  });

  test('the hour that clocks repeat in autumn is two buckets', async (fixture) => {
    const timeZone = 'Europe/Paris';
    const level = { every: 30, unit: 'minutes' } as const;
    const id = await ensureLevels(fixture, { timeZone, levels: [level, 'hours'] });
    if (id === null) return;
    await appendHours(fixture, id, { start: '2024-10-26T23:00Z', count: 6 });
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await countsOf(fixture, id, { level: 'hours@Europe/Paris' }), [
      '2024-10-26T23:00Z 1',
      '2024-10-27T00:00Z 1',
      '2024-10-27T01:00Z 1',
      '2024-10-27T02:00Z 1',
    ]);
    const data = fixture.datastream.getData(id, level, { start: Date.UTC(2024, 0) });
    assert.equal(await data.count(), 9);
    assert.deepEqual(
      (await data.slice(7).toArray()).map(({ v }) => v.c),
      [0, 1],
    );
    const { timestamps } = await data.slice(2, 4).columns();
    assert.deepEqual(
      [...timestamps].map((ms) => new Date(ms).toISOString().slice(11, 16)),
      ['00:00', '00:30'],
    );
  });

  test('a zone with half an hour, weeks from Sunday, quarters: each is a level', async (fixture) => {
    const timeZone = 'Asia/Kolkata';
    const levels = ['weeks', 'sunday_weeks', 'quarters', '15minutes'] as const;
    const id = await ensureLevels(fixture, { timeZone, levels, highestGranularity: 'minutes' });
    if (id === null) return;
    await appendHours(fixture, id, { start: '2024-12-28T18:30Z', count: 24 * 120 });
    await fixture.datastream.downsampleStreams();
    const first = async (level: string): Promise<string | undefined> =>
      (await countsOf(fixture, id, { level: `${level}@${timeZone}` }))[1];
    assert.equal(await first('weeks'), '2024-12-29T18:30Z 168');
    assert.equal(await first('sunday_weeks'), '2025-01-04T18:30Z 168');
    assert.equal(await first('quarters'), '2024-12-31T18:30Z 2160');
    assert.equal(await first('15minutes'), '2024-12-28T18:45Z 0');
    const { downsampledUntil, levels: all, ...stream } = await fixture.datastream.getStream(id);
    assert.equal(stream.timeZone, timeZone);
    assert.deepEqual(
      Object.keys(downsampledUntil),
      all.map(({ name }) => name),
    );
    assert.deepEqual(
      all.map(({ name }) => name).filter((name) => name.includes('@')),
      ['15minutes', 'weeks', 'sunday_weeks', 'quarters'].map((name) => `${name}@${timeZone}`),
    );
    await fixture.assertVerified();
  });

  test('before zones had whole minutes, buckets are exact too', async (fixture) => {
    if (fixture.backend.supports.timestampRange.startMs > Date.UTC(1900, 0)) return;
    const timeZone = 'Europe/Paris';
    const definition = { timeZone, levels: ['days', 'hours'], highestGranularity: 'seconds' };
    const id = await ensureLevels(fixture, definition);
    if (id === null) return;
    // Clocks were nine minutes and 21 seconds ahead, until they were put back at the end of the tenth of March.
    const midnightMs = Date.parse('1911-03-09T23:50:39Z');
    const instants = [-2, -1, 0, 1, 3600, 86_399, 86_400, 90_000, 200_000];
    await fixture.datastream.appendColumns(id, {
      timestamps: Float64Array.from(instants, (seconds) => midnightMs + seconds * 1000),
      values: Float64Array.from(instants),
    });
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await countsOf(fixture, id, { level: 'days@Europe/Paris' }), [
      '1911-03-08T23:50Z 2',
      '1911-03-09T23:50Z 5',
      '1911-03-11T00:00Z 1',
    ]);
    await fixture.assertVerified();
  });

  test('late data, corrections and reopening reach extra levels', async (fixture) => {
    const timeZone = 'America/New_York';
    const definition = { timeZone, levels: ['days', 'weeks', '2hours', 'months'] };
    const id = await ensureLevels(fixture, { ...definition, highestGranularity: 'minutes' });
    if (id === null) return;
    await appendHours(fixture, id, { start: '2024-02-20T05:00Z', count: 24 * 50 });
    await fixture.datastream.downsampleStreams();
    await fixture.datastream.append(id, 1, new Date('2024-03-10T06:59Z'), LATE);
    await fixture.datastream.append(id, 1, new Date('2024-03-10T07:01Z'), LATE);
    await fixture.datastream.deleteData(id, {
      start: new Date('2024-03-11T04:00Z'),
      endExclusive: new Date('2024-03-11T10:00Z'),
    });
    const live = await countsOf(fixture, id, { level: `days@${timeZone}`, live: true });
    assert.deepEqual(live.slice(19, 21), ['2024-03-10T05:00Z 25', '2024-03-11T04:00Z 18']);
    if (fixture.store.reopen !== undefined) await fixture.reopen();
    await fixture.datastream.downsampleStreams();
    const days = await countsOf(fixture, id, { level: `days@${timeZone}` });
    assert.deepEqual(days.slice(19, 21), ['2024-03-10T05:00Z 25', '2024-03-11T04:00Z 18']);
    const weeks = await countsOf(fixture, id, { level: `weeks@${timeZone}` });
    assert.deepEqual(weeks.slice(2, 4), ['2024-03-04T05:00Z 169', '2024-03-11T04:00Z 162']);
    const hours = await countsOf(fixture, id, { level: `2hours@${timeZone}` });
    assert(hours.includes('2024-03-10T05:00Z 3'), 'the minute before clocks are put forward');
    assert(hours.includes('2024-03-10T07:00Z 2'), 'from three until four: two has been left out');
    await fixture.assertVerified();
  });

  test('levels without a time zone are in UTC', async (fixture) => {
    const id = await ensureLevels(fixture, { levels: ['weeks', { every: 15, unit: 'minutes' }] });
    if (id === null) return;
    await fixture.appendNumbers(id, new Array(4000).fill(1));
    await fixture.datastream.downsampleStreams();
    const minutes = Granularity.of({ every: 15, unit: 'minutes' });
    assert.deepEqual(await fixture.readLetter(id, minutes, 'c'), [900, 900, 900, 900]);
    const live = { start: BASE_MS, live: true };
    const [week] = await fixture.read(id, Granularity.byName('weeks'), live);
    assert.equal(week?.v['c'], 4000);
    assert.deepEqual(week?.t['a'], at(0));
  });

  test('which buckets are live does not depend on what is read with them', async (fixture) => {
    const definition = { timeZone: 'Europe/Paris', levels: ['days'] };
    const id = await ensureLevels(fixture, definition);
    if (id === null) return;
    await appendHours(fixture, id, { start: '1910-01-01T12:00Z', count: 96 });
    await fixture.datastream.downsampleStreams();
    // In the first minutes of a local day, and in an hour of UTC that the day before has a part of.
    await fixture.datastream.append(id, 5, new Date('1910-01-03T23:55Z'), LATE);
    const days = fixture.datastream.getData(id, 'days@Europe/Paris', {
      start: Date.UTC(1910, 0),
      live: true,
    });
    const all = await days.toArray();
    assert.deepEqual(
      all.map(({ v }) => v['c']),
      [12, 24, 24, 25, 12],
    );
    for (const [index, day] of all.entries()) assert.deepEqual(await days.at(index), day);
    await fixture.datastream.downsampleStreams();
    assert.equal((await fixture.datastream.verify()).differenceCount, 0);
  });

  test('a statistic that is added is there at once in live buckets of odd local times', async (fixture) => {
    const levels = ['days', 'weeks'];
    const definition = { timeZone: 'Europe/Paris', levels, valueDownsamplers: ['sum'] };
    const id = await ensureLevels(fixture, definition);
    if (id === null) return;
    await appendHours(fixture, id, { start: '1910-01-01T12:00Z', count: 24 * 20 });
    await fixture.datastream.downsampleStreams();
    await fixture.datastream.updateStream(id, { valueDownsamplers: { add: ['max'] } });
    for (const level of ['days@Europe/Paris', 'weeks@Europe/Paris']) {
      const buckets: Datapoints = fixture.datastream.getData(id, level, {
        start: Date.UTC(1910, 0, 4),
        end: Date.UTC(1910, 0, 12),
        live: true,
      });
      const { v } = await buckets.columns();
      assert([...v!['u']!].every((value) => value === 1));
      assert.equal((await buckets.at(1))!.v.u, 1);
    }
  });

  test('maxPoints picks among extra levels, too, and local days before those of UTC', async (fixture) => {
    const timeZone = 'Europe/Paris';
    const levels = ['12hours', 'days', 'weeks', 'months'];
    const definition = { timeZone, levels, highestGranularity: 'hours' };
    const id = await ensureLevels(fixture, definition);
    if (id === null) return;
    await appendHours(fixture, id, { start: '2024-03-24T23:00Z', count: 14 * 24 - 1 });
    const pick = async (maxPoints: number, range: TimeBounds = {}): Promise<string> =>
      (await fixture.datastream.getData(id, { maxPoints, ...range }).granularity()).name;
    const picks = async (): Promise<void> => {
      assert.equal(await pick(335), 'hours');
      assert.equal(await pick(334), '6hours');
      assert.equal(await pick(28), '12hours@Europe/Paris');
      // The days of UTC are 15.
      assert.equal(await pick(15), 'days@Europe/Paris');
      assert.equal(await pick(14), 'days@Europe/Paris');
      assert.equal(await pick(13), 'weeks@Europe/Paris');
      assert.equal(await pick(2), 'weeks@Europe/Paris');
      assert.equal(await pick(1), 'months@Europe/Paris');
      assert.equal(await pick(1, { start: Date.UTC(2024, 3, 1) }), 'weeks@Europe/Paris');
      // Three local days begin or go on in two days of UTC.
      const start = Date.UTC(2024, 3, 2);
      assert.equal(await pick(2, { start, end: Date.UTC(2024, 3, 3, 23) }), 'days');
      assert.equal(await pick(2, { start, end: Date.UTC(2024, 3, 3, 21) }), 'days@Europe/Paris');
    };
    await picks();
    await fixture.datastream.downsampleStreams();
    await picks();
    const { timestamps } = await fixture.datastream
      .getData(id, { maxPoints: 14, live: true })
      .columns();
    assert.equal(timestamps.length, 14);
    assert.equal(timestamps[7], Date.UTC(2024, 2, 31, 22));
  });

  test('levels that there cannot be are refused, and so are ones that the stream lacks', async (fixture) => {
    const refused: readonly Partial<StreamDefinition>[] = [
      { timeZone: 'Mars/Olympus', levels: ['days'] },
      { timeZone: '+02:00', levels: ['days'] },
      { levels: ['fortnights'] },
      { levels: [{ every: 7, unit: 'minutes' }] },
      { levels: ['15minutes'], highestGranularity: 'hours' },
      { levels: ['days@Asia/Tokyo'], timeZone: 'Europe/Paris' },
      { levels: ['weeks'], highestGranularity: '15minutes' },
    ];
    for (const definition of refused) {
      await assertCode(() => fixture.ensure('a', definition), 'UNSUPPORTED_GRANULARITY');
    }
    assert.equal(await fixture.datastream.findStreams({ name: 'a' }).count(), 0);
    const id = await fixture.ensure('b');
    for (const level of ['weeks', 'days@Europe/Paris', { every: 15, unit: 'minutes' } as const]) {
      const data = fixture.datastream.getData(id, level, { start: BASE_MS });
      await assertCode(() => data.toArray(), 'UNSUPPORTED_GRANULARITY');
    }
  });
}
