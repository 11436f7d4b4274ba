import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { CountingBackend } from './counting-backend.ts';
import { at } from './support.ts';

const { Seconds } = Granularity;
const DEFINITION = { valueDownsamplers: [], highestGranularity: Seconds };
const UP_TO_DATE = { differenceCount: 0, staleRangeCount: 0 };

interface Derivation {
  readonly deriveOp: string;
  readonly deriveArgs?: Readonly<Record<string, unknown>>;
}

/** A stream of so many seconds, and one that derives from it, both up to date. */
async function upToDate(rowCount: number, derivation: Derivation, highAccuracy = false) {
  const backend = new CountingBackend();
  await backend.open();
  const datastream = new Datastream(backend);
  const source = await datastream.ensureStream({ name: 'source' }, DEFINITION);
  const derived = await datastream.ensureStream(
    { name: 'derived' },
    {
      ...DEFINITION,
      ...derivation,
      deriveFrom: source,
      ...(highAccuracy ? { valueTypeOptions: { highAccuracy } } : {}),
    },
  );
  await appendSeconds(datastream, source, { from: 0, to: rowCount });
  await datastream.downsampleStreams();
  backend.rowCounts.clear();
  return { backend, datastream, source, derived };
}

async function appendSeconds(
  datastream: Datastream,
  streamId: StreamId,
  { from, to }: { from: number; to: number },
): Promise<void> {
  await datastream.appendColumns(streamId, {
    timestamps: Float64Array.from({ length: to - from }, (_, row) => at(from + row)),
    values: Float64Array.from({ length: to - from }, (_, row) => ((from + row) * 7919) % 1000),
  });
}

describe('a correction reads what the operator reaches', () => {
  const ROW_COUNT = 50_000;

  test('of a window, the inputs of that window and of the one before', async () => {
    const { backend, datastream, source, derived } = await upToDate(ROW_COUNT, {
      deriveOp: 'moving_average',
      deriveArgs: { window: 300 },
    });
    await datastream.upsert(source, 5, at(20_000));
    await datastream.deleteData(source, { start: at(40_000), endExclusive: at(40_100) });
    await datastream.downsampleStreams();
    // One input before each window says where that one begins.
    expect(backend.rowCount(source, 'seconds')).toBeLessThanOrEqual(2 * 2 * 300 + 2 * 2);
    expect(backend.rowCount(derived, 'seconds')).toBe(0);
    expect(await datastream.verify()).toMatchObject(UP_TO_DATE);
  });

  test('of a shift, the inputs that have changed', async () => {
    const { backend, datastream, source, derived } = await upToDate(ROW_COUNT, {
      deriveOp: 'time_shift',
      deriveArgs: { offset: 86_400 },
    });
    await datastream.upsert(source, 5, at(20_000));
    await datastream.deleteData(source, { start: at(40_000), endExclusive: at(40_100) });
    await datastream.downsampleStreams();
    expect(backend.rowCount(source, 'seconds')).toBe(1);
    expect(backend.rowCount(derived, 'seconds')).toBe(0);
    expect(await datastream.verify()).toMatchObject(UP_TO_DATE);
  });

  for (const derivation of [
    { deriveOp: 'integral' },
    { deriveOp: 'exponential_smoothing', deriveArgs: { alpha: 0.5 } },
  ]) {
    test(`of the running ${derivation.deriveOp}, what follows and one datapoint before`, async () => {
      const { backend, datastream, source, derived } = await upToDate(ROW_COUNT, derivation);
      await datastream.upsert(source, 5, at(ROW_COUNT - 1000));
      await datastream.downsampleStreams();
      const readCount = backend.rowCount(source, 'seconds');
      expect(readCount).toBeGreaterThanOrEqual(1000);
      expect(readCount).toBeLessThanOrEqual(1000 + 8);
      expect(backend.rowCount(derived, 'seconds')).toBeLessThanOrEqual(4);
      expect(await datastream.verify()).toMatchObject(UP_TO_DATE);
    });
  }

  test('after a restart, an append reads the end of the streams', async () => {
    for (const [derivation, inputCountMax, outputCountMax] of [
      [{ deriveOp: 'integral' }, 8, 4],
      [{ deriveOp: 'exponential_smoothing', deriveArgs: { time_constant: 60 } }, 8, 4],
      [{ deriveOp: 'moving_average', deriveArgs: { window: 300 } }, 310, 0],
      [{ deriveOp: 'time_shift', deriveArgs: { offset: -60 } }, 4, 0],
    ] as const) {
      const { backend, source, derived } = await upToDate(10_000, derivation);
      const restarted = new Datastream(backend);
      await restarted.append(source, 5, at(10_000));
      expect(backend.rowCount(source, 'seconds')).toBeLessThanOrEqual(inputCountMax);
      expect(backend.rowCount(derived, 'seconds')).toBeLessThanOrEqual(outputCountMax);
      expect(await restarted.verify()).toMatchObject(UP_TO_DATE);
    }
  });
});

describe('more than one commit holds', () => {
  for (const { rowCount, ...derivation } of [
    { rowCount: 520_000, deriveOp: 'integral', deriveArgs: { unit: 3600 } },
    { rowCount: 520_000, deriveOp: 'time_shift', deriveArgs: { offset: 3600 } },
    // A window with more inputs than a commit.
    { rowCount: 1_060_000, deriveOp: 'moving_average', deriveArgs: { window: 510_000 } },
  ]) {
    const { deriveOp, deriveArgs } = derivation;
    test(`${deriveOp} with ${JSON.stringify(deriveArgs)}, corrected and computed anew`, async () => {
      const backend = new CountingBackend();
      await backend.open();
      const datastream = new Datastream(backend);
      const source = await datastream.ensureStream({ name: 'source' }, DEFINITION);
      await appendSeconds(datastream, source, { from: 0, to: rowCount });
      const derived = await datastream.ensureStream(
        { name: 'derived' },
        { ...DEFINITION, ...derivation, deriveFrom: source },
      );
      await datastream.backprocessStreams();
      expect(await datastream.getData(derived, Seconds, { start: at(-1) }).count()).toBe(rowCount);
      await datastream.deleteData(source, { start: at(2000), endExclusive: at(2005) });
      await datastream.upsert(source, null, at(rowCount / 2));
      await datastream.downsampleStreams();
      expect(await datastream.verify()).toMatchObject(UP_TO_DATE);
      expect(await datastream.getData(derived, Seconds, { start: at(-1) }).count()).toBe(
        rowCount - 5,
      );
    });
  }
});

test('decimals keep their digits from one commit to the next', async () => {
  for (const derivation of [
    { deriveOp: 'integral', deriveArgs: { unit: 7 } },
    { deriveOp: 'moving_average', deriveArgs: { window: 7 } },
  ]) {
    const { backend, datastream, source, derived } = await upToDate(100, derivation, true);
    await datastream.upsert(source, 5, at(50));
    await datastream.downsampleStreams();
    const restarted = new Datastream(backend);
    await restarted.append(source, 1, at(100));
    expect(await restarted.verify()).toMatchObject(UP_TO_DATE);
    const last = await restarted.getData(derived, Seconds, { start: at(100) }).at(0);
    expect(String(last?.v).length).toBeGreaterThan(50);
  }
});
