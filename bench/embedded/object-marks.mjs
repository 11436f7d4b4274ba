// Marks of the calls that take and give objects.
import { Granularity } from '../../dist/index.js';
import { alternate } from '../backends/rounds.mjs';
import { gauge, regular } from '../random.mjs';
import { withBarePuts } from './baselines.mjs';

const START_MS = Date.UTC(2025, 0, 1);
const OBJECTS_PER_CALL = 1000;
export const SHARE_UNIT = 'of bare LMDB';

export async function runObjectMarks(datastream, { scale, folder, log }) {
  const figures = [
    await markAwaitedAppends(datastream, { scale, folder }),
    ...(await markAppendMultiple(datastream, { scale })),
    await markIteration(datastream, { scale }),
  ];
  for (const { name, unit, rate } of figures) log(`${name}: ${rate.toPrecision(3)} ${unit}`);
  return figures;
}

/** `append` awaited one by one, in turn with bare LMDB that puts as much and waits for the disk each time. */
async function markAwaitedAppends(datastream, { scale, folder }) {
  const streamId = await ensure(datastream, { bench: 'awaited' });
  const itemCount = Math.max(20, Math.round(1000 * scale));
  let appendedCount = 0;
  const append = () => {
    const timestamp = START_MS + appendedCount++ * 1000;
    return datastream.append(streamId, appendedCount % 977, timestamp);
  };
  const rates = await withBarePuts(folder, ({ put, transact }) =>
    alternate(
      [
        { name: 'append', work: () => repeat(itemCount, append) },
        { name: 'put', work: () => repeat(itemCount, put) },
        { name: 'transaction', work: () => repeat(itemCount, transact) },
      ],
      { roundCount: 5, itemCount },
    ),
  );
  return {
    name: 'append, awaited one by one',
    unit: SHARE_UNIT,
    goal: 0.6,
    // Its quicker way counts.
    rate: rates.get('append') / Math.max(rates.get('put'), rates.get('transaction')),
  };
}

async function repeat(count, work) {
  for (let i = 0; i < count; i++) await work(i);
}

async function markAppendMultiple(datastream, { scale }) {
  const callCount = Math.max(5, Math.round(1000 * scale));
  const figures = [];
  for (const streamCount of [1, 100]) {
    const ids = [];
    for (let i = 0; i < streamCount; i++) {
      ids.push(await ensure(datastream, { bench: 'multiple', streamCount, index: i }));
    }
    const perStream = OBJECTS_PER_CALL / streamCount;
    let seconds = 0;
    for (let call = 0; call < callCount; call++) {
      const items = Array.from({ length: OBJECTS_PER_CALL }, (_, i) => ({
        streamId: ids[i % streamCount],
        value: (i * 31) % 977,
        timestamp: START_MS + (call * perStream + Math.floor(i / streamCount)) * 1000,
      }));
      const startedMs = performance.now();
      await datastream.appendMultiple(items);
      seconds += (performance.now() - startedMs) / 1000;
    }
    figures.push({
      name: `appendMultiple of 1,000 objects, of ${streamCount} ${streamCount === 1 ? 'stream' : 'streams'}`,
      unit: 'points/s',
      goal: 1.2e6,
      rate: (callCount * OBJECTS_PER_CALL) / seconds,
    });
  }
  return figures;
}

async function markIteration(datastream, { scale }) {
  const pointCount = Math.round(2_000_000 * scale);
  const streamId = await ensure(datastream, { bench: 'objects' });
  await datastream.appendColumns(streamId, {
    timestamps: regular(START_MS, 1000, pointCount),
    values: gauge(3, pointCount),
  });
  const startedMs = performance.now();
  let count = 0;
  let lastMs = 0;
  const datapoints = datastream.getData(streamId, Granularity.Seconds, { start: START_MS });
  for await (const { t } of datapoints) {
    count++;
    lastMs = t.getTime();
  }
  const seconds = (performance.now() - startedMs) / 1000;
  if (count !== pointCount || lastMs !== START_MS + (pointCount - 1) * 1000) {
    throw new Error('the iteration lost datapoints');
  }
  return {
    name: 'datapoints iterated as objects',
    unit: 'points/s',
    goal: 4e6,
    rate: pointCount / seconds,
  };
}

function ensure(datastream, tags) {
  return datastream.ensureStream(tags, {
    valueDownsamplers: ['mean', 'min', 'max'],
    highestGranularity: Granularity.Seconds,
  });
}
