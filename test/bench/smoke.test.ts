import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const MAIN = join(import.meta.dirname, '..', '..', 'bench', 'main.mjs');

describe('the bench', () => {
  test('runs at its smoke size, and computes what it always did', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, '--smoke', '--json'], {
      encoding: 'utf8',
    });
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    const { figures } = JSON.parse(stdout) as { figures: { name: string; rate: number }[] };
    expect(figures).toHaveLength(7);
    for (const { rate } of figures) expect(rate).toBeGreaterThan(0);
  });
});
