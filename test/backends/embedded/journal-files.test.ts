import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { open } from 'lmdb';
import { STATE_OFFSET } from '../../../src/backends/embedded/journal-frame.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import {
  append,
  createStream,
  opened,
  randomSource,
  readAll,
  turns,
  withFolder,
} from './fixtures.ts';
import {
  appendRows,
  appendUntilInFile,
  countRows,
  framesOf,
  journalFiles,
  storeWithFile,
  usedFile,
} from './journal-fixtures.ts';

/** What a store opened anew says: how many rows there are, or the error's code. */
async function outcome(path: string, streamId: StreamId): Promise<number | string> {
  const backend = await opened(path);
  try {
    return await countRows(backend, streamId);
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    await backend.close();
  }
}

/** Appends a row to what is there, and counts the rows of a store opened anew. */
async function countAfterAppend(
  path: string,
  { streamId, rowCount }: { streamId: StreamId; rowCount: number },
): Promise<number | string> {
  const backend = await opened(path);
  await append(backend, streamId, [[rowCount, rowCount]]);
  await backend.close();
  return outcome(path, streamId);
}

describe('a commit that changes nothing in LMDB', () => {
  test('leaves data.mdb as it is, and is there for others at once and after reopening', () =>
    withFolder(async (path) => {
      const [a, b] = [await opened(path), await opened(path)];
      const { streamId, rowCount } = await appendUntilInFile(a, path);
      expect(await countRows(b, streamId)).toBe(rowCount);
      const before = await readFile(join(path, 'data.mdb'));
      await append(a, streamId, [[rowCount, rowCount]]);
      expect(await countRows(b, streamId)).toBe(rowCount + 1);
      await append(b, streamId, [[rowCount + 1, rowCount + 1]]);
      expect(await countRows(a, streamId)).toBe(rowCount + 2);
      expect(before.equals(await readFile(join(path, 'data.mdb')))).toBe(true);
      await Promise.all([a.close(), b.close()]);
      expect(await outcome(path, streamId)).toBe(rowCount + 2);
    }));

  test('takes turns with those that do, in one order for all', () =>
    withFolder(async (path) => {
      const [a, b] = [await opened(path), await opened(path)];
      const { streamId, rowCount } = await appendUntilInFile(a, path);
      for (let i = 0; i < 40; i++) {
        const [writer, reader] = i % 3 === 0 ? [b, a] : [a, b];
        if (i % 4 === 1) await createStream(writer);
        await append(writer, streamId, [[rowCount + i, rowCount + i]]);
        if (i % 5 !== 0) expect(await countRows(reader, streamId)).toBe(rowCount + i + 1);
      }
      const { frames } = await usedFile(path);
      // Some numbers stand in LMDB.
      expect(frames.at(-1)!.firstSeq).toBeGreaterThan(frames[0]!.firstSeq + frames.length);
      await Promise.all([a.close(), b.close()]);
      expect(await outcome(path, streamId)).toBe(rowCount + 40);
    }));

  test('goes from file to file, each larger, while others read and write', () =>
    withFolder(async (path) => {
      const [a, b] = [await opened(path), await opened(path)];
      const { streamId, rowCount: start } = await appendUntilInFile(a, path);
      let rowCount = start;
      while ((await journalFiles(path)).length < 4) {
        const writer = rowCount % 7 === 0 ? b : a;
        const end = rowCount + 100;
        await appendRows(writer, streamId, { start: rowCount, end });
        rowCount = end;
        expect(await countRows(writer === a ? b : a, streamId)).toBe(rowCount);
      }
      await Promise.all([a.close(), b.close()]);
      expect(await outcome(path, streamId)).toBe(rowCount);
    }));
});

