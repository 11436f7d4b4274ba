import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const WORKER = fileURLToPath(new URL('./late-worker.mjs', import.meta.url));
const POINT_COUNT = 2_000_000;
const LATE_COUNT = 40_000;
const PEAK_MAX_MB = 400;

test(`late and corrected data all over a stream stay under ${PEAK_MAX_MB} MB`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'datastream-late-'));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [WORKER, `embedded:${folder}`]);
    const { peakMb, count, ...report } = JSON.parse(stdout) as Record<string, number>;
    expect(report).toEqual({ differenceCount: 0, staleRangeCount: 0 });
    // The last minute waits for a later datapoint.
    expect(count).toBeGreaterThan(POINT_COUNT + LATE_COUNT - 62);
    expect(peakMb).toBeLessThan(PEAK_MAX_MB);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
