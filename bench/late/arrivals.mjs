// One order of arrival: appended part by part, with levels that follow each part.
import { join } from 'node:path';
import { ensure, hashOf, openStore, usageOf } from './late-store.mjs';
import { arrivalOf } from './orders.mjs';

export async function measureArrival({ folder, order, seed, pointCount }) {
  // What the compiler learns of one order is worth little: other data of the same order come first.
  const warm = { order, seed: seed + 1000, pointCount };
  await arrive(await openStore(join(folder, 'warm')), warm);
  return arrive(await openStore(join(folder, 'measured')), { order, seed, pointCount });
}

async function arrive(datastream, { order, ...input }) {
  const streamId = await ensure(datastream);
  const parts = arrivalOf(order, input);
  const append = { cpuSeconds: 0, seconds: 0 };
  const downsample = { cpuSeconds: 0, seconds: 0 };
  for (const batches of parts) {
    add(append, await usageOf(() => appendAll(datastream, streamId, batches)));
    add(downsample, await usageOf(() => datastream.downsampleStreams()));
  }
  const checkpoint = await usageOf(() => datastream.checkpoint());
  const hash = await hashOf(datastream, streamId);
  await datastream.close();
  return {
    figures: {
      appendSeconds: append.cpuSeconds,
      downsampleSeconds: downsample.cpuSeconds,
      currentSeconds: append.cpuSeconds + downsample.cpuSeconds,
      checkpointSeconds: checkpoint.cpuSeconds,
      lastingSeconds: append.cpuSeconds + downsample.cpuSeconds + checkpoint.cpuSeconds,
      elapsedSeconds: append.seconds + downsample.seconds + checkpoint.seconds,
    },
    hash,
  };
}

async function appendAll(datastream, streamId, batches) {
  for (const batch of batches) {
    await datastream.appendColumns(streamId, batch, { checkTimestamp: false });
  }
}

function add(total, { cpuSeconds, seconds }) {
  total.cpuSeconds += cpuSeconds;
  total.seconds += seconds;
}
