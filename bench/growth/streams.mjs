// Many streams that all get a point at each tick.
import { folderSizeBytes, peakRssMb } from '../peers/process-usage.mjs';
import { gauge } from '../random.mjs';
import { ensureMany, openStore, readRaw, START_MS, STEP_MS } from './growing-store.mjs';
import { medianMs, secondsOf } from './stopwatch.mjs';

const POINT_COUNT = 6_000_000;
const POINT_COUNT_OF_FEW_STREAMS = 60_000;

export async function measureStreams({ folder, size: streamCount }) {
  const pointCount = streamCount < 1000 ? POINT_COUNT_OF_FEW_STREAMS : POINT_COUNT;
  const tickCount = pointCount / streamCount;
  const hourPointCount = Math.min(360, tickCount);
  let datastream = await openStore(folder);
  let ids = [];
  const createSeconds = await secondsOf(async () => {
    ids = await ensureMany(datastream, streamCount, tagsOf);
  });
  // Stream s at tick t has the value at s + t: all differ, and each stream wanders.
  const values = gauge(1, streamCount + tickCount + 1);
  const append = (tick) =>
    datastream.appendTick(
      START_MS + tick * STEP_MS,
      ids,
      values.subarray(tick, tick + streamCount),
    );
  const ingestSeconds = await secondsOf(async () => {
    for (let tick = 0; tick < tickCount; tick++) await append(tick);
  });
  const rssIngestMb = peakRssMb(process.pid);
  const checkpointSeconds = await secondsOf(() => datastream.checkpoint());
  const closeSeconds = await secondsOf(() => datastream.close());
  const bytesPerPoint = folderSizeBytes(folder) / pointCount;
  const startMs = START_MS + (tickCount - hourPointCount) * STEP_MS;
  const read = async (i) => {
    const index = (i * 7919) % streamCount;
    const range = { startMs, pointCount: hourPointCount };
    const [first] = await readRaw(datastream, ids[index], range);
    if (first !== values[tickCount - hourPointCount + index]) throw new Error('a point is wrong');
  };
  const reopenSeconds = await secondsOf(async () => {
    datastream = await openStore(folder);
    await read(0);
  });
  const firstTickSeconds = await secondsOf(() => append(tickCount));
  const readMs = await medianMs(100, read);
  const rollupSeconds = await secondsOf(() => datastream.downsampleStreams());
  await datastream.close();
  return {
    createRate: streamCount / createSeconds,
    ingestRate: pointCount / ingestSeconds,
    rssIngestMb,
    checkpointSeconds,
    closeSeconds,
    reopenSeconds,
    firstTickSeconds,
    readMs,
    rollupRate: pointCount / rollupSeconds,
    bytesPerPoint,
  };
}

function tagsOf(index) {
  return { node: `n${Math.floor(index / 20)}`, sensor: index % 20, site: `s${index % 7}` };
}
