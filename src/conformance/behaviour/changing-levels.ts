import assert from 'node:assert/strict';
import type { StreamDefinition } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { ALL_TIME } from '../../model/time-range.ts';
import { assertCode, assertMisuse, at, BASE_MS, type Fixture, type Suite } from '../fixture.ts';

const LATE = { checkTimestamp: false } as const;
const ADDED = { levels: { add: ['15minutes'] } } as const;

/** Four hours of ones, a minute apart; null after asserting the refusal where the store has no extra levels. */
async function filled(
  fixture: Fixture,
  definition: Partial<StreamDefinition> = {},
): Promise<StreamId | null> {
  const { datastream } = fixture;
  const hasExtra = fixture.backend.supports.extraLevels;
  const id = await fixture.ensure('a', hasExtra ? definition : {});
  if (!hasExtra) {
    await assertCode(() => datastream.updateStream(id, ADDED), 'UNSUPPORTED_GRANULARITY');
    return null;
  }
  await append(fixture, id, { fromMinute: 0, count: 241 });
  await datastream.downsampleStreams();
  return id;
}

function append(
  { datastream }: Fixture,
  id: StreamId,
  { fromMinute, count }: { readonly fromMinute: number; readonly count: number },
): Promise<unknown> {
  return datastream.appendColumns(id, {
    timestamps: Float64Array.from({ length: count }, (_, n) => BASE_MS + (fromMinute + n) * 60_000),
    values: new Float64Array(count).fill(1),
  });
}

async function counts(
  { datastream }: Fixture,
  id: StreamId,
  level: string,
  options: { readonly live?: boolean } = {},
): Promise<readonly number[]> {
  const columns = await datastream.getData(id, level, { start: at(0), ...options }).columns();
  return Array.from(columns.v?.['c'] ?? [], Number);
}

