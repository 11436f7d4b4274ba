// One stream that gets ever longer.
import { Granularity } from '../../dist/index.js';
import { folderSizeBytes } from '../peers/process-usage.mjs';
import { gauge } from '../random.mjs';
import { ensure, openStore, readRaw, START_MS, STEP_MS } from './growing-store.mjs';
import { medianMs, secondsOf } from './stopwatch.mjs';

const BATCH_ROW_COUNT = 10_000;
/** Values repeat after so many, a number of batches that no level divides. */
const PERIOD_ROW_COUNT = 970_000;
const HOUR_POINT_COUNT = 360;
const DAY_POINT_COUNT = 8640;

export async function measurePoints({ folder, size: pointCount }) {
  let datastream = await openStore(folder);
  const streamId = await ensure(datastream, { growth: 'points' });
  const values = gauge(1, PERIOD_ROW_COUNT);
  const tenthSeconds = [];
  for (let tenth = 0; tenth < 10; tenth++) {
    tenthSeconds.push(await appendTenth(datastream, { streamId, values, pointCount, tenth }));
  }
  const rollupSeconds = await secondsOf(() => datastream.downsampleStreams());
  await datastream.checkpoint();
  await datastream.close();
  const bytesPerPoint = folderSizeBytes(folder) / pointCount;
  const readHour = async (i) => {
    const row = rowOf(i, pointCount - HOUR_POINT_COUNT);
    const range = { startMs: START_MS + row * STEP_MS, pointCount: HOUR_POINT_COUNT };
    const [first] = await readRaw(datastream, streamId, range);
    if (first !== values[row % PERIOD_ROW_COUNT]) throw new Error('a point is wrong');
  };
  const reopenSeconds = await secondsOf(async () => {
    datastream = await openStore(folder);
    await readHour(0);
  });
  const readRawMs = await medianMs(100, readHour);
  const readLevelMs = await medianMs(100, (i) =>
    readDay(datastream, streamId, rowOf(i, pointCount - 2 * DAY_POINT_COUNT)),
  );
  const scanSeconds = await secondsOf(() => scan(datastream, streamId, pointCount));
  await datastream.close();
  return {
    ingestRate: pointCount / tenthSeconds.reduce((sum, seconds) => sum + seconds, 0),
    lastTenthRate: pointCount / 10 / tenthSeconds.at(-1),
    rollupRate: pointCount / rollupSeconds,
    readRawMs,
    readLevelMs,
    scanRate: pointCount / scanSeconds,
    reopenSeconds,
    bytesPerPoint,
  };
}

/** @returns the seconds that appends took, without the making of their columns */
async function appendTenth(datastream, { streamId, values, pointCount, tenth }) {
  let seconds = 0;
  const end = ((tenth + 1) * pointCount) / 10;
  for (let from = (tenth * pointCount) / 10; from < end; from += BATCH_ROW_COUNT) {
    const rowCount = Math.min(BATCH_ROW_COUNT, end - from);
    const timestamps = Float64Array.from(
      { length: rowCount },
      (_, i) => START_MS + (from + i) * STEP_MS,
    );
    const batch = Float64Array.from(
      { length: rowCount },
      (_, i) => values[(from + i) % PERIOD_ROW_COUNT],
    );
    seconds += await secondsOf(() =>
      datastream.appendColumns(streamId, { timestamps, values: batch }),
    );
  }
  return seconds;
}

/** Rows all over the stream. */
function rowOf(i, rowCount) {
  return Math.floor((((i * 0.618034) % 1) * rowCount) / HOUR_POINT_COUNT) * HOUR_POINT_COUNT;
}

async function readDay(datastream, streamId, row) {
  const start = START_MS + row * STEP_MS;
  const range = { start, endExclusive: start + DAY_POINT_COUNT * STEP_MS, timeDownsamplers: [] };
  const { v } = await datastream.getData(streamId, Granularity.Minutes, range).columns();
  if (v.c.length !== DAY_POINT_COUNT / 6 || v.c.some((count) => count !== 6)) {
    throw new Error('a bucket is wrong');
  }
}

async function scan(datastream, streamId, pointCount) {
  let count = 0;
  const range = { start: START_MS };
  for await (const { values } of datastream
    .getData(streamId, Granularity.Seconds10, range)
    .columnBlocks()) {
    count += values.length;
  }
  if (count !== pointCount) throw new Error('the scan lost points');
}
