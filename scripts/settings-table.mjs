// Writes the table of all settings of the service into its page, from the schema in the code.
import { readFile, writeFile } from 'node:fs/promises';
import { register } from 'node:module';

register('./typescript-hook.mjs', import.meta.url);
const { SETTINGS_PAGE, withSettingsTable } = await import('../test/house/settings-table.ts');

const page = new URL(`../${SETTINGS_PAGE}`, import.meta.url);
await writeFile(page, withSettingsTable(await readFile(page, 'utf8')));
