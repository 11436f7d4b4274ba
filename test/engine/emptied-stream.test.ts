import { expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { Granularity } from '../../src/model/granularity.ts';

const NOON_MS = Date.UTC(2000, 0, 1, 12);
const LATE = { checkTimestamp: false } as const;

test('a stream that was emptied and begins anew, earlier, makes all buckets up to its watermark stale', async () => {
  const backend = await openBackend('memory:');
  const datastream = new Datastream(backend, {
    now: () => new Date(NOON_MS + 86_400_000),
    liveDownsampling: true,
  });
  const source = await datastream.ensureStream(
    { name: 'source' },
    { valueDownsamplers: ['mean'], highestGranularity: 'seconds' },
  );
  await datastream.append(source, 1, NOON_MS + 10_000);
  await datastream.append(source, 1, NOON_MS - 1000, LATE);
  await datastream.ensureStream(
    { name: 'slope' },
    {
      valueDownsamplers: ['mean'],
      highestGranularity: 'minutes',
      deriveFrom: { stream: source, granularity: Granularity.Minutes },
      deriveOp: 'derivative',
      deriveBackprocess: true,
    },
  );
  await datastream.backprocessStreams();
  await datastream.deleteData(source, { start: NOON_MS - 1000, end: NOON_MS + 20_000 });

  await datastream.append(source, 1, NOON_MS - 181_000, LATE);
  const [snapshot] = await backend.readStreams([source]);
  expect(snapshot!.record.levels['10seconds']).toEqual({
    untilMs: NOON_MS + 10_000,
    stale: [{ startMs: NOON_MS - 190_000, endMs: NOON_MS + 10_000 }],
  });
  // What is stale is known to be so: nothing else differs.
  expect(await datastream.verify()).toMatchObject({ differenceCount: 0 });

  await datastream.downsampleStreams();
  expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
  await datastream.close();
});
