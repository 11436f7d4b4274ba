// Appending, ours against the ways of the bare driver: each takes the same rows, and keeps them.
import { Granularity } from '../../dist/index.js';
import { gauge, regular } from '../random.mjs';
import { OURS, rateMark } from './mark.mjs';
import { alternate } from './rounds.mjs';
import { appendRows, ensure, ensureMany, START_MS, sliceRows } from './series.mjs';

/** `appendColumns` of one stream in batches. */
export async function markBatches({ datastream, bare, size, log, results }) {
  const { roundCount, batchRowCount, batchesPerRound } = size;
  const rowCount = roundCount * batchRowCount * batchesPerRound;
  const timestamps = regular(START_MS, 1000, rowCount);
  const values = gauge(1, rowCount);
  const streams = new Int32Array(rowCount).fill(1);
  const streamId = await ensure(datastream, { bench: 'batches' });
  const batches = async (round, insert) => {
    for (let batch = 0; batch < batchesPerRound; batch++) {
      const from = (round * batchesPerRound + batch) * batchRowCount;
      await insert(sliceRows({ streams, timestamps, values }, from, from + batchRowCount));
    }
  };
  const rates = await alternate(
    [
      {
        name: OURS,
        work: (round) => batches(round, (rows) => appendRows(datastream, streamId, rows)),
      },
      ...(bare?.ways ?? []).map(({ name, insert }) => ({
        name,
        work: (round) => batches(round, insert),
      })),
    ],
    { roundCount, itemCount: batchesPerRound * batchRowCount },
  );
  await assertInserted(bare, rowCount);
  await readRaw({ datastream, streamId, rowCount, results });
  return ingestMark(`append, batches of ${batchRowCount.toLocaleString('en')}`, {
    rates,
    bare,
    log,
  });
}

/** `appendTick`: one datapoint for each of many streams, tick by tick. */
export async function markTicks(
  { datastream, bare, size, log, results },
  { name, streamCount, ticksPerRound },
) {
  const { roundCount } = size;
  const ids = await ensureMany(datastream, { bench: name }, { streamCount });
  const streams = Int32Array.from(ids, (_, i) => 1000 * streamCount + i);
  const values = gauge(2, streamCount + roundCount * ticksPerRound + 1);
  const before = bare === null ? 0 : await bare.ways[0].count();
  // Streams are looked up and their records read once: that is not what the mark is about.
  await datastream.appendTick(START_MS, ids, values.subarray(0, streamCount));
  const ticks = async (round, insert) => {
    for (let i = 0; i < ticksPerRound; i++) {
      const tick = round * ticksPerRound + i + 1;
      await insert(START_MS + tick * 1000, values.subarray(tick, tick + streamCount));
    }
  };
  const bareTick = (insert) => (timestampMs, tickValues) =>
    insert({
      streams,
      timestamps: new Float64Array(streamCount).fill(timestampMs),
      values: tickValues,
    });
  const rates = await alternate(
    [
      {
        name: OURS,
        work: (round) =>
          ticks(round, (ms, tickValues) => datastream.appendTick(ms, ids, tickValues)),
      },
      ...(bare?.ways ?? []).map(({ name, insert }) => ({
        name,
        work: (round) => ticks(round, bareTick(insert)),
      })),
    ],
    { roundCount, itemCount: ticksPerRound * streamCount },
  );
  const tickCount = roundCount * ticksPerRound;
  await assertInserted(bare, before + tickCount * streamCount);
  for (const streamId of [ids[0], ids.at(-1)]) {
    await readRaw({ datastream, streamId, rowCount: tickCount + 1, results });
  }
  return ingestMark(name, { rates, bare, log });
}

async function readRaw({ datastream, streamId, rowCount, results }) {
  const range = { start: START_MS };
  const columns = await datastream.getData(streamId, Granularity.Seconds, range).columns();
  if (columns.timestamps.length !== rowCount) throw new Error('datapoints are missing');
  results.addRaw(columns);
}

/** The quickest of the bare driver's ways is the one to be compared with. */
function ingestMark(name, { rates, bare, log }) {
  const rivals = (bare?.ways ?? []).filter(({ isRival }) => isRival);
  const best = rivals.toSorted((a, b) => rates.get(b.name) - rates.get(a.name))[0];
  return rateMark(name, { rates, goalName: best?.name ?? null, unit: 'points/s', log });
}

async function assertInserted(bare, rowCount) {
  for (const { name, count } of bare?.ways ?? []) {
    const inserted = await count();
    if (inserted !== rowCount) throw new Error(`${name} has ${inserted} rows, not ${rowCount}`);
  }
}
