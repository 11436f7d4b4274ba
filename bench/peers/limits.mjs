// What no engine can pass on the day: of the machine, and of the data.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  measureBareCommits,
  measureMemoryScan,
  measureSyncedAppends,
  measureSyncedWrites,
} from '../embedded/baselines.mjs';
import { valuesOf } from './reference.mjs';
import { FULL_SIZE, SMOKE_SIZE, Workload } from './workload.mjs';

/** Flushes and LMDB commits a second, doubles a second in a plain pass, and the entropy of the values. */
export async function measureLimits({ seed, isSmoke }) {
  const workload = new Workload({ seed, size: isSmoke ? SMOKE_SIZE : FULL_SIZE });
  const w1 = workload.w1();
  const w2 = workload.w2();
  const folder = mkdtempSync(join(tmpdir(), 'datastream-limits-'));
  try {
    const count = isSmoke ? 20 : 300;
    return {
      syncsPerSecond: measureSyncedAppends(folder, count),
      writesPerSecond: measureSyncedWrites(folder, count),
      commitsPerSecond: 1000 / (await measureBareCommits(folder, count)),
      doublesPerSecond: measureMemoryScan(w2),
      w1EntropyBytes: deltaEntropyBytes(w1, 100),
      w2EntropyBytes: meanEntropyBytes(workload, w2),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of what was measured twice: a machine may have been busy with other work. The entropies are the same. */
export function widerLimits(a, b) {
  return Object.fromEntries(
    Object.entries(a).map(([name, limit]) => [name, Math.max(limit, b[name])]),
  );
}

function meanEntropyBytes({ streams, size: { streamCount } }, ticks) {
  const bytes = streams.map(({ index, kind }) =>
    deltaEntropyBytes(valuesOf(ticks, { streamCount, index }), kind === 'counter' ? 1 : 100),
  );
  return bytes.reduce((sum, one) => sum + one, 0) / streamCount;
}

/** Bytes a value of a perfect coder that knows how often each difference of neighbours occurs, and no more. */
function deltaEntropyBytes(values, scale) {
  const counts = new Map();
  for (let i = 1; i < values.length; i++) {
    const delta = Math.round(values[i] * scale) - Math.round(values[i - 1] * scale);
    counts.set(delta, (counts.get(delta) ?? 0) + 1);
  }
  let bits = 0;
  for (const count of counts.values()) {
    const share = count / (values.length - 1);
    bits -= share * Math.log2(share);
  }
  return bits / 8;
}
