// Streams, and the rows that go into them.
import { Granularity } from '../../dist/index.js';

export const START_MS = Date.UTC(2025, 0, 1);
const DOWNSAMPLERS = ['mean', 'min', 'max'];

export function ensure(datastream, tags, highestGranularity = Granularity.Seconds) {
  return datastream.ensureStream(tags, { valueDownsamplers: DOWNSAMPLERS, highestGranularity });
}

/**
 * Streams with the tags and an index. Some side by side: thousands one after the other would take a server long.
 */
export async function ensureMany(datastream, tags, { streamCount, highestGranularity }) {
  const ids = [];
  while (ids.length < streamCount) {
    const count = Math.min(streamCount - ids.length, 20);
    const each = Array.from({ length: count }, (_, i) => ({ ...tags, index: ids.length + i }));
    ids.push(
      ...(await Promise.all(each.map((one) => ensure(datastream, one, highestGranularity)))),
    );
  }
  return ids;
}

export function appendRows(datastream, streamId, { timestamps, values }) {
  return datastream.appendColumns(streamId, { timestamps, values });
}

export function sliceRows(rows, from, to) {
  return Object.fromEntries(
    Object.entries(rows).map(([name, column]) => [name, column.subarray(from, to)]),
  );
}
