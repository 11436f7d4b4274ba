import { describe, expect, test } from '@jest/globals';
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

/**
 * A stream, and the sum over its minutes, or over those of a stream that derives from it. `outputs` gives what the sum
 * has, by minutes from noon.
 */
async function openSum({ isOverDerived }: { readonly isOverDerived: boolean }) {
  const datastream = new Datastream(await openBackend('memory:'), {
    now: () => new Date(NOON_MS + 86_400_000),
  });
  const plain = { valueDownsamplers: ['mean'], highestGranularity: 'seconds' } as const;
  const source = await datastream.ensureStream({ name: 'source' }, plain);
  let read = source;
  if (isOverDerived) {
    const deriveFrom = { stream: source, granularity: Granularity.Seconds };
    read = await datastream.ensureStream(
      { name: 'copy' },
      { ...plain, deriveFrom, deriveOp: 'sum' },
    );
  }
  const sum = await datastream.ensureStream(
    { name: 'sum' },
    {
      valueDownsamplers: ['mean'],
      highestGranularity: 'minutes',
      deriveFrom: { stream: read, granularity: Granularity.Minutes },
      deriveOp: 'sum',
    },
  );
  const outputs = async (): Promise<readonly (readonly [minute: number, value: unknown])[]> => {
    const range = { start: NOON_MS - 86_400_000 };
    const rows: [number, unknown][] = [];
    for await (const { t, v } of datastream.getData(sum, 'minutes', range)) {
      rows.push([(t.getTime() - NOON_MS) / 60_000, v]);
    }
    return rows;
  };
  return { datastream, source, outputs };
}

describe.each([
  ['a stream', false],
  ['a derived stream', true],
])('the sum over the minutes of %s', (_of, isOverDerived) => {
  const first = { start: NOON_MS - 240_000, endExclusive: NOON_MS - 180_000 };
  const opened = async () => {
    const opening = await openSum({ isOverDerived });
    const { datastream, source } = opening;
    await datastream.append(source, 1, NOON_MS - 239_000);
    await datastream.append(source, 2, NOON_MS + 1000);
    await datastream.append(source, 3, NOON_MS + 121_000);
    await datastream.downsampleStreams();
    expect(await opening.outputs()).toEqual([
      [-4, 1],
      [-3, null],
      [-2, null],
      [-1, null],
      [0, 2],
    ]);
    return opening;
  };

  test('begins with its first datapoint where earlier ones were deleted', async () => {
    const { datastream, source, outputs } = await opened();
    await datastream.deleteData(source, first);
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0 });

    await datastream.downsampleStreams();
    expect(await outputs()).toEqual([[0, 2]]);
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
    await datastream.close();
  });

  test('begins with a late datapoint that came after the deletion', async () => {
    const { datastream, source, outputs } = await opened();
    await datastream.deleteData(source, first);
    await datastream.append(source, 5, NOON_MS - 119_000, LATE);
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0 });

    await datastream.downsampleStreams();
    expect(await outputs()).toEqual([
      [-2, 5],
      [-1, null],
      [0, 2],
    ]);
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
    await datastream.close();
  });

  test('is stale as a whole where all datapoints were deleted, the latest first', async () => {
    const { datastream, source, outputs } = await opened();
    await datastream.deleteData(source, { start: NOON_MS });
    await datastream.downsampleStreams();
    await datastream.deleteData(source, first);
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0 });

    await datastream.downsampleStreams();
    expect(await outputs()).toEqual([]);
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
    await datastream.close();
  });
});
