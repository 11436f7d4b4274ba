import { expect, test } from '@jest/globals';
import { Datastream } from '../../../src/api/datastream.ts';
import type { EmbeddedBackend } from '../../../src/backends/embedded/embedded-backend.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import { ALL_TIME } from '../../../src/model/time-range.ts';
import { opened, withFolder } from './fixtures.ts';

const START_MS = Date.UTC(2020, 0, 1);
const ROW_COUNT = 50_000;
/** Of a block of the default size, and then some. */
const BLOCK_ROW_COUNT_MAX = 5000;

/** Counts the rows of the pages that are read. */
function counted(backend: EmbeddedBackend): () => number {
  const { readPage } = backend;
  let rowCount = 0;
  backend.readPage = async (request) => {
    const page = await readPage.call(backend, request);
    rowCount += page.block.timestamps.length;
    return page;
  };
  return () => rowCount;
}

test.each(['journal', 'blocks'] as const)(
  'what lies before a position is passed over block by block: rows in the %s',
  (place) =>
    withFolder(async (path) => {
      const backend = await opened(path, { journalSizeMaxBytes: 2 ** 24 });
      const stream = new Datastream(backend);
      const definition = { valueDownsamplers: [], highestGranularity: Granularity.Seconds };
      const streamId = await stream.ensureStream({}, definition);
      const values = Float64Array.from({ length: ROW_COUNT }, (_, row) => (row * 31) % 977);
      const timestamps = values.map((_, row) => START_MS + row * 1000);
      await stream.appendColumns(streamId, { timestamps, values });
      if (place === 'blocks') await stream.checkpoint();
      for (const isReverse of [false, true]) {
        const rowCountMax = 40_000;
        const { rowCount } = await backend.skipRows({
          streamId,
          granularity: Granularity.Seconds,
          range: ALL_TIME,
          rowCountMax,
          isReverse,
        });
        expect(rowCount).toBeLessThanOrEqual(rowCountMax);
        expect(rowCount).toBeGreaterThan(rowCountMax - BLOCK_ROW_COUNT_MAX);
      }
      const rowCountOfPages = counted(backend);
      const data = stream.getData(streamId, Granularity.Seconds, { start: START_MS });
      expect(await data.count()).toBe(ROW_COUNT);
      expect((await data.at(31_234))?.v).toBe(values[31_234]);
      expect((await data.slice(44_000, 44_002).columns()).values).toEqual(
        values.slice(44_000, 44_002),
      );
      expect(rowCountOfPages()).toBeLessThan(3 * BLOCK_ROW_COUNT_MAX);
      await stream.close();
    }),
);
