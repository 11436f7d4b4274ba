import { describe, expect, test } from '@jest/globals';
import { BACKENDS_PAGE, withBackendsTable } from './backends-table.ts';
import { read } from './source-files.ts';

describe('the table of backends', () => {
  test('is what the manifests say (node scripts/backends-table.mjs writes it)', () => {
    const page = read(BACKENDS_PAGE);
    expect(page).toBe(withBackendsTable(page));
  });

  test('is found on the page, so that a page without one cannot pass', () => {
    const page = read(BACKENDS_PAGE);
    const [before, after] = page.split('| `durable`');
    expect(after).toBeDefined();
    const harmed = `${before}| \`durable\` is gone${after}`;
    expect(withBackendsTable(harmed)).toBe(page);
  });
});
