// Our engine on its embedded store: every awaited append is on the disk.
import { Granularity } from '../../dist/index.js';
import { batchesOf, Store } from './datastream-store.mjs';
import { areBuckets, bucketsOf, derivativeCount, isNearly, sumAt, valuesOf } from './reference.mjs';
import { rawReadIndex } from './run.mjs';
import { AGGREGATES, HOUR_POINT_COUNT, LEVELS } from './workload.mjs';

const LETTERS = { mean: 'm', min: 'l', max: 'u', sum: 's', count: 'c' };
const ABOUT = 'embedded store in process; each awaited call is a flushed commit';

export const parts = { w1, w1Live, w2, w2Live, w2LiveDerived };

async function w1(run) {
  run.about(ABOUT);
  const values = run.workload.w1();
  const store = new Store(run.makeFolder('w1'), { stepCount: values.length });
  await store.open();
  const streamId = await store.ensure({ name: 'w1' });
  const batches = batchesOf(values);
  const ingestSeconds = await run.ingest('w1', values.length, () =>
    store.appendBatches(streamId, batches),
  );
  run.figure('w1_bytes_raw', (await store.settle()) / values.length);
  await store.endBuckets([streamId]);
  const rollupSeconds = await run.seconds(() => store.datastream.downsampleStreams());
  run.figure('w1_rollup', rollupSeconds);
  run.figure('w1_levels_once', values.length / (ingestSeconds + rollupSeconds));
  run.figure('w1_bytes_levels', (await store.settle()) / values.length);
  await readLong(run, store, streamId);
  await checkLevels(run, store, { streamId, values, levelNames: ['hours', 'days'] });
  await store.close();
}

/** The same with levels that follow each append. */
async function w1Live(run) {
  const values = run.workload.w1();
  const store = new Store(run.makeFolder('w1-live'), { stepCount: values.length });
  if (!(await canOpenLive(run, store))) return;
  const streamId = await store.ensure({ name: 'w1' });
  const batches = batchesOf(values);
  const seconds = await run.seconds(async () => {
    await store.appendBatches(streamId, batches);
    await store.endBuckets([streamId]);
  });
  run.figure('w1_levels', values.length / seconds);
  await checkLevels(run, store, { streamId, values, levelNames: ['hours', 'days'] });
  await store.close();
}

async function w2(run) {
  run.about(ABOUT);
  const ticks = run.workload.w2();
  const store = newW2Store(run, 'w2');
  await store.open();
  const streamIds = await ensureAll(run, store);
  await run.ingest('w2', ticks.length, () => store.appendTicks(streamIds, { ticks }));
  run.figure('w2_bytes_raw', (await store.settle()) / ticks.length);
  await store.endBuckets(streamIds);
  run.figure('w2_rollup', await run.seconds(() => store.datastream.downsampleStreams()));
  run.figure('w2_bytes_levels', (await store.settle()) / ticks.length);
  await deriveAll(run, store, streamIds);
  await readRaw(run, store, { streamIds, ticks });
  const minutes = await readWide(run, store, streamIds);
  // What follows is memory of the checks alone.
  run.notePeakMemory();
  checkWide(run, minutes, ticks);
  await checkW2Levels(run, store, { streamIds, ticks });
  await checkDerived(run, store, ticks);
  await store.close();
}

async function w2Live(run) {
  const store = newW2Store(run, 'w2-live');
  if (!(await canOpenLive(run, store))) return;
  const streamIds = await ensureAll(run, store);
  const ticks = run.workload.w2();
  run.figure('w2_live', await liveRate(run, store, { streamIds, ticks }));
  await checkW2Levels(run, store, { streamIds, ticks });
  await store.close();
}

/** The same with derived streams, whose levels are kept too. */
async function w2LiveDerived(run) {
  const store = newW2Store(run, 'w2-derived');
  if (!(await canOpenLive(run, store))) return;
  const streamIds = await ensureAll(run, store);
  await ensureDerived(run, store, { streamIds, valueDownsamplers: AGGREGATES });
  const ticks = run.workload.w2();
  run.figure('w2_live_derived', await liveRate(run, store, { streamIds, ticks }));
  await checkW2Levels(run, store, { streamIds, ticks });
  await checkDerived(run, store, ticks);
  await store.close();
}

function newW2Store(run, name) {
  return new Store(run.makeFolder(name), { stepCount: run.workload.size.tickCount });
}

/** @returns false, and says so, when levels cannot be kept current while datapoints arrive. */
async function canOpenLive(run, store) {
  try {
    await store.open({ liveDownsampling: true });
    return true;
  } catch (error) {
    if (!(error instanceof TypeError || error.code === 'NOT_SUPPORTED')) throw error;
    run.missing('levels are not kept live');
    return false;
  }
}

async function ensureAll(run, store) {
  const streamIds = [];
  for (const { name, kind } of run.workload.streams) {
    streamIds.push(await store.ensure({ name, kind }));
  }
  return streamIds;
}

async function ensureDerived(run, store, { streamIds, valueDownsamplers }) {
  const resetId = await store.ensure(
    { name: 'resets' },
    { valueType: 'nominal', valueDownsamplers: [] },
  );
  for (const { index, name } of run.workload.counters) {
    await store.ensure(
      { rateOf: name },
      {
        valueDownsamplers,
        deriveFrom: [{ name: 'reset', stream: resetId }, streamIds[index]],
        deriveOp: 'counter_derivative',
      },
    );
  }
  await ensureSum(run, store, { streamIds, valueDownsamplers });
}