describe('a frame', () => {
  test('that is larger than the spare file is not lost, and later ones go into files again', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const streamId = await createStream(backend);
      let rowCount = 0;
      const add = async (addedCount: number): Promise<void> => {
        const random = (): [number, number] => [rowCount++, Math.random()];
        await append(backend, streamId, Array.from({ length: addedCount }, random));
      };
      while ((await journalFiles(path)).length === 0) await add(1);
      // Not so large that it gets a file of its own.
      await add(10_000);
      for (let i = 0; i < 200; i++) await add(1);
      const other = await opened(path);
      const { timestamps } = await readAll(other, streamId, { rowCountMax: 1e6 });
      expect(timestamps.length).toBe(rowCount);
      expect((await usedFile(path)).frames.length).toBeGreaterThan(1);
      await Promise.all([backend.close(), other.close()]);
    }));
});

describe('a frame that was written but not published', () => {
  test('is published by whoever opens the store next, also when there are two', () =>
    withFolder(async (path) => {
      const { streamId, rowCount } = await storeWithFile(path, 3);
      const { file, bytes, frames } = await usedFile(path);
      for (const { offset } of frames.slice(-2)) bytes[offset + STATE_OFFSET] = 0;
      await writeFile(file, bytes);
      expect(await outcome(path, streamId)).toBe(rowCount);
      const now = await usedFile(path);
      expect(now.frames.map(({ isPublished }) => isPublished)).toEqual([true, true, true]);
    }));

  test('does not bring back what stood behind it', () =>
    withFolder(async (path) => {
      const store = await storeWithFile(path, 3);
      const { file, bytes, frames } = await usedFile(path);
      const { offset, sizeBytes } = frames[1]!;
      bytes[offset + STATE_OFFSET] = 0;
      // Published to all appearance: what a torn page of old bytes may look like.
      bytes.fill(7, offset + sizeBytes, offset + sizeBytes + 60);
      bytes.writeUInt32LE(1, offset + sizeBytes + STATE_OFFSET);
      await writeFile(file, bytes);
      const rowCount = store.rowCount - 1;
      expect(await outcome(path, store.streamId)).toBe(rowCount);
      expect(await countAfterAppend(path, { ...store, rowCount })).toBe(rowCount + 1);
    }));

  test('is nothing when its numbers stand in LMDB', () =>
    withFolder(async (path) => {
      const store = await storeWithFile(path, 2);
      const { file, bytes, frames } = await usedFile(path);
      const last = frames.at(-1)!;
      // As if it had been refused, and its number given to a commit of LMDB.
      const kept = Buffer.from(bytes);
      bytes.fill(0, last.offset, last.offset + last.sizeBytes);
      await writeFile(file, bytes);
      const backend = await opened(path);
      await createStream(backend);
      await backend.close();
      kept[last.offset + STATE_OFFSET] = 0;
      await writeFile(file, kept);
      const rowCount = store.rowCount - 1;
      expect(await outcome(path, store.streamId)).toBe(rowCount);
      expect((await readFile(file)).equals(kept)).toBe(true);
      expect(await countAfterAppend(path, { ...store, rowCount })).toBe(rowCount + 1);
    }));

  test.each(['zeros', 'old bytes'])('is nothing when only a part was written, over %s', (over) =>
    withFolder(async (path) => {
      const store = await storeWithFile(path, 2);
      const { file, bytes, frames } = await usedFile(path);
      const { offset, sizeBytes } = frames.at(-1)!;
      const random = randomSource();
      const rowCount = store.rowCount - 1;
      for (let length = 0; length < sizeBytes; length++) {
        const torn = Buffer.from(bytes);
        torn[offset + STATE_OFFSET] = 0;
        for (let at = offset + length; at < offset + sizeBytes + 100; at++) {
          // Where a frame begins there were zeros before.
          const isHeader = at < offset + 32;
          torn[at] = over === 'zeros' || isHeader ? 0 : random(256);
        }
        // Bytes that happen to be the same make it whole.
        if (torn.subarray(offset, offset + sizeBytes).equals(unpublished(bytes, frames.at(-1)!))) {
          continue;
        }
        await writeFile(file, torn);
        expect(await outcome(path, store.streamId)).toBe(rowCount);
        if (length % 16 !== 0) continue;
        expect(await countAfterAppend(path, { ...store, rowCount })).toBe(rowCount + 1);
      }
    }),
  );
});

