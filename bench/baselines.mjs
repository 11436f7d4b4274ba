// What the machine itself does on the day: the marks are read against these.
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

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
