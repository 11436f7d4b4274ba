// Opens the store in the folder of its argument, and says how that went, line by line.
import { writeSync } from 'node:fs';
import { EmbeddedBackend } from '../../../../src/backends/embedded/embedded-backend.ts';
import { DatastreamException } from '../../../../src/exceptions/errors.ts';

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