function unpublished(
  bytes: Buffer,
  { offset, sizeBytes }: { offset: number; sizeBytes: number },
): Buffer {
  const frame = Buffer.from(bytes.subarray(offset, offset + sizeBytes));
  frame[STATE_OFFSET] = 0;
  return frame;
}

async function damageLastEntryInDatabase(path: string): Promise<void> {
  const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
  const root = open<Uint8Array, Uint8Array>({
    path,
    ...binary,
    noSubdir: false,
    overlappingSync: false,
  });
  const db = root.openDB<Uint8Array, Uint8Array>({ name: 'journal', ...binary });
  const [last] = [...db.getRange({ reverse: true, limit: 1 })];
  const value = Uint8Array.from(last!.value);
  value[value.length - 1] = value[value.length - 1]! ^ 0x01;
  await db.put(last!.key, value);
  await root.close();
}

describe('damage of a file of the journal', () => {
  test('by any wrong byte of a frame is noticed, or does no harm', () =>
    withFolder(async (path) => {
      const { streamId, rowCount } = await storeWithFile(path, 3);
      const { file, bytes, frames } = await usedFile(path);
      for (const { offset, sizeBytes } of frames.slice(1)) {
        const outcomes = new Set<number | string>();
        for (let at = offset; at < offset + sizeBytes; at++) {
          const damaged = Buffer.from(bytes);
          damaged[at] = damaged[at]! ^ 0x01;
          await writeFile(file, damaged);
          outcomes.add(await outcome(path, streamId));
        }
        expect(outcomes).toEqual(new Set(['BLOCK_CORRUPT', rowCount]));
      }
    }));

  test('is named with the entry and the place', () =>
    withFolder(async (path) => {
      const { streamId } = await storeWithFile(path, 3);
      const { file, bytes, frames } = await usedFile(path);
      const { offset, firstSeq } = frames[1]!;
      bytes[offset + 40] = bytes[offset + 40]! ^ 0x01;
      await writeFile(file, bytes);
      const backend = await opened(path);
      const failure = await countRows(backend, streamId).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'BLOCK_CORRUPT' });
      expect((failure as Error).message).toContain(
        `journal entry ${firstSeq}, at offset ${offset}`,
      );
      await expect(append(backend, streamId, [[99, 99]])).rejects.toMatchObject({
        code: 'BLOCK_CORRUPT',
      });
      await backend.close();
      expect((await readFile(file)).equals(bytes)).toBe(true);
    }));

  test('of an entry in LMDB behind frames is named by a process that has read these', () =>
    withFolder(async (path) => {
      const [a, b] = [await opened(path), await opened(path)];
      const { streamId, rowCount } = await appendUntilInFile(a, path);
      expect(await countRows(b, streamId)).toBe(rowCount);
      await appendRows(a, streamId, { start: rowCount, end: rowCount + 2 });
      await createStream(a);
      await a.close();
      await damageLastEntryInDatabase(path);
      for (let round = 0; round < 2; round++) {
        await expect(countRows(b, streamId)).rejects.toThrow(
          `Corrupt journal entry ${rowCount + 4} of the store`,
        );
      }
      await b.close();
    }));

  test('by zeros in place of a frame, with others behind it, is noticed', () =>
    withFolder(async (path) => {
      const { streamId } = await storeWithFile(path, 3);
      const { file, bytes, frames } = await usedFile(path);
      const { offset, sizeBytes } = frames[1]!;
      await writeFile(file, bytes.fill(0, offset, offset + sizeBytes));
      expect(await outcome(path, streamId)).toBe('BLOCK_CORRUPT');
    }));

  test('by zeros in place of the last frame, with a later commit in LMDB, is noticed', () =>
    withFolder(async (path) => {
      const { streamId } = await storeWithFile(path, 2);
      const backend = await opened(path);
      await createStream(backend);
      await backend.close();
      const { file, bytes, frames } = await usedFile(path);
      const { offset, sizeBytes } = frames.at(-1)!;
      await writeFile(file, bytes.fill(0, offset, offset + sizeBytes));
      expect(await outcome(path, streamId)).toBe('BLOCK_CORRUPT');
    }));

  test('by its loss, by cutting it off, and by another one in its place is noticed', () =>
    withFolder(async (path) => {
      const { streamId, rowCount } = await storeWithFile(path, 2);
      const { file, bytes } = await usedFile(path);
      await truncate(file, bytes.length - 1);
      expect(await outcome(path, streamId)).toBe('BLOCK_CORRUPT');
      const other = Buffer.from(bytes);
      other[8] = other[8]! ^ 0x01;
      await writeFile(file, other);
      expect(await outcome(path, streamId)).toBe('BLOCK_CORRUPT');
      await rm(file);
      expect(await outcome(path, streamId)).toBe('BLOCK_CORRUPT');
      await writeFile(file, bytes);
      expect(await outcome(path, streamId)).toBe(rowCount);
    }));
});

