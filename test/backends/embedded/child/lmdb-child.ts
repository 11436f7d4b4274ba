// A process that does one thing with a store. Arguments: `create` or `checkpoint`, folder.
import { EmbeddedBackend } from '../../../../src/backends/embedded/embedded-backend.ts';
import { newRecord } from '../../../../src/conformance/contract/rows-of.ts';

const [what, path] = process.argv.slice(2) as [string, string];
const backend = new EmbeddedBackend(path);
await backend.open();
const record = newRecord({}, { valueDownsamplers: [], levels: {} });
if (what === 'create') await backend.commit({ expect: [], create: [{ record }] });
else await backend.checkpoint();
await backend.close();
