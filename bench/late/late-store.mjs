// The embedded store that gets late data, and what it did with it.
import { createHash } from 'node:crypto';
import { Datastream, Granularity, openBackend } from '../../dist/index.js';
import { START_MS } from './orders.mjs';

const LETTERS = ['m', 'l', 'u', 's', 'c'];

export async function openStore(folder) {
  return new Datastream(await openBackend(`embedded:${folder}`));
}

export function ensure(datastream) {
  return datastream.ensureStream(
    { bench: 'late' },
    {
      valueDownsamplers: ['mean', 'min', 'max', 'sum', 'count'],
      highestGranularity: Granularity.Seconds10,
    },
  );
}

/** @returns a hash of the raw datapoints and of all levels: the same whatever the order of arrival was */
export async function hashOf(datastream, streamId) {
  const hash = createHash('sha256');
  const [raw, ...levels] = Granularity.values.slice(
    Granularity.values.indexOf(Granularity.Seconds10),
  );
  const range = { start: START_MS, timeDownsamplers: [] };
  const { timestamps, values } = await datastream.getData(streamId, raw, range).columns();
  hash.update(bytesOf(timestamps)).update(bytesOf(values));
  for (const level of levels) {
    const { timestamps: starts, v } = await datastream.getData(streamId, level, range).columns();
    hash.update(bytesOf(starts));
    for (const letter of LETTERS) hash.update(bytesOf(v[letter]));
  }
  return hash.digest('hex').slice(0, 16);
}

/** @returns the processor seconds of the process, of all of its threads, and the seconds that passed */
export async function usageOf(work) {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpuSeconds: (user + system) / 1e6, seconds: (performance.now() - startedMs) / 1000 };
}

function bytesOf({ buffer, byteOffset, byteLength }) {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
