import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../../src/api/datastream.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import { BatchWriter } from '../../../src/server/ingest/batch-writer.ts';
import type { IngestBatch } from '../../../src/server/ingest/ingest-batch.ts';
import { ingestBody } from '../../../src/server/ingest/ingest-body.ts';
import { JsonParser } from '../../../src/server/ingest/json-parsers.ts';
import { SeriesMemory } from '../../../src/server/ingest/series-memory.ts';
import { DEFAULT_WRITE_OPTIONS } from '../../../src/server/ingest/write-options.ts';
import { NOW_MS, RECORD_SIZE_MAX_BYTES } from './support.ts';

const INSTANTS = Array.from({ length: 60 }, (_, row) => 1000 + row * 1000);

/** Writes rows of streams at the same instants; says how they were asked for, and what is there then. */
async function written(streamCount: number, levelsFollow: boolean) {
  const backend = await openBackend('memory:');
  const asked = { ticks: 0, columns: 0 };
  class Counting extends Datastream {
    override appendTick(...given: Parameters<Datastream['appendTick']>): Promise<void> {
      asked.ticks++;
      return super.appendTick(...given);
    }

    override appendColumns(...given: Parameters<Datastream['appendColumns']>): Promise<void> {
      asked.columns++;
      return super.appendColumns(...given);
    }
  }
  const datastream = new Counting(backend, {
    now: () => new Date(NOW_MS),
    liveDownsampling: levelsFollow && 'unless-bulk',
  });
  const entries = Array.from({ length: streamCount }, (_, n) => ({
    tags: { n },
    timestamps: INSTANTS,
    values: INSTANTS.map((ms) => n + ms),
  }));
  const outcome = await ingestBody(
    [Buffer.from(JSON.stringify(entries))],
    {
      writer: new BatchWriter(datastream, { nowMs: () => NOW_MS, levelsFollow }),
      newParser: (batch: IngestBatch) =>
        new JsonParser(batch, {
          nowMs: NOW_MS,
          booleans: 'nominal',
          epoch: 'milliseconds',
          recordSizeMaxBytes: RECORD_SIZE_MAX_BYTES,
          memory: new SeriesMemory(),
        }),
    },
    { ...DEFAULT_WRITE_OPTIONS, problemCountMax: 100 },
  );
  const streams = await datastream.findStreams().toArray();
  const rows = await Promise.all(
    streams.map(async ({ id, highestGranularity, tags }) => {
      const data = datastream.getData(id, highestGranularity, { start: 0 });
      return [tags['n'], Array.from((await data.columns()).values as Float64Array)];
    }),
  );
  await datastream.close();
  return { asked, outcome, rows };
}

describe('rows of streams at the same instants', () => {
  test.each([
    [24, true, { ticks: 60, columns: 0 }],
    [23, true, { ticks: 0, columns: 23 }],
    [24, false, { ticks: 0, columns: 24 }],
    [61, false, { ticks: 60, columns: 0 }],
  ])(
    'of %i streams, levels following: %p, are all stored, the way that is less work',
    async (streamCount, levelsFollow, ways) => {
      const { asked, outcome, rows } = await written(streamCount, levelsFollow);
      expect(asked).toEqual(ways);
      expect(outcome).toMatchObject({ accepted: streamCount * 60, duplicate: 0, dropped: 0 });
      expect(rows.toSorted(([a], [b]) => Number(a) - Number(b))).toEqual(
        Array.from({ length: streamCount }, (_, n) => [n, INSTANTS.map((ms) => n + ms)]),
      );
    },
  );
});
