// A process that appends a row while its file system misbehaves. Arguments: what happens, at which
// write or flush of a file of the journal, folder, stream id. It says what it did line by line.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { EmbeddedBackend } from '../../../../src/backends/embedded/embedded-backend.ts';
import { rawBlock } from '../../../../src/model/block.ts';
import { Granularity } from '../../../../src/model/granularity.ts';
import type { StreamId } from '../../../../src/model/stream.ts';
import { ALL_TIME } from '../../../../src/model/time-range.ts';

const [what, atText, path, id] = process.argv.slice(2) as [string, string, string, string];
const { writeSync, fdatasyncSync } = fs;
let callCount = 0;

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

/** Before the call is carried out; `half` carries out a part of it. */
function meddle(half: () => void): void {
  callCount++;
  if (callCount !== Number(atText)) return;
  if (what === 'fail') {
    half();
    throw Object.assign(new Error('a broken disk'), { code: 'EIO', syscall: 'write' });
  }
  if (what === 'half') half();
  process.kill(process.pid, 'SIGKILL');
}

fs.writeSync = ((...call: [number, Uint8Array, number, number, number]) => {
  const [descriptor, bytes, from, sizeBytes, position] = call;
  meddle(() => writeSync(descriptor, bytes, from, sizeBytes >> 1, position));
  return writeSync(...call);
}) as typeof writeSync;
fs.fdatasyncSync = (descriptor) => {
  meddle(() => {});
  fdatasyncSync(descriptor);
};
syncBuiltinESMExports();

const streamId = id as StreamId;
const granularity = Granularity.Seconds;
const backend = new EmbeddedBackend(path);
await backend.open();

async function append(): Promise<void> {
  const page = await backend.readPage({ streamId, granularity, range: ALL_TIME, rowCountMax: 1e9 });
  const at = page.block.timestamps.length;
  const block = rawBlock(Float64Array.of(at), Float64Array.of(at));
  await backend.commit({ expect: [], writes: [{ kind: 'append', streamId, granularity, block }] });
}

try {
  await append();
  say('appended');
} catch (error) {
  say((error as { code: string }).code);
}
if (what === 'wait') await new Promise((resolve) => process.stdin.once('data', resolve));
if (what === 'wait' || what === 'fail') {
  await append();
  say('appended');
}
await backend.close();
process.exit(0);
