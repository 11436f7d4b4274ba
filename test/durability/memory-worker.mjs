// Ingests ten million points, downsamples them and iterates them back. Argument: URL of the store.
// Prints counts and the peak of resident memory.
import { Datastream, openBackend } from '../../dist/index.js';

const [url] = process.argv.slice(2);
const POINT_COUNT = 10_000_000;
const CHUNK_SIZE = 10_000;
const BASE_MS = Date.UTC(2000, 0, 1, 12);

const datastream = new Datastream(await openBackend(url));
const id = await datastream.ensureStream(
  { name: 'a' },
  { valueDownsamplers: ['mean', 'min', 'max', 'std_dev'], highestGranularity: 'seconds' },
);
for (let from = 0; from < POINT_COUNT; from += CHUNK_SIZE) {
  const timestamps = new Float64Array(CHUNK_SIZE);
  const values = new Float64Array(CHUNK_SIZE);
  for (let row = 0; row < CHUNK_SIZE; row++) {
    timestamps[row] = BASE_MS + (from + row) * 1000;
    values[row] = ((from + row) % 1000) / 4;
  }
  await datastream.appendColumns(id, { timestamps, values });
}
await datastream.downsampleStreams();

const range = { start: BASE_MS };
let rawCount = 0;
let rawSum = 0;
for await (const { v } of datastream.getData(id, 'seconds', range)) {
  rawCount++;
  rawSum += v;
}
let bucketCount = 0;
let bucketSum = 0;
for await (const { v } of datastream.getData(id, '10seconds', range)) {
  bucketCount++;
  bucketSum += v.s;
}
await datastream.close();
// maxRSS is in KiB.
const peakMb = (process.resourceUsage().maxRSS * 1024) / 1e6;
process.stdout.write(JSON.stringify({ rawCount, rawSum, bucketCount, bucketSum, peakMb }));
