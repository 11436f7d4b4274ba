import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import type {
  CommitOutcome,
  GroupedCommit,
  Page,
  PageRequest,
} from '../../src/backends/backend.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { at } from './support.ts';

const SECOND_COUNT = 36_000;

/** A memory store that knows how many raw rows were read, and which rows of levels were written. */
class CountingBackend extends MemoryBackend {
  rawReadCount = 0;
  pageCount = 0;
  readonly replacedCounts: Record<string, number[]> = {};

  protected override async _readPage(request: PageRequest): Promise<Page> {
    const page = await super._readPage(request);
    this.pageCount++;
    if (request.granularity === Granularity.Seconds) {
      this.rawReadCount += page.block.timestamps.length;
    }
    return page;
  }

  protected override async _commitGrouped(commit: GroupedCommit): Promise<CommitOutcome> {
    for (const write of commit.writes ?? []) {
      if (write.kind !== 'replace') continue;
      const counts = this.replacedCounts[write.granularity.name] ?? [];
      counts.push(write.block.timestamps.length);
      this.replacedCounts[write.granularity.name] = counts;
    }
    return super._commitGrouped(commit);
  }
}

/** Ten hours of seconds, downsampled. */
async function upToDate(): Promise<{
  readonly backend: CountingBackend;
  readonly datastream: Datastream;
  readonly streamId: StreamId;
}> {
  const backend = new CountingBackend();
  await backend.open();
  const datastream = new Datastream(backend);
  const streamId = await datastream.ensureStream(
    { name: 'a' },
    { valueDownsamplers: ['mean', 'max'], highestGranularity: 'seconds' },
  );
  await datastream.appendColumns(streamId, {
    timestamps: Float64Array.from({ length: SECOND_COUNT }, (_, second) => at(second)),
    values: Float64Array.from({ length: SECOND_COUNT }, (_, second) => (second * 7919) % 1000),
  });
  await datastream.downsampleStreams();
  backend.rawReadCount = 0;
  backend.pageCount = 0;
  return { backend, datastream, streamId };
}

async function appendLate(
  { datastream, streamId }: { datastream: Datastream; streamId: StreamId },
  seconds: readonly number[],
): Promise<void> {
  const timestamps = Float64Array.from(seconds, (second) => at(second) + 500);
  const values = Float64Array.from(seconds, (second) => second);
  await datastream.appendColumns(streamId, { timestamps, values }, { checkTimestamp: false });
}

describe('late data', () => {
  test('in every other bucket is followed by one range of the level', async () => {
    const { backend, ...stream } = await upToDate();
    const seconds = Array.from({ length: 50 }, (_, i) => 1000 + i * 20).reverse();
    await appendLate(stream, seconds);
    await stream.datastream.downsampleStreams();
    expect(backend.replacedCounts['10seconds']).toEqual([99]);
    expect(backend.rawReadCount).toBe(990 + 50);
    expect(await stream.datastream.verify()).toMatchObject({ differenceCount: 0 });
  });

  test('in every other bucket leaves those between as they are for reads and for the status', async () => {
    const { datastream, streamId } = await upToDate();
    const seconds = Array.from({ length: 50 }, (_, i) => 1000 + i * 20);
    await appendLate({ datastream, streamId }, seconds);
    const range = { start: at(1000), endExclusive: at(2000), live: true };
    const buckets = await datastream.getData(streamId, '10seconds', range).toArray();
    expect(buckets.map(({ live }) => live ?? false)).toEqual(
      Array.from({ length: 100 }, (_, i) => i % 2 === 0),
    );
    for await (const { levels } of datastream.status()) {
      expect(levels[0]).toMatchObject({ bucketCount: 50 });
    }
  });

  test('in buckets far from each other is followed by these buckets alone', async () => {
    const { backend, ...stream } = await upToDate();
    await appendLate(stream, [30_000, 3000, 15_000, 3600]);
    await stream.datastream.downsampleStreams();
    expect(backend.replacedCounts['10seconds']).toEqual([1, 1, 1, 1]);
    // Of the hours 0, 1, 4 and 8, the first three are more than half of five.
    expect(backend.replacedCounts['hours']).toEqual([5, 1]);
    expect(backend.rawReadCount).toBe(4 * 11);
    expect(await stream.datastream.verify()).toMatchObject({ differenceCount: 0 });
  });

  test('that is dense in some places is followed by at most twice the buckets', async () => {
    const { backend, ...stream } = await upToDate();
    const places = [2000, 9000, 20_000];
    await appendLate(
      stream,
      places.flatMap((start) => [0, 10, 30, 50, 60, 70].map((second) => start + second)),
    );
    await stream.datastream.downsampleStreams();
    expect(backend.replacedCounts['10seconds']).toEqual([8, 8, 8]);
    expect(await stream.datastream.verify()).toMatchObject({ differenceCount: 0 });
  });

  test('in many places is followed with less pages than places', async () => {
    const { backend, ...stream } = await upToDate();
    await appendLate(
      stream,
      Array.from({ length: 200 }, (_, i) => 1000 + i * 100),
    );
    await stream.datastream.downsampleStreams();
    expect(backend.replacedCounts['10seconds']).toEqual(new Array(200).fill(1));
    // Of raw rows, a page for each of the first ones and then one for every five; of coarser levels, fewer.
    expect(backend.pageCount).toBeLessThan(90);
    expect(await stream.datastream.verify()).toMatchObject({ differenceCount: 0 });
  });

  test('in more places than are remembered leaves levels exact', async () => {
    const { backend, ...stream } = await upToDate();
    const seconds = Array.from({ length: 1000 }, (_, i) => (i * 15_013) % SECOND_COUNT);
    await appendLate(stream, seconds);
    await stream.datastream.downsampleStreams();
    expect(backend.replacedCounts['10seconds']!.length).toBeLessThanOrEqual(256);
    expect(await stream.datastream.verify()).toMatchObject({ differenceCount: 0 });
  });
});