describe('files of the journal', () => {
  test('are made for whoever writes much, and a spare one goes with its process', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const id = await createStream(backend);
      await append(backend, id, [[1, 1]]);
      await turns(50);
      expect(await journalFiles(path)).toEqual([]);
      const { streamId, rowCount: start } = await appendUntilInFile(backend, path);
      // More than half of the first file makes a second one.
      let end = start;
      while ((await journalFiles(path)).length < 2) {
        await appendRows(backend, streamId, { start: end, end: end + 1 });
        end++;
      }
      await backend.close();
      expect(await journalFiles(path)).toHaveLength(1);
      expect(await outcome(path, streamId)).toBe(end);
    }));

  test('that a killed process left unused are removed when the store is opened', () =>
    withFolder(async (path) => {
      const { streamId, rowCount } = await storeWithFile(path, 2);
      const { file, bytes } = await usedFile(path);
      await writeFile(join(path, 'journal-0123456789abcdef.log'), bytes);
      await writeFile(join(path, 'journal-of-mine.log'), bytes);
      expect(await outcome(path, streamId)).toBe(rowCount);
      const left = (await journalFiles(path)).map((name) => join(path, name));
      expect(left.sort()).toEqual([file, join(path, 'journal-of-mine.log')].sort());
    }));

  test('that a living process holds as spare may go too: it makes another one', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const { streamId, rowCount: start } = await appendUntilInFile(backend, path);
      let end = start;
      const appendTo = async (next: number): Promise<void> => {
        await appendRows(backend, streamId, { start: end, end: next });
        end = next;
      };
      while ((await journalFiles(path)).length < 2) await appendTo(end + 1);
      // Opening removes what the index does not list.
      expect(await outcome(path, streamId)).toBe(end);
      expect(await journalFiles(path)).toHaveLength(1);
      while ((await journalFiles(path)).length < 3) await appendTo(end + 50);
      await backend.close();
      expect(await outcome(path, streamId)).toBe(end);
    }));
});

test('the frames of a group of commits are one, and it is there as a whole or not at all', () =>
  withFolder(async (path) => {
    const backend = await opened(path);
    const { streamId, rowCount } = await appendUntilInFile(backend, path);
    const before = (await usedFile(path)).frames.length;
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        append(backend, streamId, [[rowCount + i, rowCount + i]]),
      ),
    );
    await backend.close();
    const { file, bytes, frames } = await usedFile(path);
    expect(framesOf(bytes)).toHaveLength(before + 1);
    const { offset, sizeBytes } = frames.at(-1)!;
    bytes[offset + STATE_OFFSET] = 0;
    bytes.fill(0, offset + sizeBytes - 40, offset + sizeBytes);
    await writeFile(file, bytes);
    expect(await outcome(path, streamId)).toBe(rowCount);
  }));
