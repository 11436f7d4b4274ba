import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmbeddedBackend } from '../../../src/backends/embedded/embedded-backend.ts';
import { parseFrameHeader } from '../../../src/backends/embedded/journal-frame.ts';
import { SEGMENT_HEADER_SIZE_BYTES } from '../../../src/backends/embedded/journal-segment.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { append, createStream, opened, readAll, rowsOf } from './fixtures.ts';

/** Where a frame stands in its file. */
export interface FramePlace {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly firstSeq: number;
  readonly isPublished: boolean;
}

/** Names of the files of the journal, without order. */
export async function journalFiles(path: string): Promise<readonly string[]> {
  return (await readdir(path)).filter((name) => name.endsWith('.log'));
}

/** The frames of a file, in order, up to the first bytes that are none. */
export function framesOf(bytes: Uint8Array): readonly FramePlace[] {
  const frames: FramePlace[] = [];
  let offset = SEGMENT_HEADER_SIZE_BYTES;
  for (;;) {
    const header = parseFrameHeader(bytes, offset);
    if (header === null) return frames;
    const { sizeBytes, firstSeq, isPublished } = header;
    frames.push({ offset, sizeBytes, firstSeq, isPublished });
    offset += sizeBytes;
  }
}

interface UsedFile {
  readonly file: string;
  readonly bytes: Buffer;
  readonly frames: readonly FramePlace[];
}

/** The files of the journal that have frames, and these; without order. */
export async function usedFiles(path: string): Promise<readonly UsedFile[]> {
  const used: UsedFile[] = [];
  for (const name of await journalFiles(path)) {
    const file = join(path, name);
    const bytes = await readFile(file);
    const frames = framesOf(bytes);
    if (frames.length > 0) used.push({ file, bytes, frames });
  }
  return used;
}

/** The file of the journal that has frames, and these; there is exactly one. */
export async function usedFile(path: string): Promise<UsedFile> {
  const used = await usedFiles(path);
  if (used.length !== 1) throw new Error(`one file has frames, not ${used.length}`);
  return used[0]!;
}

/** Appends rows `[i, i]` from `start` on. */
export async function appendRows(
  backend: EmbeddedBackend,
  streamId: StreamId,
  { start, end }: { start: number; end: number },
): Promise<void> {
  for (let i = start; i < end; i++) await append(backend, streamId, [[i, i]]);
}

/** Whether the stream has the rows `[0, 0]` … and no others, and how many. */
export async function countRows(backend: EmbeddedBackend, streamId: StreamId): Promise<number> {
  const block = await readAll(backend, streamId);
  const rows = block.timestamps.length === 0 ? [] : rowsOf(block);
  rows.forEach((row, i) => {
    if (row[0] !== i || row[1] !== i) throw new Error(`row ${i} is ${row}`);
  });
  return rows.length;
}

/** Appends rows `[i, i]` to a new stream until a file of the journal takes them. */
export async function appendUntilInFile(
  backend: EmbeddedBackend,
  path: string,
): Promise<{ streamId: StreamId; rowCount: number }> {
  const streamId = await createStream(backend);
  for (let rowCount = 0; ; ) {
    await append(backend, streamId, [[rowCount, rowCount]]);
    rowCount++;
    for (const name of await journalFiles(path)) {
      if (framesOf(await readFile(join(path, name))).length > 0) return { streamId, rowCount };
    }
  }
}

/** A closed store whose last `inFileCount` rows, one frame each, stand in a file of the journal. */
export async function storeWithFile(
  path: string,
  inFileCount: number,
): Promise<{ streamId: StreamId; rowCount: number }> {
  const backend = await opened(path);
  const { streamId, rowCount: start } = await appendUntilInFile(backend, path);
  const rowCount = start + inFileCount - 1;
  await appendRows(backend, streamId, { start, end: rowCount });
  await backend.close();
  return { streamId, rowCount };
}
