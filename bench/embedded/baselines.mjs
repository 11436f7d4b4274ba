// What the machine itself does on the day: the marks are read against these.
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';

/** Appends of 8 kB to a plain file, each followed by fdatasync: commits a second. */
export function measureSyncedAppends(folder, count = 500) {
  const file = openSync(join(folder, 'baseline'), 'a');
  const bytes = Buffer.alloc(8192, 1);
  const startedMs = performance.now();
  for (let i = 0; i < count; i++) {
    writeSync(file, bytes);
    fdatasyncSync(file);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  closeSync(file);
  return count / seconds;
}

/** Writes of 8 kB into a file that has its size already, each followed by fdatasync: commits a second. */
export function measureSyncedWrites(folder, count = 500) {
  const file = openSync(join(folder, 'preallocated'), 'w');
  const bytes = Buffer.alloc(8192, 1);
  for (let i = 0; i < count; i++) writeSync(file, bytes);
  fdatasyncSync(file);
  bytes.fill(2);
  const startedMs = performance.now();
  for (let i = 0; i < count; i++) {
    writeSync(file, bytes, 0, bytes.length, i * bytes.length);
    fdatasyncSync(file);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  closeSync(file);
  return count / seconds;
}

/**
 * Durable transactions of bare LMDB that put what a batch of 10,000 points is stored as (20 values of 620
 * bytes), each after a millisecond of computing, as between two batches: milliseconds a commit.
 */
export async function measureBareCommits(folder, count = 300) {
  const database = open({
    path: join(folder, 'bare'),
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });
  const value = Buffer.alloc(620, 1);
  let committingMs = 0;
  for (let i = 0; i < count; i++) {
    const startedMs = performance.now();
    database.transactionSync(() => {
      for (let put = 0; put < 20; put++) {
        const key = Buffer.alloc(8);
        key.writeUInt32BE(i * 20 + put, 4);
        database.put(key, value);
      }
    });
    const endedMs = performance.now();
    committingMs += endedMs - startedMs;
    while (performance.now() < endedMs + 1);
  }
  await database.close();
  return committingMs / count;
}

/**
 * Bare LMDB with the two ways to put one small value and wait until it is on the disk: `put` in its write thread,
 * and `transact` in this one.
 */
export async function withBarePuts(folder, work) {
  const database = open({
    path: join(folder, 'bare-puts'),
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });
  const value = Buffer.alloc(32, 1);
  let count = 0;
  const nextKey = () => {
    const key = Buffer.alloc(8);
    key.writeUInt32BE(count++, 4);
    return key;
  };
  try {
    return await work({
      put: () => database.put(nextKey(), value),
      transact: () => database.transactionSync(() => database.put(nextKey(), value)),
    });
  } finally {
    await database.close();
  }
}

/** A pass of plain JavaScript over an array of doubles (sum, min and max): points a second. */
export function measureMemoryScan(values) {
  let sink = 0;
  const passes = 5;
  const startedMs = performance.now();
  for (let pass = 0; pass < passes; pass++) {
    let sum = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      sum += value;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    sink += sum + min + max;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  if (Number.isNaN(sink)) throw new Error('the scan read no numbers');
  return (passes * values.length) / seconds;
}
