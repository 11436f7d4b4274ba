// The embedded store that grows.
import { Datastream, Granularity, openBackend } from '../../dist/index.js';

export const START_MS = Date.UTC(1990, 0, 1);
export const STEP_MS = 10_000;

export async function openStore(folder) {
  return new Datastream(await openBackend(`embedded:${folder}`));
}

export function ensure(datastream, tags) {
  return datastream.ensureStream(tags, {
    valueDownsamplers: ['mean', 'min', 'max', 'sum', 'count'],
    highestGranularity: Granularity.Seconds10,
  });
}

/** Many streams, some at once. @returns their ids, in the order of the tags */
export async function ensureMany(datastream, count, tagsOf) {
  const ids = [];
  while (ids.length < count) {
    const from = ids.length;
    const batch = Array.from({ length: Math.min(1000, count - from) }, (_, i) =>
      ensure(datastream, tagsOf(from + i)),
    );
    ids.push(...(await Promise.all(batch)));
  }
  return ids;
}

/** Reads raw points that must be there. */
export async function readRaw(datastream, streamId, { startMs, pointCount }) {
  const range = { start: startMs, endExclusive: startMs + pointCount * STEP_MS };
  const { values } = await datastream.getData(streamId, Granularity.Seconds10, range).columns();
  if (values.length !== pointCount) {
    throw new Error(`${values.length} points were read, not ${pointCount}`);
  }
  return values;
}
