import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';

const ASSETS = join(import.meta.dirname, '..', '..', 'dist', 'web', 'assets');
const SIZE_BYTES_MAX = 150_000;

test('the dashboard is one script and one style sheet, below 150 kB compressed', () => {
  const names = readdirSync(ASSETS);
  expect(names.map((name) => name.replace(/.*\./, '')).sort()).toEqual(['css', 'js']);
  const sizes = names.map((name) => gzipSync(readFileSync(join(ASSETS, name))).length);
  expect(sizes.reduce((a, b) => a + b)).toBeLessThan(SIZE_BYTES_MAX);
});
