// Lower levels: written, or computed by the server, and read.
import { Datastream, Granularity, openBackend } from '../../dist/index.js';
import { gauge, regular, uniform } from '../random.mjs';
import { OURS, rateMark, simpleMark } from './mark.mjs';
import { alternate, quantile } from './rounds.mjs';
import { appendRows, ensure, ensureMany, START_MS, sliceRows } from './series.mjs';

const DAY_MS = 86_400_000;
/** The numbers of the bare driver's streams are in the same tables as those of the appends. */
const FIRST_BARE_STREAM = 101;

/** All six levels of raw datapoints; where the server computes them, all of them are read instead. */
export async function markDownsampling({ datastream, bare, size, log, results }) {
  const { downsampleRoundCount: roundCount, downsamplePointCount: rowCount } = size;
  const timestamps = regular(START_MS, 1000, rowCount);
  const values = gauge(3, rowCount);
  const levels = Granularity.values.slice(1);
  const isStored = datastream.supports.levels === 'stored';
  const ids = [];
  for (let round = 0; round < roundCount; round++) {
    const streamId = await ensure(datastream, { bench: 'downsampling', round });
    const streams = new Int32Array(rowCount).fill(FIRST_BARE_STREAM + round);
    ids.push(streamId);
    for (let from = 0; from < rowCount; from += 100_000) {
      const rows = sliceRows({ streams, timestamps, values }, from, from + 100_000);
      await appendRows(datastream, streamId, rows);
      await bare?.downsampling?.prepare(rows);
    }
  }
  const ours = (round) =>
    isStored
      ? datastream.downsampleStreams({ queryTags: { stream_id: ids[round] } })
      : readLevels(datastream, { streamId: ids[round], levels, rowCount });
  const rivals = bare?.downsampling
    ? [
        {
          name: bare.downsampling.name,
          work: (round) => bare.downsampling.run(FIRST_BARE_STREAM + round, levels),
        },
      ]
    : [];
  const rates = await alternate([{ name: OURS, work: ours }, ...rivals], {
    roundCount,
    itemCount: rowCount,
  });
  const read = await readLevels(datastream, { streamId: ids[0], levels, rowCount });
  for (const columns of read) results.addBuckets(columns);
  const name = isStored
    ? `downsampling of ${rowCount.toLocaleString('en')} points, six levels written`
    : `six levels of ${rowCount.toLocaleString('en')} points read, computed by the server`;
  return rateMark(name, { rates, goalName: null, unit: 'raw points/s', log });
}

/** Every complete bucket of every level. */
async function readLevels(datastream, { streamId, levels, rowCount }) {
  const read = [];
  for (const level of levels) {
    const endExclusive = level.bucketStart(START_MS + (rowCount - 1) * 1000);
    if (endExclusive.getTime() === START_MS) continue;
    const range = { start: START_MS, endExclusive };
    read.push(await datastream.getData(streamId, level, range).columns());
  }
  return read;
}

/**
 * What a scheduled run costs: many streams with a minute of new datapoints each, six of them and one more
 * bucket, and the same streams with nothing new.
 */
export async function markScheduledRuns({ datastream, size, log }) {
  if (datastream.supports.levels !== 'stored') return [];
  const { maintainedStreamCount: streamCount, downsampleRoundCount: roundCount } = size;
  const ids = await ensureMany(
    datastream,
    { bench: 'scheduled' },
    { streamCount, highestGranularity: Granularity.Seconds10 },
  );
  const values = gauge(6, streamCount);
  let tick = 0;
  const appendTicks = async (tickCount) => {
    for (const end = tick + tickCount; tick < end; tick++) {
      await datastream.appendTick(START_MS + tick * 10_000, ids, values);
    }
  };
  const run = () => datastream.downsampleStreams({ queryTags: { bench: 'scheduled' } });
  await appendTicks(61);
  await run();
  const busySeconds = [];
  const idleSeconds = [];
  for (let round = 0; round < roundCount; round++) {
    await appendTicks(6);
    busySeconds.push(await secondsOf(run));
    idleSeconds.push(await secondsOf(run));
  }
  const mark = (what, seconds) =>
    simpleMark(
      `downsampling run over streams with ${what} new`,
      'streams/s',
      { [OURS]: streamCount / quantile(seconds, 0.5) },
      log,
    );
  return [mark('a minute', busySeconds), mark('nothing', idleSeconds)];
}

/** A long series at 10 seconds: loaded, downsampled, and read by windows at hours. */
export async function markYear({ bare, size, log, results }, { createUrl, sizeBytes }) {
  const url = await createUrl();
  const datastream = new Datastream(await openBackend(url));
  const rowCount = size.seriesDayCount * 8640 + 1;
  const what = `${size.seriesDayCount} days of 10-second data`;
  try {
    const streamId = await ensure(datastream, { bench: 'year' }, Granularity.Seconds10);
    const emptySizeBytes = await sizeBytes(url);
    const rows = { timestamps: regular(START_MS, 10_000, rowCount), values: gauge(4, rowCount) };
    const loadSeconds = await secondsOf(async () => {
      for (let from = 0; from < rowCount; from += size.batchRowCount) {
        await appendRows(datastream, streamId, sliceRows(rows, from, from + size.batchRowCount));
      }
    });
    await datastream.checkpoint();
    const rawSizeBytes = (await sizeBytes(url)) - emptySizeBytes;
    const downsampleSeconds = await secondsOf(() => datastream.downsampleStreams());
    const point = (seconds) => ({ [OURS]: rowCount / seconds });
    const marks = [
      simpleMark(`${what}: loaded`, 'points/s', point(loadSeconds), log),
      ...(datastream.supports.levels === 'stored'
        ? [simpleMark(`${what}: downsampled`, 'raw points/s', point(downsampleSeconds), log)]
        : []),
    ];
    marks.push(...(await markReads({ datastream, streamId, size, log, results })));
    await datastream.checkpoint();
    const bytesPerPoint = {
      [OURS]: ((await sizeBytes(url)) - emptySizeBytes) / rowCount,
      'without levels': rawSizeBytes / rowCount,
      ...(bare !== null && { 'a row, document or point each': await bare.rowSizeBytes() }),
    };
    marks.push(simpleMark(`${what}: on disk, with levels`, 'bytes/point', bytesPerPoint, log));
    return marks;
  } finally {
    await datastream.close();
  }
}

async function markReads({ datastream, streamId, size, log, results }) {
  const random = uniform(5);
  const hourCount = (size.seriesDayCount - size.windowDayCount) * 24;
  const durations = [];
  for (let i = 0; i < size.readCount; i++) {
    const startMs = START_MS + Math.floor(random() * hourCount) * 3_600_000;
    const range = { start: startMs, endExclusive: startMs + size.windowDayCount * DAY_MS };
    let columns;
    const seconds = await secondsOf(async () => {
      columns = await datastream.getData(streamId, Granularity.Hours, range).columns();
    });
    if (columns.timestamps.length !== size.windowDayCount * 24)
      throw new Error('hours are missing');
    durations.push(seconds * 1000);
    results.addBuckets(columns);
  }
  const name = `${size.windowDayCount} days at hours, of ${size.seriesDayCount} days of 10-second data`;
  const mark = (label, share) =>
    simpleMark(`${name}: ${label}`, 'ms', { [OURS]: quantile(durations, share) }, log);
  return [mark('median', 0.5), mark('p95', 0.95), mark('slowest', 1)];
}

async function secondsOf(work) {
  const startedMs = performance.now();
  await work();
  return (performance.now() - startedMs) / 1000;
}
