// Corrections of single datapoints of a long stream, each with the maintenance that follows it.
import { quantile } from '../backends/rounds.mjs';
import { gauge, regular, uniform } from '../random.mjs';
import { ensure, openStore, usageOf } from './late-store.mjs';
import { START_MS, STEP_MS } from './orders.mjs';

const BATCH_ROW_COUNT = 100_000;
const UPSERTED_AT_ONCE_COUNT = 10_000;

export async function measureCorrections({ folder, seed, pointCount, correctionCount }) {
  const datastream = await openStore(folder);
  const streamId = await ensure(datastream);
  await fill(datastream, streamId, gauge(seed, pointCount));
  const random = uniform(seed + 1);
  const instant = () => START_MS + Math.floor(random() * (pointCount - 1)) * STEP_MS;
  const kinds = {
    upsert: (timestampMs) => datastream.upsert(streamId, 7, timestampMs),
    replace: (timestampMs) =>
      datastream.replaceData(streamId, { start: timestampMs, end: timestampMs }, [
        { timestamp: timestampMs, value: 8 },
      ]),
    delete: (timestampMs) =>
      datastream.deleteData(streamId, { start: timestampMs, end: timestampMs }),
    late: (timestampMs) => datastream.append(streamId, 9, timestampMs, { checkTimestamp: false }),
  };
  const figures = {};
  for (const [kind, correct] of Object.entries(kinds)) {
    const corrected = [];
    const maintained = [];
    for (let i = 0; i < correctionCount; i++) {
      const timestampMs = instant();
      corrected.push(await usageOf(() => correct(timestampMs)));
      maintained.push(await usageOf(() => datastream.downsampleStreams()));
    }
    Object.assign(figures, {
      ...mediansOf(kind, corrected),
      ...mediansOf(`${kind}Maintained`, maintained),
    });
  }
  figures.upsertCount = Math.min(UPSERTED_AT_ONCE_COUNT, pointCount / 10);
  const upserts = Array.from({ length: figures.upsertCount }, () => ({
    streamId,
    value: 5,
    timestamp: instant(),
  }));
  const many = await usageOf(() => datastream.upsertMultiple(upserts));
  figures.upsertsSeconds = many.cpuSeconds;
  const followed = await usageOf(() => datastream.downsampleStreams());
  figures.upsertsMaintainedSeconds = followed.cpuSeconds;
  await check(datastream, streamId);
  await datastream.close();
  return { figures };
}

function mediansOf(name, usages) {
  const median = (key) =>
    1000 *
    quantile(
      usages.map(({ [key]: seconds }) => seconds),
      0.5,
    );
  return { [`${name}Ms`]: median('seconds'), [`${name}CpuMs`]: median('cpuSeconds') };
}

async function fill(datastream, streamId, values) {
  const timestamps = regular(START_MS, STEP_MS, values.length);
  for (let from = 0; from < values.length; from += BATCH_ROW_COUNT) {
    const to = from + BATCH_ROW_COUNT;
    await datastream.appendColumns(streamId, {
      timestamps: timestamps.subarray(from, to),
      values: values.subarray(from, to),
    });
  }
  await datastream.downsampleStreams();
  await datastream.checkpoint();
}

async function check(datastream, streamId) {
  const { differenceCount, staleRangeCount } = await datastream.verify({
    queryTags: { stream_id: streamId },
  });
  if (differenceCount > 0 || staleRangeCount > 0) throw new Error('levels are not exact');
}
