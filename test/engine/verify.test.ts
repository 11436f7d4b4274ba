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
});
