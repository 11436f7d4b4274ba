// Ingests two million points, then late and corrected ones all over them. Argument: URL of the store.
// Prints the peak of resident memory, and whether every level is right.
import { Datastream, openBackend } from '../../dist/index.js';

const [url] = process.argv.slice(2);
const POINT_COUNT = 2_000_000;
const CHUNK_SIZE = 10_000;
const LATE_COUNT = 40_000;
const UPSERT_COUNT = 20_000;
const BASE_MS = Date.UTC(2000, 0, 1, 12);

const datastream = new Datastream(await openBackend(url));
const id = await datastream.ensureStream(
  { name: 'a' },
  { valueDownsamplers: ['mean', 'min', 'max'], highestGranularity: 'seconds' },
);
for (let from = 0; from < POINT_COUNT; from += CHUNK_SIZE) {
  const rows = Float64Array.from({ length: CHUNK_SIZE }, (_, row) => from + row);
  await datastream.appendColumns(id, columnsOf(rows, 0));
}
await datastream.downsampleStreams();
for (let from = 0; from < LATE_COUNT; from += CHUNK_SIZE) {
  const rows = Float64Array.from({ length: CHUNK_SIZE }, (_, row) => placeOf(from + row));
  await datastream.appendColumns(id, columnsOf(rows, 500), { checkTimestamp: false });
}
await datastream.upsertMultiple(
  Array.from({ length: UPSERT_COUNT }, (_, i) => ({
    streamId: id,
    value: -1,
    timestamp: BASE_MS + placeOf(LATE_COUNT + i) * 1000,
  })),
);
await datastream.downsampleStreams();
const range = { start: BASE_MS, timeDownsamplers: [] };
const { v } = await datastream.getData(id, 'minutes', range).columns();
const { differenceCount, staleRangeCount } = await datastream.verify();
await datastream.close();
// maxRSS is in KiB.
const peakMb = (process.resourceUsage().maxRSS * 1024) / 1e6;
const count = v.c.reduce((sum, cell) => sum + cell, 0);
process.stdout.write(JSON.stringify({ count, differenceCount, staleRangeCount, peakMb }));

/** Rows all over the stream, each another one. */
function placeOf(i) {
  return (i * 1_234_577) % POINT_COUNT;
}

function columnsOf(rows, offsetMs) {
  return {
    timestamps: rows.map((row) => BASE_MS + row * 1000 + offsetMs),
    values: rows.map((row) => (row % 1000) / 4),
  };
}
