import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { at, open, SECONDS } from './support.ts';

const NEVER = new Date(at(1e6));

describe('maintenance', () => {
  test('backprocesses while somebody else appends before each of its commits', async () => {
    const { backend, datastream, warnings } = await open();
    const id = await datastream.ensureStream({ n: 1 }, SECONDS);
    const count = 1000;
    await datastream.appendColumns(id, {
      timestamps: Float64Array.from({ length: count }, (_, i) => at(i)),
      values: Float64Array.from({ length: count }, (_, i) => i),
    });
    const derived = await datastream.ensureStream(
      { n: 2 },
      { ...SECONDS, deriveFrom: id, deriveOp: 'derivative' },
    );
    const other = new Datastream(backend);
    let second = count;
    // More often than a window up to the end of time, which loses against each of them, is tried.
    backend.beforeCommit = async () => {
      if (second < count + 120) await other.append(id, second, at(second++));
    };
    await datastream.backprocessStreams();
    backend.beforeCommit = null;
    expect(warnings).toEqual([]);
    expect((await datastream.getStream(derived)).pendingBackprocess).toBe(false);
    const { values } = await datastream.getData(derived, 'seconds', { start: at(0) }).columns();
    expect(values).toEqual(new Float64Array(second - 1).fill(1));
  });

  test('counts each stream once in its progress', async () => {
    const { datastream } = await open({ now: () => NEVER });
    const sources = [
      await datastream.ensureStream({ n: 1 }, SECONDS),
      await datastream.ensureStream({ n: 2 }, SECONDS),
    ];
    const first = { ...SECONDS, highestGranularity: '10seconds' } as const;
    const level = sources.map((stream) => ({ stream, granularity: '10seconds' }));
    const sum = await datastream.ensureStream(
      { n: 3 },
      { ...first, deriveFrom: level, deriveOp: 'sum' },
    );
    await datastream.ensureStream({ n: 4 }, { ...first, deriveFrom: sum, deriveOp: 'sum' });
    for (const id of sources) {
      for (const second of [0, 10, 20, 30]) await datastream.append(id, second, at(second));
    }
    const seen: (readonly [number, number])[] = [];
    await datastream.downsampleStreams({
      queryTags: { n: 1 },
      onProgress: ({ streamCount, streamCountTotal }) => {
        seen.push([streamCount, streamCountTotal]);
      },
    });
    await datastream.downsampleStreams({
      onProgress: ({ streamCount, streamCountTotal }) => {
        seen.push([streamCount, streamCountTotal]);
      },
    });
    expect(seen.length).toBeGreaterThan(4);
    expect(seen.filter(([done, total]) => done > total)).toEqual([]);
    expect(seen.at(-1)).toEqual([4, 4]);
  });

  test('ends with an error when the store is closed under it', async () => {
    const { backend, datastream } = await open({ now: () => NEVER });
    for (let n = 0; n < 20; n++) {
      const id = await datastream.ensureStream({ n }, SECONDS);
      await datastream.append(id, 1, at(0));
      await datastream.append(id, 1, at(20));
    }
    backend.beforeCommit = () => backend.close();
    await expect(datastream.downsampleStreams()).rejects.toMatchObject({ code: 'BACKEND_CLOSED' });
  });
});

describe('verification', () => {
  test('leaves out what follows a level that is stale in front of its first bucket', async () => {
    const { datastream } = await open({ now: () => NEVER });
    const id = await datastream.ensureStream({ n: 1 }, SECONDS);
    await datastream.ensureStream(
      { n: 2 },
      {
        ...SECONDS,
        highestGranularity: '10seconds',
        deriveFrom: { stream: id, granularity: '10seconds' },
        deriveOp: 'sum',
      },
    );
    for (const second of [100, 110, 120, 130]) await datastream.append(id, 1, at(second));
    await datastream.downsampleStreams();
    await datastream.append(id, 1, at(50), { checkTimestamp: false });
    const differences: unknown[] = [];
    const onDifference = (difference: unknown) => differences.push(difference);
    await datastream.verify({ onDifference });
    await datastream.downsampleStreams();
    await datastream.verify({ onDifference });
    expect(differences).toEqual([]);
  });
});

describe('a derived stream without history', () => {
  test('leaves out the buckets of a level that was never computed', async () => {
    const { datastream } = await open({ now: () => NEVER });
    const id = await datastream.ensureStream({ n: 1 }, SECONDS);
    for (const second of [0, 10, 20]) await datastream.append(id, 1, at(second));
    const derived = await datastream.ensureStream(
      { n: 2 },
      {
        ...SECONDS,
        highestGranularity: '10seconds',
        deriveFrom: { stream: id, granularity: '10seconds' },
        deriveOp: 'sum',
        deriveBackprocess: false,
      },
    );
    for (const second of [30, 40, 50]) await datastream.append(id, 2, at(second));
    await datastream.downsampleStreams();
    const datapoints = await datastream.getData(derived, 'seconds', { start: at(0) }).toArray();
    expect(datapoints).toEqual([
      { t: new Date(at(30)), v: 2 },
      { t: new Date(at(40)), v: 2 },
    ]);
  });
});
