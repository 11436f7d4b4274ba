// A column of this engine for a folder of peer scripts that share a `lib.mjs`: copy this file there as
// `datastream.mjs`, and run it with DATASTREAM_DIST naming the built package's `index.js`. It does the same
// work as `peers/datastream.mjs`, with that library's data, clock and checks: each part once on a throw-away store
// with other data, then measured. The peak of memory is that of W2 in a process that does nothing else.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const libraryUrl = new URL('./lib.mjs', import.meta.url).href;
const { Run, SEED, close, data, du, fresh, gen, latency, memMB } = await import(libraryUrl);
const dist = process.env.DATASTREAM_DIST;
if (dist === undefined) throw new Error('DATASTREAM_DIST names the index.js of the built package.');
const { Datastream, Granularity, openBackend } = await import(pathToFileURL(resolve(dist)).href);

const AGGREGATES = ['mean', 'min', 'max', 'sum', 'count'];
const LETTERS = { mean: 'm', min: 'l', max: 'u', sum: 's', count: 'c' };
const FIVE = { valueDownsamplers: AGGREGATES, timeDownsamplers: [] };
const START_MS = gen.T0 * 1000;
const STEP_MS = gen.STEP * 1000;
const DAY_MS = 86_400_000;
const W1_BATCH_ROW_COUNT = 10_000;
const HOUR_POINT_COUNT = 360;

/** Added to the seed: a rehearsal has other data of the same kind. */
const REHEARSAL_SEED_OFFSET = 1_000_000;
const MEMORY_ONLY = '--memory-only';

if (process.argv.includes(MEMORY_ONLY)) await printPeakOfW2();
else await measureAll();

