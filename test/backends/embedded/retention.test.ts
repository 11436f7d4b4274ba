import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Datastream } from '../../../src/api/datastream.ts';
import { opened, withFolder } from './fixtures.ts';

const START_MS = Date.UTC(2024, 0, 1);
const ROW_COUNT = 100_000;
const ROUND_COUNT = 6;

/** Numbers that do not compress well. */
function valuesOf(round: number): Float64Array {
  return Float64Array.from({ length: ROW_COUNT }, (_, n) => Math.sin(n * (round + 1)) * 1e6);
}

test('the space of what has expired is used again', async () => {
  await withFolder(async (path) => {
    const backend = await opened(path);
    let nowMs = START_MS;
    const datastream = new Datastream(backend, { now: () => new Date(nowMs) });
    const id = await datastream.ensureStream(
      { m: 'a' },
      {
        valueDownsamplers: ['count'],
        highestGranularity: 'seconds',
        retention: { raw: '1d', hours: null },
      },
    );
    const sizesBytes: number[] = [];
    for (let round = 0; round < ROUND_COUNT; round++) {
      const timestamps = Float64Array.from({ length: ROW_COUNT }, (_, n) => nowMs + n * 1000);
      nowMs += ROW_COUNT * 1000;
      await datastream.appendColumns(id, { timestamps, values: valuesOf(round) });
      await datastream.downsampleStreams();
      await datastream.checkpoint();
      sizesBytes.push((await stat(join(path, 'data.mdb'))).size);
    }
    const { timestamps } = await datastream.getData(id, 'seconds', { start: START_MS }).columns();
    expect(timestamps.length).toBeLessThan(95_000);
    const hours = await datastream.getData(id, 'hours', { start: START_MS }).count();
    expect(hours).toBeGreaterThan((ROUND_COUNT * ROW_COUNT) / 3600 - 2);
    // Each round alone is larger than a megabyte.
    expect(sizesBytes.at(-1)! - sizesBytes[1]!).toBeLessThan(1_000_000);
    expect((await datastream.verify()).differenceCount).toBe(0);
    await datastream.close();
  });
});
