import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import type { StreamDefinition } from '../../src/api/types.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { type LadderRecord, ladderOf } from '../../src/model/ladder.ts';

const HOUR_MS = 3_600_000;

function finerOf(record: LadderRecord): Record<string, string> {
  const { rungs } = ladderOf(record);
  return Object.fromEntries(
    rungs
      .filter(({ granularity }) => !Granularity.values.includes(granularity))
      .map(({ granularity, finer }) => [granularity.name, finer.name]),
  );
}

describe('extra levels', () => {
  test('are computed from the coarsest level whose buckets make up theirs', () => {
    expect(
      finerOf({
        highestGranularity: 'seconds',
        extraLevels: ['15seconds', '15minutes', '12hours', 'weeks', 'months', 'quarters', 'years'],
      }),
    ).toEqual({
      '15seconds': 'seconds',
      '15minutes': 'minutes',
      '12hours': '6hours',
      weeks: 'days',
      months: 'days',
      quarters: 'months',
      years: 'quarters',
    });
    const extraLevels = ['15minutes', 'days', 'weeks', 'months', 'years'];
    const inZone = (timeZone: string): Record<string, string> =>
      finerOf({ highestGranularity: 'seconds', timeZone, extraLevels });
    expect(inZone('Europe/Paris')).toEqual({
      '15minutes@Europe/Paris': 'minutes',
      'days@Europe/Paris': 'hours',
      'weeks@Europe/Paris': 'days@Europe/Paris',
      'months@Europe/Paris': 'days@Europe/Paris',
      'years@Europe/Paris': 'months@Europe/Paris',
    });
    expect(inZone('Asia/Kolkata')['days@Asia/Kolkata']).toBe('15minutes@Asia/Kolkata');
    expect(
      finerOf({ highestGranularity: 'hours', timeZone: 'Asia/Kolkata', extraLevels: ['days'] }),
    ).toEqual({ 'days@Asia/Kolkata': 'hours' });
  });

  test('follow appends, where they are asked to', async () => {
    const backend = new MemoryBackend();
    await backend.open();
    const datastream = new Datastream(backend, { liveDownsampling: true });
    const definition: StreamDefinition = {
      valueDownsamplers: ['sum'],
      highestGranularity: 'minutes',
      timeZone: 'Europe/Paris',
      levels: ['days', 'weeks', '2hours'],
    };
    const id = await datastream.ensureStream({ name: 'a' }, definition);
    const startMs = Date.parse('2024-03-28T23:00Z');
    for (let hour = 0; hour < 80; hour++) {
      await datastream.append(id, 1, new Date(startMs + hour * HOUR_MS));
    }
    const { timestamps, v } = await datastream
      .getData(id, 'days@Europe/Paris', { start: startMs })
      .columns();
    expect([...timestamps].map((ms) => new Date(ms).toISOString())).toEqual([
      '2024-03-28T23:00:00.000Z',
      '2024-03-29T23:00:00.000Z',
      '2024-03-30T23:00:00.000Z',
    ]);
    expect([...(v!['s'] as Float64Array)]).toEqual([24, 24, 23]);
    const { downsampledUntil } = await datastream.getStream(id);
    expect(downsampledUntil['weeks@Europe/Paris']).toBeNull();
    expect(downsampledUntil['2hours@Europe/Paris']).toEqual(new Date('2024-04-01T04:00Z'));
    await datastream.close();
  });
});
