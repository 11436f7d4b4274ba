// A process that takes the lease of a stream, and ends without giving it back. Arguments: folder, stream id.
import { EmbeddedBackend } from '../../../../src/backends/embedded/embedded-backend.ts';
import type { StreamId } from '../../../../src/model/stream.ts';

const [path, id] = process.argv.slice(2) as [string, string];
const backend = new EmbeddedBackend(path);
await backend.open();
const isAcquired = await backend.acquireLease(id as StreamId, {
  owner: 'killed',
  durationMs: 600_000,
});
process.kill(process.pid, isAcquired ? 'SIGKILL' : 'SIGTERM');
