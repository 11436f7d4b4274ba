import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { CountingBackend } from './counting-backend.ts';
import { at } from './support.ts';

const ROW_COUNT = 120_000;
const { Seconds } = Granularity;
const DEFINITION = { valueDownsamplers: ['mean', 'min', 'max'], highestGranularity: Seconds };

/** A long stream, a derivative of it and a derivative of that, and the sum of both, all up to date. */
async function upToDate() {
  const backend = new CountingBackend();
  await backend.open();
  const datastream = new Datastream(backend);
  const source = await datastream.ensureStream({ name: 'source' }, DEFINITION);
  const derive = (name: string, deriveOp: string, deriveFrom: readonly StreamId[]) =>
    datastream.ensureStream({ name }, { ...DEFINITION, deriveOp, deriveFrom: [...deriveFrom] });
  const rate = await derive('rate', 'derivative', [source]);
  const change = await derive('change', 'derivative', [rate]);
  const total = await derive('total', 'sum', [source, rate]);
  await datastream.appendColumns(source, {
    timestamps: Float64Array.from({ length: ROW_COUNT }, (_, second) => at(second)),
    values: Float64Array.from({ length: ROW_COUNT }, (_, second) => (second * 7919) % 1000),
  });
  await datastream.downsampleStreams();
  return { backend, datastream, source, rate, change, total };
}

describe('a correction', () => {
  test('reads what it reaches, not what the stream has', async () => {
    const { backend, datastream, source, rate, change, total } = await upToDate();
    backend.rowCounts.clear();
    await datastream.upsert(source, 5, at(100_000));
    expect(backend.rowCountTotal).toBe(0);
    await datastream.downsampleStreams();
    // The bucket of the change, and of each level the buckets that make one of the next.
    expect(backend.rowCount(source, 'seconds')).toBeLessThanOrEqual(10 + 4 * 3);
    for (const stream of [rate, change, total]) {
      expect(backend.rowCount(stream, 'seconds')).toBeLessThanOrEqual(20 + 4 * 2);
      expect(backend.rowCount(stream, '10seconds')).toBeLessThanOrEqual(6);
    }
    for (const [name, rowCount] of [
      ['10seconds', 6],
      ['minutes', 10],
      ['10minutes', 6],
      ['hours', 6],
      ['6hours', 4],
    ] as const) {
      expect(backend.rowCount(source, name)).toBeLessThanOrEqual(rowCount);
    }
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
  });

  test('of a range reads that range', async () => {
    const { backend, datastream, source, rate, total } = await upToDate();
    backend.rowCounts.clear();
    await datastream.deleteData(source, { start: at(50_000), endExclusive: at(50_600) });
    await datastream.downsampleStreams();
    for (const stream of [source, rate, total]) {
      expect(backend.rowCount(stream, 'seconds')).toBeLessThanOrEqual(40);
    }
    expect(backend.rowCountTotal).toBeLessThan(400);
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
  });

  test('that finds nothing to change asks for no maintenance', async () => {
    const { datastream, source } = await upToDate();
    await datastream.deleteData(source, { start: at(-500), endExclusive: at(-400) });
    expect(await datastream.downsampleStreams({ returnDatapoints: true })).toEqual([]);
  });
});
