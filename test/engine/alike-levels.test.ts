import { describe, expect, test } from '@jest/globals';
import type { Datastream } from '../../src/api/datastream.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { at, open, SECONDS } from './support.ts';

const STREAM_COUNT = 30;
const ALL = { concurrency: 100 } as const;
const NEVER = new Date(at(1e6));
const SUMMED = {
  valueDownsamplers: ['mean', 'min', 'max', 'sum', 'sum_squares', 'count'],
  highestGranularity: 'seconds',
} as const;

type Opened = Awaited<ReturnType<typeof open>>;

function numberOf(second: number, stream: number): number {
  return ((second * (stream + 3)) % 101) / 10 - 5;
}

/** A row of each stream each second, but for the second half of each minute. */
async function appendAll(
  datastream: Datastream,
  ids: readonly StreamId[],
  { from, to }: { from: number; to: number },
): Promise<void> {
  const seconds = Array.from({ length: to - from }, (_, index) => from + index).filter(
    (second) => second % 60 < 30,
  );
  const timestamps = Float64Array.from(seconds, at);
  for (const [stream, id] of ids.entries()) {
    const values = Float64Array.from(seconds, (second) => numberOf(second, stream));
    await datastream.appendColumns(id, { timestamps, values });
  }
}

async function fill(
  datastream: Datastream,
  definition: Parameters<Datastream['ensureStream']>[1] = SUMMED,
): Promise<StreamId[]> {
  const ids: StreamId[] = [];
  for (let n = 0; n < STREAM_COUNT; n++) ids.push(await datastream.ensureStream({ n }, definition));
  await appendAll(datastream, ids, { from: 7, to: 7400 });
  return ids;
}

/** By kind, how many writes of the next run there are. */
async function kindsOf({ backend, datastream }: Opened): Promise<Record<string, number>> {
  const kinds: Record<string, number> = {};
  backend.beforeCommit = async ({ writes = [], update = [] }) => {
    expect(update).toEqual([]);
    for (const { kind } of writes) kinds[kind] = (kinds[kind] ?? 0) + 1;
  };
  await datastream.downsampleStreams(ALL);
  backend.beforeCommit = null;
  return kinds;
}

async function expectVerified({ datastream, warnings }: Opened): Promise<void> {
  expect(warnings).toEqual([]);
  const report = await datastream.verify();
  expect(report).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
  // 123 minutes less the open one, each with three of its six buckets, and so on.
  expect(report.bucketCount).toBeGreaterThan(STREAM_COUNT * 490);
}

describe('streams that tick together', () => {
  test('get each bucket in one write, and the same levels as alone', async () => {
    const opened = await open({ now: () => NEVER });
    const ids = await fill(opened.datastream);
    const kinds = await kindsOf(opened);
    expect(Object.keys(kinds)).toEqual(['bucket']);
    await expectVerified(opened);
    const alone = await open({ now: () => NEVER });
    const others = await fill(alone.datastream);
    await alone.datastream.downsampleStreams({ concurrency: 1 });
    for (const [index, id] of ids.entries()) {
      const { record } = (await opened.backend.readStreams([id]))[0]!;
      const other = (await alone.backend.readStreams([others[index]!]))[0]!.record;
      expect(record.levels).toEqual(other.levels);
    }
    expect(await kindsOf(opened)).toEqual({});
  });

  test('go on from where they were', async () => {
    const opened = await open({ now: () => NEVER });
    const ids = await fill(opened.datastream);
    await opened.datastream.downsampleStreams(ALL);
    await appendAll(opened.datastream, ids, { from: 7400, to: 12_000 });
    await opened.datastream.downsampleStreams(ALL);
    await expectVerified(opened);
  });

  test('are told from those with nulls, other rows, and other levels', async () => {
    const opened = await open({ now: () => NEVER });
    const { datastream } = opened;
    const other = await datastream.ensureStream(
      { other: 1 },
      { ...SUMMED, valueDownsamplers: ['std_dev'] },
    );
    const ids = [...(await fill(datastream)), other];
    const late = { checkTimestamp: false } as const;
    for (const second of [7, 100, 7400]) {
      await datastream.appendColumns(other, {
        timestamps: Float64Array.of(at(second)),
        values: Float64Array.of(second),
      });
    }
    await datastream.append(ids[4]!, null, at(100), late);
    await datastream.append(ids[5]!, 7, at(101), late);
    // The last row moves: another kind of stream, as far as anybody can tell without reading.
    await datastream.append(ids[6]!, 1, at(7399.5));
    const kinds = await kindsOf(opened);
    expect(Object.keys(kinds).sort()).toEqual(['advance', 'bucket']);
    await expectVerified(opened);
  });

  test('are not held up by a first one with nulls', async () => {
    const opened = await open({ now: () => NEVER });
    const ids = await fill(opened.datastream);
    await opened.datastream.append(ids[0]!, null, at(100), { checkTimestamp: false });
    expect(Object.keys(await kindsOf(opened))).toEqual(['advance']);
    await expectVerified(opened);
  });

  test('are computed apart when somebody changes one of them meanwhile', async () => {
    const opened = await open({ now: () => NEVER });
    const { backend, datastream } = opened;
    const ids = await fill(datastream);
    const streamCounts: number[] = [];
    backend.beforeCommit = async ({ writes = [] }) => {
      const streamIds = writes.flatMap((write) =>
        'streamIds' in write ? write.streamIds : [write.streamId],
      );
      streamCounts.push(new Set(streamIds).size);
      if (streamCounts.length > 1) return;
      const [snapshot] = await backend.readStreams([ids[9]!]);
      const { record } = snapshot!;
      await backend.commit({ expect: [], update: [{ ...record, tags: { n: 'changed' } }] });
    };
    await datastream.downsampleStreams(ALL);
    backend.beforeCommit = null;
    // The second time as they are now.
    expect(streamCounts).toEqual([STREAM_COUNT, STREAM_COUNT]);
    await expectVerified(opened);
  });

  test('give their buckets to whoever asks for them', async () => {
    const opened = await open({ now: () => NEVER });
    const { datastream } = opened;
    const [first] = await fill(datastream);
    const returned = await datastream.downsampleStreams({ ...ALL, returnDatapoints: true });
    await expectVerified(opened);
    const hours = await datastream.getData(first!, 'hours', { start: at(0) }).count();
    expect(
      returned.filter(
        ({ streamId, granularity }) => streamId === first && String(granularity) === 'hours',
      ),
    ).toHaveLength(hours);
  });

  test('count as rows in the progress of the run', async () => {
    const { datastream } = await open({ now: () => NEVER });
    await fill(datastream, SECONDS);
    let last = { streamCount: 0, rowCount: 0 };
    await datastream.downsampleStreams({
      ...ALL,
      onProgress: (progress) => {
        last = progress;
      },
    });
    const { bucketCount } = await datastream.verify();
    expect(last).toMatchObject({ streamCount: STREAM_COUNT, rowCount: bucketCount });
  });
});
