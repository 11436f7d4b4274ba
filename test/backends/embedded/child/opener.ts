// Opens the store in the folder of its argument, as nobody in particular if the second one is `true`,
// and says how that went, line by line.
import { writeSync } from 'node:fs';
import { EmbeddedBackend } from '../../../../src/backends/embedded/embedded-backend.ts';
import { DatastreamException } from '../../../../src/exceptions/errors.ts';

const NOBODY_ID = 65_534;

// Permissions do not apply to root. Everything that is imported has been read by now.
if (process.argv[3] === 'true' && process.geteuid?.() === 0) {
  process.setegid?.(NOBODY_ID);
  process.seteuid?.(NOBODY_ID);
}
const backend = new EmbeddedBackend(process.argv[2]!);
try {
  await backend.open();
  await backend.countStreams({});
  await backend.close();
  writeSync(1, 'opened\n');
} catch (error) {
  if (!(error instanceof DatastreamException)) throw error;
  writeSync(1, `${error.code}\n${error.message}\n`);
}
