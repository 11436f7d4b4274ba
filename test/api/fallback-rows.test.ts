import { describe, expect, test } from '@jest/globals';
import { open, SECONDS } from '../engine/support.ts';

const HOUR_MS = 3_600_000;

describe('levels that answer for one that has expired', () => {
  test('tell no time twice where their buckets never meet', async () => {
    const { datastream } = await open({ now: () => new Date('2026-06-10T00:00:00Z') });
    const id = await datastream.ensureStream(
      {},
      {
        ...SECONDS,
        valueDownsamplers: ['count'],
        levels: ['weeks'],
        timeZone: 'Europe/Paris',
        retention: { raw: '2d', days: '10d', 'weeks@Europe/Paris': null },
      },
    );
    const startMs = Date.parse('2026-05-11T00:00:00Z');
    const timestamps = Float64Array.from(
      { length: 29 * 24 },
      (_, hour) => startMs + hour * HOUR_MS,
    );
    await datastream.appendColumns(id, { timestamps, values: timestamps.map(() => 1) });
    await datastream.downsampleStreams();
    const data = datastream.getData(id, 'days', { start: startMs, fallback: true, live: true });
    const counts: [string, number][] = [];
    for await (const { granularity, v } of data) counts.push([granularity!.name, v.c]);
    // The weeks end at 22 o'clock, and what is left of that day in UTC is nobody's.
    expect(counts).toEqual([
      ['weeks@Europe/Paris', 6 * 24 + 22],
      ['weeks@Europe/Paris', 7 * 24],
      ['weeks@Europe/Paris', 7 * 24],
      ...Array.from({ length: 8 }, () => ['days', 24]),
    ]);
  });
});
