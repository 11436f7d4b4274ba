import { describe, expect, test } from '@jest/globals';
import { at, open, SECONDS } from './support.ts';

const LATE = { checkTimestamp: false } as const;
const NEVER = new Date(at(1e6));

describe('verify', () => {
  test('takes no bucket for a difference that a stale finer level is about to bring', async () => {
    const { datastream } = await open({ now: () => NEVER });
    const source = await datastream.ensureStream({ n: 1 }, SECONDS);
    const derived = await datastream.ensureStream(
      { n: 2 },
      {
        ...SECONDS,
        highestGranularity: 'minutes',
        deriveFrom: { stream: source, granularity: 'minutes' },
        deriveOp: 'derivative',
      },
    );
    await datastream.append(source, null, at(119));
    await datastream.append(source, null, at(179));
    await datastream.downsampleStreams();
    // The bucket of 10 seconds that it makes stale begins later than its minute.
    await datastream.append(source, null, at(59), LATE);

    const before = await datastream.verify();
    expect(before).toMatchObject({ differenceCount: 0 });
    expect(before.staleRangeCount).toBeGreaterThan(0);

    await datastream.downsampleStreams();
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
    const { timestamps } = await datastream.getData(derived, 'minutes', { start: at(0) }).columns();
    expect([...timestamps]).toEqual([at(0), at(60)]);
  });

  test('of all shards recomputes each stream once', async () => {
    const { datastream } = await open({ now: () => NEVER });
    for (let n = 0; n < 40; n++) {
      const id = await datastream.ensureStream({ n }, SECONDS);
      await datastream.append(id, n, at(0));
      await datastream.append(id, n, at(25));
    }
    await datastream.downsampleStreams();
    const whole = await datastream.verify();
    expect(whole.streamCount).toBe(40);
    const counts = { streamCount: 0, bucketCount: 0 };
    for (let index = 0; index < 3; index++) {
      const part = await datastream.verify({ shard: { index, count: 3 } });
      expect(part.streamCount).toBeLessThan(40);
      counts.streamCount += part.streamCount;
      counts.bucketCount += part.bucketCount;
    }
    expect(whole).toMatchObject(counts);
    const wrong = { index: 3, count: 3 };
    await expect(datastream.verify({ shard: wrong })).rejects.toBeInstanceOf(RangeError);
  });

  test('ends where its signal comes while it runs', async () => {
    const { datastream } = await open({ now: () => NEVER });
    for (let n = 0; n < 10; n++) {
      await datastream.append(await datastream.ensureStream({ n }, SECONDS), n, at(0));
    }
    const interruption = new AbortController();
    let verifiedCount = 0;
    setImmediate(() => interruption.abort());
    const verified = datastream.verify({
      signal: interruption.signal,
      onProgress: () => {
        verifiedCount++;
      },
    });
    await expect(verified).rejects.toMatchObject({ name: 'AbortError' });
    expect(verifiedCount).toBeLessThan(10);
  });

  test('ends where levels of calendars are kept for ever, and what they come from is not', async () => {
    let nowMs = Date.UTC(2026, 2, 27);
    const { datastream } = await open({ now: () => new Date(nowMs) });
    const zoned = { levels: ['days', 'months'], timeZone: 'Europe/Paris' };
    const id = await datastream.ensureStream({}, { ...SECONDS, ...zoned });
    for (let hour = 0; hour < 24 * 7; hour++) {
      await datastream.append(id, hour, new Date(nowMs));
      nowMs += 3_600_000;
    }
    await datastream.downsampleStreams();
    await datastream.updateStream(id, {
      ...zoned,
      levels: ['days', 'months', 'weeks'],
      retention: { raw: '2d', days: null },
    });
    await datastream.downsampleStreams();
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });

    // The first level that is kept for ever is one of a calendar.
    await datastream.updateStream(id, { retention: { raw: '2d', 'weeks@Europe/Paris': null } });
    await datastream.downsampleStreams();
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
    expect((await datastream.getStream(id)).expiredUntil).toHaveProperty('days');
  });
});