export function changingLevelsTopic({ test }: Suite): void {
  test('an added level is computed by the next maintenance, and live before', async (fixture) => {
    const { datastream } = fixture;
    const id = await filled(fixture);
    if (id === null) return;
    const other = fixture.open(fixture.backend);
    await other.append(id, 1, at(241 * 60));
    await datastream.updateStream(id, ADDED);
    const { levels, downsampledUntil } = await other.getStream(id);
    assert(levels.some(({ name }) => name === '15minutes'));
    assert.equal(downsampledUntil['15minutes'], null);
    assert.deepEqual(await counts(fixture, id, '15minutes'), []);
    const ones = new Array(16).fill(15);
    assert.deepEqual(await counts(fixture, id, '15minutes', { live: true }), [...ones, 2]);
    await other.append(id, 1, at(242 * 60));
    await fixture.assertVerified();
    await other.downsampleStreams();
    assert.deepEqual(await counts(fixture, id, '15minutes'), ones);
    await datastream.append(id, 1, at(61), LATE);
    await datastream.downsampleStreams();
    assert.equal((await counts(fixture, id, '15minutes'))[0], 16);
    await fixture.assertVerified();
  });

  test('a dropped level takes its buckets with it', async (fixture) => {
    const { datastream } = fixture;
    const id = await filled(fixture, { levels: ['5minutes', '15minutes', '30minutes'] });
    if (id === null) return;
    await datastream.updateStream(id, { levels: { drop: ['15minutes'] } });
    const dropped = { streamId: id, granularity: Granularity.byName('15minutes') };
    const { block } = await fixture.backend.readPage({
      ...dropped,
      range: ALL_TIME,
      rowCountMax: 10,
    });
    assert.equal(block.timestamps.length, 0);
    const read = (): Promise<unknown> =>
      datastream.getData(id, '15minutes', { start: at(0) }).toArray();
    await assertCode(read, 'UNSUPPORTED_GRANULARITY');
    // It is computed from another level now.
    await datastream.downsampleStreams();
    assert.deepEqual(await counts(fixture, id, '30minutes'), new Array(7).fill(30));
    await fixture.assertVerified();
    if (fixture.backend.supports.durable) await fixture.reopen();
    await fixture.datastream.updateStream(id, { levels: ['15minutes'] });
    assert.deepEqual(await counts(fixture, id, '15minutes'), []);
    await append(fixture, id, { fromMinute: 241, count: 20 });
    await fixture.settle();
    assert.deepEqual(await counts(fixture, id, '15minutes'), new Array(17).fill(15));
    const { levels } = await fixture.datastream.getStream(id);
    assert(!levels.some(({ name }) => name === '5minutes' || name === '30minutes'));
    await fixture.assertVerified();
  });

  test('a stream gets its time zone with its first levels of one, and keeps it with them', async (fixture) => {
    const { datastream } = fixture;
    const id = await filled(fixture);
    if (id === null) return;
    const india = { timeZone: 'Asia/Kolkata', levels: { add: ['hours'] } } as const;
    await datastream.updateStream(id, india);
    assert.equal((await datastream.getStream(id)).timeZone, 'Asia/Kolkata');
    await datastream.downsampleStreams();
    assert.deepEqual(await counts(fixture, id, 'hours@Asia/Kolkata'), [30, 60, 60, 60]);
    for (const timeZone of ['Europe/Paris', 'UTC']) {
      const change = (): Promise<void> => datastream.updateStream(id, { timeZone });
      await assertCode(change, 'UNSUPPORTED_GRANULARITY');
    }
    await datastream.updateStream(id, { levels: [], timeZone: 'Asia/Kathmandu' });
    await datastream.updateStream(id, { levels: ['hours'] });
    await datastream.downsampleStreams();
    assert.deepEqual(await counts(fixture, id, 'hours@Asia/Kathmandu'), [15, 60, 60, 60]);
    await fixture.assertVerified();
  });

  test('an added level begins where the finer one still has everything', async (fixture) => {
    const { datastream } = fixture;
    const id = await filled(fixture, { levels: ['30minutes'] });
    if (id === null) return;
    if (fixture.backend.supports.levels !== 'stored') return;
    const retention = { raw: '1h', minutes: '2h', hours: null } as const;
    await datastream.updateStream(id, { retention });
    fixture.nowMs = BASE_MS + (4 * 60 + 17) * 60_000;
    await datastream.downsampleStreams();
    await datastream.updateStream(id, {
      retention: { raw: '1h', minutes: '2h', '5minutes': null },
      levels: { add: ['5minutes', '15minutes', '2hours'] },
    });
    await datastream.downsampleStreams();
    // Of minutes there are still those of the ten in which they begin to expire.
    const { expiredUntil } = await datastream.getStream(id);
    assert.deepEqual(expiredUntil['5minutes'], at(130 * 60));
    assert.deepEqual(expiredUntil['15minutes'], at(135 * 60));
    assert.equal(expiredUntil['2hours'], undefined);
    assert.deepEqual(await counts(fixture, id, '5minutes'), new Array(21).fill(5));
    assert.deepEqual(await counts(fixture, id, '15minutes'), new Array(6).fill(15));
    assert.deepEqual(await counts(fixture, id, '2hours'), [120]);
    await fixture.assertVerified();
    await datastream.append(id, 1, at(230 * 60), LATE);
    await datastream.downsampleStreams();
    await fixture.assertVerified();
  });

  test('changes of levels that cannot be are refused, and change nothing', async (fixture) => {
    const { datastream } = fixture;
    const id = await filled(fixture, { levels: ['15minutes', '30minutes'] });
    if (id === null) return;
    const before = await datastream.getStream(id);
    const refused = (changes: unknown, code = 'UNSUPPORTED_GRANULARITY'): Promise<void> =>
      assertCode(() => datastream.updateStream(id, changes as object), code);
    await refused({ levels: { drop: ['hours'] } });
    await refused({ levels: { drop: ['weeks'] } });
    await refused({ levels: { add: ['fortnights'] } });
    await refused({ levels: { add: ['weeks@Europe/Paris'] } });
    await refused({ levels: { add: ['500milliseconds'] } });
    await refused({ timeZone: 'Europe/Atlantis' });
    await refused({ timeZone: 'Europe/Paris' });
    await assertMisuse(() => datastream.updateStream(id, { levels: 'weeks' } as object));
    await assertMisuse(() => datastream.updateStream(id, { levels: { remove: [] } } as object));
    assert.deepEqual(await datastream.getStream(id), before);
    if (fixture.backend.supports.levels !== 'stored') return;
    await datastream.updateStream(id, { retention: { raw: '1y', '15minutes': null } });
    const drop = { levels: { drop: ['15minutes'] } };
    await refused(drop, 'INCONSISTENT_STREAM_CONFIGURATION');
    await datastream.updateStream(id, { ...drop, retention: { raw: '1y', hours: null } });
  });

  test('appends and maintenance go on while levels come and go', async (fixture) => {
    const { datastream } = fixture;
    const id = await filled(fixture);
    if (id === null) return;
    const other = fixture.open(fixture.backend);
    for (let round = 0; round < 8; round++) {
      await Promise.all([
        other.append(id, 1, at((241 + round * 7) * 60)),
        datastream.updateStream(id, { levels: round % 2 === 0 ? ['15minutes'] : ['5minutes'] }),
        other.append(id, 1, at((round + 1) * 61), LATE),
        ...(round % 3 === 0 ? [datastream.downsampleStreams()] : []),
      ]);
    }
    await fixture.settle();
    assert.equal((await counts(fixture, id, '5minutes'))[0], 5 + 4);
    await fixture.assertVerified();
  });
}