async function measureAll() {
  const { w1, w2 } = data();
  const run = new Run('datastream', {
    version: process.env.npm_package_version ?? '',
    settings:
      'embedded store in process; every awaited call is a flushed commit; each part is measured after the same work ' +
      'on a throw-away store with other data, the peak of memory in a process of W2 alone',
  });
  const otherW1 = gen.w1(SEED + REHEARSAL_SEED_OFFSET);
  const otherW2 = gen.w2(SEED + REHEARSAL_SEED_OFFSET);
  await measureW1(rehearsal(), otherW1);
  await measureW1(run, w1);
  await measureW2(rehearsal(), otherW2);
  await measureW2(run, w2);
  await measureLive(rehearsal(), otherW2);
  await measureLive(run, w2);
  const script = fileURLToPath(import.meta.url);
  const child = spawnSync(process.execPath, [script, MEMORY_ONLY], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  run.set('w2_mem_peak_mb', Number(child.stdout));
  run.save();
}

async function printPeakOfW2() {
  await measureW2(rehearsal(), data().w2);
  process.stdout.write(String(memMB(process.pid).peak));
}

/** Takes figures and checks as a run does, and forgets them. */
function rehearsal() {
  return {
    phase: async (_name, work) => {
      await work();
      return { s: 1 };
    },
    set: () => {},
    check: () => {},
  };
}

async function measureW1(run, w1) {
  const folder = fresh('datastream1');
  let datastream = await open(folder);
  const streamId = await ensure(datastream, { name: 'w1' });
  const batches = batchesOf(w1);
  const ingest = await run.phase('w1_ingest', () => appendBatches(datastream, streamId, batches));
  run.set('w1_ingest_pps', w1.length / ingest.s);
  datastream = await reopen(run, datastream, {
    folder,
    figure: 'w1_bpp_raw',
    pointCount: w1.length,
  });
  const endMs = START_MS + w1.length * STEP_MS;
  await endBuckets(datastream, [streamId], endMs);
  const rollup = await run.phase('w1_rollup', () => datastream.downsampleStreams());
  run.set('w1_rollup_s', rollup.s);
  datastream = await reopen(run, datastream, {
    folder,
    figure: 'w1_bpp_all',
    pointCount: w1.length,
  });
  const days = await buckets(datastream, streamId, { level: 'days', endMs });
  run.check('w1_1d', areBuckets(days, gen.rollup(w1, 86_400)));
  const range = { start: START_MS, endExclusive: endMs, ...FIVE };
  const hours = () => datastream.getData(streamId, Granularity.Hours, range);
  const readColumns = async () => expectRows(await hours().columns(), 2160);
  run.set('read_90d_1h_ms', await latency(50, readColumns));
  run.set('read_90d_1h_objects_ms', await latency(50, () => hours().toArray()));
  await datastream.close();
}

async function measureW2(run, w2) {
  const folder = fresh('datastream2');
  let datastream = await open(folder);
  const ids = await ensureAll(datastream);
  const ingest = await run.phase('w2_ingest', () => appendTicks(datastream, ids, w2));
  run.set('w2_ingest_pps', w2.length / ingest.s);
  datastream = await reopen(run, datastream, {
    folder,
    figure: 'w2_bpp_raw',
    pointCount: w2.length,
  });
  const endMs = START_MS + gen.W2_TICKS * STEP_MS;
  await endBuckets(datastream, ids, endMs);
  const rollup = await run.phase('w2_rollup', () => datastream.downsampleStreams());
  run.set('w2_rollup_s', rollup.s);
  datastream = await reopen(run, datastream, {
    folder,
    figure: 'w2_bpp_all',
    pointCount: w2.length,
  });
  const expected = gen.rollup(gen.streamOf(w2, 7), 600);
  const found = await buckets(datastream, ids[7], { level: '10minutes', endMs });
  run.check('w2_10m', areBuckets(found, expected));
  await deriveAll(run, datastream, { ids, w2, endMs });
  const lastHour = { start: endMs - HOUR_POINT_COUNT * STEP_MS, endExclusive: endMs };
  const readHour = async (i) => {
    const id = ids[(i * 37) % ids.length];
    const read = datastream.getData(id, Granularity.Seconds10, lastHour);
    expectRows(await read.columns(), HOUR_POINT_COUNT);
  };
  run.set('read_1h_raw_ms', await latency(200, readHour));
  const range = { start: START_MS, endExclusive: endMs, ...FIVE };
  const readWide = async () => {
    const reads = gen.GAUGES100.map((s) =>
      datastream.getData(ids[s], Granularity.Minutes, range).columns(),
    );
    for (const columns of await Promise.all(reads)) expectRows(columns, 360);
  };
  run.set('read_100x1m_ms', await latency(20, readWide));
  await datastream.close();
}

/** W2 with levels that follow each tick, where the version can. */
async function measureLive(run, w2) {
  const folder = fresh('datastream3');
  const datastream = await open(folder, { liveDownsampling: true }).catch(() => null);
  if (datastream === null) return;
  const ids = await ensureAll(datastream);
  const endMs = START_MS + gen.W2_TICKS * STEP_MS;
  const live = await run.phase('w2_live', async () => {
    await appendTicks(datastream, ids, w2);
    await endBuckets(datastream, ids, endMs);
  });
  run.set('w2_live_pps', w2.length / live.s);
  const expected = gen.rollup(gen.streamOf(w2, 7), 600);
  const found = await buckets(datastream, ids[7], { level: '10minutes', endMs });
  run.check('w2_live', areBuckets(found, expected));
  await datastream.close();
}

async function deriveAll(run, datastream, { ids, w2, endMs }) {
  const resetId = await ensure(
    datastream,
    { name: 'resets' },
    { valueType: 'nominal', valueDownsamplers: [] },
  );
  const rateIds = [];
  for (const s of gen.COUNTERS) {
    const deriveFrom = [{ name: 'reset', stream: resetId }, ids[s]];
    const derivation = { valueDownsamplers: [], deriveFrom, deriveOp: 'counter_derivative' };
    rateIds.push(await ensure(datastream, { rateOf: s }, derivation));
  }
  const deriv = await run.phase('deriv', () => datastream.backprocessStreams());
  run.set('deriv_s', deriv.s);
  const range = { start: START_MS, endExclusive: endMs };
  let count = 0;
  for (const id of rateIds) {
    count += await datastream.getData(id, Granularity.Seconds10, range).count();
  }
  run.set('deriv_points', count);
  run.check('deriv_count', count === gen.derivCount(w2), String(count));
  const deriveFrom = gen.GAUGES100.map((s) => ids[s]);
  const sumId = await ensure(
    datastream,
    { sumOf: 'gauges' },
    { valueDownsamplers: [], deriveFrom, deriveOp: 'sum' },
  );
  const sum = await run.phase('sum100', () => datastream.backprocessStreams());
  run.set('sum100_s', sum.s);
  const { values } = await datastream.getData(sumId, Granularity.Seconds10, range).columns();
  const expected = gen.GAUGES100.reduce((total, s) => total + w2[100 * gen.W2_STREAMS + s], 0);
  run.check('sum100', values.length === gen.W2_TICKS && close(values[100], expected));
}

async function open(folder, options = {}) {
  const backend = await openBackend(`embedded:${folder}/store`);
  try {
    return new Datastream(backend, { onWarning: () => {}, ...options });
  } catch (error) {
    await backend.close();
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    throw error;
  }
}

/** Closes the store in its smallest form, notes its size, and opens it again. */
async function reopen(run, datastream, { folder, figure, pointCount }) {
  await datastream.checkpoint?.();
  await datastream.close();
  run.set(figure, du(folder).size / pointCount);
  return open(folder);
}

function ensure(datastream, tags, definition = {}) {
  return datastream.ensureStream(tags, {
    valueDownsamplers: AGGREGATES,
    highestGranularity: Granularity.Seconds10,
    ...definition,
  });
}

async function ensureAll(datastream) {
  const ids = [];
  for (let s = 0; s < gen.W2_STREAMS; s++) {
    ids.push(await ensure(datastream, { name: gen.streamName(s), kind: gen.kindOf(s) }));
  }
  return ids;
}

/** Made before the clock starts, as the batches of every peer are. */
function batchesOf(w1) {
  const timestamps = Float64Array.from(w1, (_, i) => START_MS + i * STEP_MS);
  const batches = [];
  for (let from = 0; from < w1.length; from += W1_BATCH_ROW_COUNT) {
    const to = from + W1_BATCH_ROW_COUNT;
    batches.push({ timestamps: timestamps.subarray(from, to), values: w1.subarray(from, to) });
  }
  return batches;
}

async function appendBatches(datastream, streamId, batches) {
  for (const batch of batches) await datastream.appendColumns(streamId, batch);
}

async function appendTicks(datastream, ids, w2) {
  for (let tick = 0; tick < gen.W2_TICKS; tick++) {
    const values = w2.subarray(tick * ids.length, (tick + 1) * ids.length);
    await datastream.appendTick(START_MS + tick * STEP_MS, ids, values);
  }
}

/** A bucket ends when a datapoint comes after it: each stream gets one, days later, that is not read. */
async function endBuckets(datastream, ids, endMs) {
  const laterMs = (Math.ceil(endMs / DAY_MS) + 1) * DAY_MS;
  await datastream.appendTick(laterMs, ids, new Float64Array(ids.length));
}

async function buckets(datastream, streamId, { level, endMs }) {
  const range = { start: START_MS, endExclusive: endMs, ...FIVE };
  const { timestamps, v } = await datastream.getData(streamId, level, range).columns();
  return Array.from(timestamps, (_, row) =>
    Object.fromEntries(AGGREGATES.map((name) => [name, v[LETTERS[name]][row]])),
  );
}

function areBuckets(found, expected) {
  return (
    found.length === expected.length &&
    found.every((bucket, i) => AGGREGATES.every((name) => close(bucket[name], expected[i][name])))
  );
}

function expectRows({ timestamps }, rowCount) {
  if (timestamps.length !== rowCount) throw new Error(`${timestamps.length} rows`);
}
