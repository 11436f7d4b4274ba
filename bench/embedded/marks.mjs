// The speed marks of the embedded store. Every acknowledged append is durable: one fdatasync a commit.
import { createHash } from 'node:crypto';
import { Granularity } from '../../dist/index.js';
import { gauge, regular } from '../random.mjs';

const START_MS = Date.UTC(2025, 0, 1);
const DOWNSAMPLERS = ['mean', 'min', 'max'];

/** Runs all marks on one store; returns their figures and a hash of everything that was computed. */
export async function runMarks(datastream, { scale, log }) {
  const hash = createHash('sha256');
  const figures = [];
  const mark = async (name, { goal, unit, count }, work) => {
    const startedMs = performance.now();
    await work();
    const seconds = (performance.now() - startedMs) / 1000;
    figures.push({ name, unit, goal, rate: count / seconds });
    log(`${name}: ${(count / seconds / 1e6).toFixed(3)} M ${unit}`);
  };
  const pointCount = Math.round(10_000_000 * scale);
  const timestamps = regular(START_MS, 1000, pointCount);
  const values = gauge(1, pointCount);
  let streamId = '';
  for (const batchRowCount of [10_000, 100_000]) {
    streamId = await ensure(datastream, { bench: 'columns', batchRowCount });
    await mark(
      `appendColumns, batches of ${batchRowCount / 1000},000`,
      { goal: 8e6, unit: 'points/s', count: pointCount },
      () => appendInBatches(datastream, streamId, { timestamps, values, batchRowCount }),
    );
  }
  await markScan({ datastream, streamId, mark, hash, pointCount });
  await markDownsampling({ datastream, streamId, mark, hash, pointCount });
  await markTicks({ datastream, mark, scale });
  await markAppends({ datastream, mark, scale });
  await markLookups({ datastream, mark, scale });
  return { figures, hash: hash.digest('hex').slice(0, 16), values };
}

async function appendInBatches(datastream, streamId, { timestamps, values, batchRowCount }) {
  for (let from = 0; from < timestamps.length; from += batchRowCount) {
    await datastream.appendColumns(streamId, {
      timestamps: timestamps.subarray(from, from + batchRowCount),
      values: values.subarray(from, from + batchRowCount),
    });
  }
}

async function markScan({ datastream, streamId, mark, hash, pointCount }) {
  let columns;
  await mark(
    'scan of raw data by columns()',
    { goal: 20e6, unit: 'points/s', count: pointCount },
    async () => {
      columns = await datastream
        .getData(streamId, Granularity.Seconds, { start: START_MS })
        .columns();
    },
  );
  if (columns.timestamps.length !== pointCount) throw new Error('the scan lost datapoints');
  hash.update(bytesOf(columns.timestamps)).update(bytesOf(columns.values));
}

async function markDownsampling({ datastream, streamId, mark, hash, pointCount }) {
  await mark(
    'downsampling, all six levels',
    { goal: 10e6, unit: 'raw points/s', count: pointCount },
    () => datastream.downsampleStreams({ queryTags: { stream_id: streamId } }),
  );
  for (const level of Granularity.values.slice(1)) {
    const { timestamps, v } = await datastream
      .getData(streamId, level, { start: START_MS })
      .columns();
    hash.update(bytesOf(timestamps));
    for (const letter of ['m', 's', 'l', 'u', 'c']) hash.update(bytesOf(v[letter]));
  }
}

async function markTicks({ datastream, mark, scale }) {
  const ids = [];
  for (let i = 0; i < 1000; i++) ids.push(await ensure(datastream, { bench: 'tick', index: i }));
  const tickCount = Math.max(5, Math.round(1000 * scale));
  const values = gauge(2, 1000 + tickCount);
  // Streams are looked up and their records read once: that is not what the mark is about.
  await datastream.appendTick(START_MS - 1000, ids, values.subarray(0, 1000));
  await mark(
    'appendTick of 1,000 streams, durable tick by tick',
    { goal: 1e6, unit: 'points/s', count: tickCount * 1000 },
    async () => {
      for (let tick = 0; tick < tickCount; tick++) {
        await datastream.appendTick(
          START_MS + tick * 1000,
          ids,
          values.subarray(tick, tick + 1000),
        );
      }
    },
  );
}

async function markAppends({ datastream, mark, scale }) {
  const ids = [];
  for (let i = 0; i < 100; i++) ids.push(await ensure(datastream, { bench: 'append', index: i }));
  const appendCount = Math.max(1000, Math.round(200_000 * scale));
  await mark(
    'append, 1,000 awaited at once',
    { goal: 150e3, unit: 'points/s', count: appendCount },
    async () => {
      for (let from = 0; from < appendCount; from += 1000) {
        const appends = [];
        for (let i = from; i < from + 1000; i++) {
          appends.push(
            datastream.append(ids[i % 100], i % 977, START_MS + Math.floor(i / 100) * 1000),
          );
        }
        await Promise.all(appends);
      }
    },
  );
}

async function markLookups({ datastream, mark, scale }) {
  const streamCount = Math.max(1000, Math.round(100_000 * scale));
  const tagsOf = (index) => ({
    bench: 'lookup',
    node: `n${index % 997}`,
    index,
    metric: index % 2 ? 'rx' : 'tx',
  });
  for (let from = 0; from < streamCount; from += 1000) {
    const created = Array.from({ length: 1000 }, (_, i) => ensure(datastream, tagsOf(from + i)));
    await Promise.all(created);
  }
  const lookupCount = Math.max(100, Math.round(5000 * scale));
  await mark(
    `ensureStream by query tags, one of ${streamCount.toLocaleString('en')}`,
    { goal: 3000, unit: 'calls/s', count: lookupCount },
    async () => {
      for (let i = 0; i < lookupCount; i++)
        await ensure(datastream, tagsOf((i * 7919) % streamCount));
    },
  );
}

function ensure(datastream, tags) {
  return datastream.ensureStream(tags, {
    valueDownsamplers: DOWNSAMPLERS,
    highestGranularity: Granularity.Seconds,
  });
}

function bytesOf(floats) {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}
