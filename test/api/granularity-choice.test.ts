import { expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { openBackend } from '../../src/backends/open-backend.ts';

test('maxPoints counts the buckets of times before 1970, where no level is computed yet', async () => {
  const datastream = new Datastream(await openBackend('memory:'));
  const id = await datastream.ensureStream(
    { name: 'a' },
    { valueDownsamplers: ['mean'], highestGranularity: 'seconds' },
  );
  const start = Date.UTC(1937, 5, 30, 19);
  await datastream.append(id, 1, start);
  await datastream.append(id, 2, start + 4_000_000);
  expect(await datastream.getData(id, { maxPoints: 1 }).granularity()).toMatchObject({
    name: '6hours',
  });
  await datastream.close();
});
