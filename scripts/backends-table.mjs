// Writes the table of what each backend can do into its page, from the manifests in the code.
import { readFile, writeFile } from 'node:fs/promises';
import { register } from 'node:module';

register('./typescript-hook.mjs', import.meta.url);
const { BACKENDS_PAGE, withBackendsTable } = await import('../test/house/backends-table.ts');

const page = new URL(`../${BACKENDS_PAGE}`, import.meta.url);
await writeFile(page, withBackendsTable(await readFile(page, 'utf8')));
