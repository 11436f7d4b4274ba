import { describe, expect, test } from '@jest/globals';
import { SETTINGS_PAGE, unexplainedSettings, withSettingsTable } from './settings-table.ts';
import { read } from './source-files.ts';

describe('the table of settings', () => {
  test('is what the schema says (node scripts/settings-table.mjs writes it)', () => {
    const page = read(SETTINGS_PAGE);
    expect(page).toBe(withSettingsTable(page));
  });

  test('explains every setting', () => {
    expect(unexplainedSettings()).toEqual([]);
  });

  test('is found on the page, so that a page without one cannot pass', () => {
    const page = read(SETTINGS_PAGE);
    const [before, after] = page.split('| `shutdown`');
    expect(after).toBeDefined();
    expect(withSettingsTable(`${before}| \`shutdown\` is gone${after}`)).toBe(page);
  });
});
