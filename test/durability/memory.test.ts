import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const WORKER = fileURLToPath(new URL('./memory-worker.mjs', import.meta.url));
const POINT_COUNT = 10_000_000;
const PEAK_MAX_MB = 400;
/** Of the values (n mod 1000) / 4, each thousand. */
const THOUSAND_SUM = (999 * 1000) / 2 / 4;

test(`ten million points in, down and out stay under ${PEAK_MAX_MB} MB`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'datastream-memory-'));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [WORKER, `embedded:${folder}`]);
    const { peakMb, ...counts } = JSON.parse(stdout) as Record<string, number>;
    const lastTen = [990, 991, 992, 993, 994, 995, 996, 997, 998, 999];
    const lastBucket = lastTen.reduce((sum, n) => sum + n / 4, 0);
    expect(counts).toEqual({
      rawCount: POINT_COUNT,
      rawSum: (POINT_COUNT / 1000) * THOUSAND_SUM,
      // The last bucket waits for a later datapoint.
      bucketCount: POINT_COUNT / 10 - 1,
      bucketSum: (POINT_COUNT / 1000) * THOUSAND_SUM - lastBucket,
    });
    expect(peakMb).toBeLessThan(PEAK_MAX_MB);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