function ensureSum(run, store, { streamIds, valueDownsamplers, repeat = 0 }) {
  const deriveFrom = run.workload.wide.map(({ index }) => streamIds[index]);
  const definition = { valueDownsamplers, deriveFrom, deriveOp: 'sum' };
  return store.ensure(sumTags(repeat), definition);
}

function sumTags(repeat = 0) {
  return { sumOf: 'gauges', repeat };
}

/** Ticks, with a look in the middle, off the clock, at whether the levels really follow. */
async function liveRate(run, store, { streamIds, ticks }) {
  const middleTick = run.workload.size.tickCount / 2;
  const firstHalf = await run.seconds(() =>
    store.appendTicks(streamIds, { ticks, toTick: middleTick }),
  );
  const { v: minutes } = await store.buckets(streamIds[0], 'minutes').columns();
  const fullMinuteCount = minutes[LETTERS.count].filter((count) => count === 6).length;
  // The last whole minute may wait for the datapoint that ends it.
  run.check('levels follow', fullMinuteCount >= Math.floor(middleTick / 6) - 1);
  const secondHalf = await run.seconds(async () => {
    await store.appendTicks(streamIds, { ticks, fromTick: middleTick });
    await store.endBuckets(streamIds);
  });
  return ticks.length / (firstHalf + secondHalf);
}

/** Derived streams over data that is there already. */
async function deriveAll(run, store, streamIds) {
  const { datastream } = store;
  await ensureDerived(run, store, { streamIds, valueDownsamplers: [] });
  const sumSeconds = await run.secondsOfBrief({
    prepare: (repeat) => ensureSum(run, store, { streamIds, valueDownsamplers: [], repeat }),
    work: (repeat) => datastream.backprocessStreams({ queryTags: sumTags(repeat) }),
  });
  run.figure('sum100', sumSeconds);
  run.figure('deriv', await run.seconds(() => datastream.backprocessStreams()));
}

async function checkDerived(run, store, ticks) {
  const { counters, wide, size } = run.workload;
  const { streamCount, tickCount } = size;
  let count = 0;
  for (const { name } of counters) {
    const [streamId] = await store.idsOf({ rateOf: name });
    const { timestamps, values } = await store.raw(streamId).columns();
    count += timestamps.length;
    run.result(timestamps, values);
  }
  run.check('derivatives', count === derivativeCount(ticks, { streamCount, counters }));
  const [sumId] = await store.idsOf(sumTags());
  const sums = await store.raw(sumId).columns();
  run.result(sums.timestamps, sums.values);
  const isSum = (sum, tick) => isNearly(sum, sumAt(ticks, { streamCount, streams: wide, tick }));
  run.check('sums', sums.values.length === tickCount && sums.values.every(isSum));
}

/** All levels of one stream, and one level of every stream. */
async function checkW2Levels(run, store, { streamIds, ticks }) {
  const { streamCount } = run.workload.size;
  for (const [index, streamId] of streamIds.entries()) {
    const values = valuesOf(ticks, { streamCount, index });
    const levelNames = index === 7 ? LEVELS.map(({ name }) => name) : ['10minutes'];
    await checkLevels(run, store, { streamId, values, levelNames });
  }
}

async function checkLevels(run, store, { streamId, values, levelNames }) {
  for (const level of levelNames) {
    const { timestamps, v } = await store.buckets(streamId, level).columns();
    run.result(timestamps, ...AGGREGATES.map((name) => v[LETTERS[name]]));
    const buckets = Array.from(timestamps, (_, row) =>
      Object.fromEntries(AGGREGATES.map((name) => [name, v[LETTERS[name]][row]])),
    );
    run.check(`buckets of ${level}`, areBuckets(buckets, bucketsOf(values, level)));
  }
}

async function readLong(run, store, streamId) {
  const { w1PointCount, readCounts } = run.workload.size;
  const hours = () => store.buckets(streamId, Granularity.Hours);
  const columns = await run.latency('read_90d_1h', readCounts.long, () => hours().columns());
  const objects = await run.latency('read_90d_1h_objects', readCounts.long, () =>
    hours().toArray(),
  );
  const hourCount = w1PointCount / HOUR_POINT_COUNT;
  run.check('hours', columns.timestamps.length === hourCount && objects.length === hourCount);
}

async function readRaw(run, store, { streamIds, ticks }) {
  const { streamCount, tickCount, readCounts } = run.workload.size;
  const startMs = (run.workload.endSeconds - 3600) * 1000;
  let index = 0;
  const { values } = await run.latency('read_1h_raw', readCounts.raw, (i) => {
    index = rawReadIndex(i, streamCount);
    return store.raw(streamIds[index], startMs).columns();
  });
  const expected = valuesOf(ticks, { streamCount, index }).subarray(tickCount - HOUR_POINT_COUNT);
  run.check('last hour', expected.join() === values.join());
}

function readWide(run, store, streamIds) {
  const { wide, size } = run.workload;
  return run.latency('read_100x1m', size.readCounts.wide, () =>
    Promise.all(wide.map(({ index }) => store.buckets(streamIds[index], 'minutes').columns())),
  );
}

function checkWide(run, answers, ticks) {
  const { wide, size } = run.workload;
  for (const [i, { v }] of answers.entries()) {
    const { streamCount } = size;
    const values = valuesOf(ticks, { streamCount, index: wide[i].index });
    const expected = bucketsOf(values, 'minutes').map(({ max }) => max);
    run.check('minutes', expected.join() === v[LETTERS.max].join());
  }
}
