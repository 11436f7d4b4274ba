// A process of its own on a store. Arguments: mode, folder, stream id. It says what it did line by
// line.
import { writeSync } from 'node:fs';
import type { CommitOutcome } from '../../../../src/backends/backend.ts';
import { EmbeddedBackend } from '../../../../src/backends/embedded/embedded-backend.ts';
import { rawBlock } from '../../../../src/model/block.ts';
import { Granularity } from '../../../../src/model/granularity.ts';
import type { StreamId } from '../../../../src/model/stream.ts';
import { ALL_TIME } from '../../../../src/model/time-range.ts';

const [mode, path, id] = process.argv.slice(2) as [string, string, string];
const streamId = id as StreamId;
const backend = new EmbeddedBackend(path, {
  journalSizeMaxBytes: 2000,
  sizePerTailBytes: 0,
  blockRowCountTarget: 16,
  sliceLevelCount: 1,
});

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

async function append(
  timestamps: Float64Array,
  values: Float64Array,
  version?: number | string,
): Promise<CommitOutcome> {
  return backend.commit({
    expect: version === undefined ? [] : [{ streamId, version }],
    writes: [
      {
        kind: 'append',
        streamId,
        granularity: Granularity.Seconds,
        block: rawBlock(timestamps, values),
      },
    ],
  });
}

async function rowCount(): Promise<number> {
  const rowCountMax = 1e9;
  const { block } = await backend.readPage({
    streamId,
    granularity: Granularity.Seconds,
    range: ALL_TIME,
    rowCountMax,
  });
  return block.timestamps.length;
}

async function appendForever(): Promise<void> {
  for (let i = await rowCount(); ; i++) {
    await append(Float64Array.of(i), Float64Array.of(i));
    say(String(i));
  }
}

/** 100 rows, each computed from the version before it, as often as it takes. */
async function contend(): Promise<void> {
  for (let i = 0; i < 100; ) {
    const [snapshot] = await backend.readStreams([streamId]);
    if (!snapshot) throw new Error('the stream is there');
    const timestampMs = (snapshot.latestMs ?? -1) + 1;
    const row = [Float64Array.of(timestampMs), Float64Array.of(process.pid)] as const;
    if ((await append(...row, snapshot.version)).isCommitted) i++;
  }
  say('done');
}

/** Fills the disk, reads, waits for a line on stdin, and goes on. */
async function fillDisk(): Promise<void> {
  let rows = await rowCount();
  const random = (): Float64Array => Float64Array.from({ length: 1000 }, () => Math.random());
  try {
    for (;;) {
      await append(
        Float64Array.from({ length: 1000 }, (_, i) => rows + i),
        random(),
      );
      rows += 1000;
    }
  } catch (error) {
    say((error as { code: string }).code);
    say(error instanceof Error && error.cause !== undefined ? 'cause' : 'no cause');
  }
  say((await rowCount()) === rows ? 'readable' : 'rows differ');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  await append(Float64Array.of(rows), Float64Array.of(1));
  say((await rowCount()) === rows + 1 ? 'appended' : 'rows differ');
  await backend.close();
  process.exit(0);
}

await backend.open();
if (mode === 'append') await appendForever();
else if (mode === 'contend') await contend();
else await fillDisk();
await backend.close();
