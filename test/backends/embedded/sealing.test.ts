import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { open } from 'lmdb';
import { FRAME_HEADER_SIZE_BYTES } from '../../../src/backends/embedded/journal-frame.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import {
  append,
  createStream,
  opened,
  randomSource,
  readAll,
  rowsOf,
  turns,
  withFolder,
} from './fixtures.ts';
import { framesOf, journalFiles, usedFiles } from './journal-fixtures.ts';

type Row = readonly [number, number];

/** How many values a database of the store has, and their bytes. */
async function stored(path: string, name: string): Promise<{ count: number; sizeBytes: number }> {
  const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
  const root = open<Uint8Array, Uint8Array>({
    path,
    ...binary,
    noSubdir: false,
    overlappingSync: false,
  });
  const db = root.openDB<Uint8Array, Uint8Array>({ name, ...binary });
  let count = 0;
  let sizeBytes = 0;
  for (const { value } of db.getRange()) {
    count++;
    sizeBytes += value.length;
  }
  await root.close();
  return { count, sizeBytes };
}

/** Bytes of all entries of the journal, in LMDB and in its files. */
async function journalSizeBytes(path: string): Promise<number> {
  let { sizeBytes } = await stored(path, 'journal');
  for (const name of await journalFiles(path)) {
    const frames = framesOf(await readFile(join(path, name)));
    for (const frame of frames) sizeBytes += frame.sizeBytes - FRAME_HEADER_SIZE_BYTES;
  }
  return sizeBytes;
}

describe('blocks', () => {
  test('keep the rows of a timestamp that fills several, when late rows split the first', () =>
    withFolder(async (path) => {
      const backend = await opened(path, { blockRowCountTarget: 4 });
      const id = await createStream(backend);
      const inOrder = [1, 5, 5, 5, 5, 5, 5, 5].map((t, i): Row => [t, i]);
      await append(backend, id, inOrder);
      const late = [3, 3, 3, 3, 3].map((t, i): Row => [t, 100 + i]);
      await append(backend, id, late);
      const rows = [inOrder[0], ...late, ...inOrder.slice(1)];
      expect(rowsOf(await readAll(backend, id, { rowCountMax: 1 }))).toEqual(rows);
      expect(rowsOf(await readAll(backend, id, { rowCountMax: 1, isReverse: true }))).toEqual(rows);
      await backend.close();
    }));

  test('take late rows one by one without falling into small pieces', () =>
    withFolder(async (path) => {
      const backend = await opened(path, { blockRowCountTarget: 64 });
      const id = await createStream(backend);
      await append(
        backend,
        id,
        Array.from({ length: 640 }, (_, i): Row => [i * 10, i]),
      );
      for (let i = 639; i >= 0; i--) await append(backend, id, [[i * 10 + 5, i]]);
      expect((await readAll(backend, id)).timestamps).toHaveLength(1280);
      await backend.close();
      const { count } = await stored(path, 'levels');
      expect(count).toBeGreaterThanOrEqual(10);
      expect(count).toBeLessThanOrEqual(20);
    }));
});

describe('sealing', () => {
  test('loses and doubles nothing between the writes and reads of others, slice by slice', () =>
    withFolder(async (path) => {
      const tuning = {
        journalSizeMaxBytes: 800,
        sizePerTailBytes: 0,
        blockRowCountTarget: 8,
        sliceLevelCount: 1,
      };
      const writer = await opened(path, tuning);
      const reader = await opened(path, tuning);
      const streamIds: StreamId[] = [];
      for (let i = 0; i < 6; i++) streamIds.push(await createStream(writer));
      const model = streamIds.map((): Row[] => []);
      const random = randomSource();
      for (let step = 0; step < 300; step++) {
        const i = random(6);
        const row: Row = [step, step];
        await append(writer, streamIds[i]!, [row]);
        model[i]!.push(row);
        await turns(Math.max(0, random(5) - 2));
        // A backend that was just opened knows only what the folder says.
        const fresh = random(3) === 0 ? await opened(path, tuning) : reader;
        for (const [k, streamId] of streamIds.entries()) {
          const block = await readAll(fresh, streamId, { rowCountMax: 50 });
          expect(block.timestamps.length === 0 ? [] : rowsOf(block)).toEqual(model[k]);
        }
        if (fresh !== reader) await fresh.close();
      }
      await reader.close();
      await writer.close();
    }));

  test('keeps the journal short', () =>
    withFolder(async (path) => {
      const backend = await opened(path, { journalSizeMaxBytes: 4000, sizePerTailBytes: 0 });
      const id = await createStream(backend);
      for (let i = 0; i < 500; i++) await append(backend, id, [[i, i]]);
      await turns(5);
      await backend.close();
      expect(await journalSizeBytes(path)).toBeLessThan(5000);
      // Merged as they double, not strewn: a few blocks for the rows of dozens of passes.
      expect((await stored(path, 'levels')).count).toBeLessThanOrEqual(6);
    }));

  test('encodes the rows of large writes anew, whether it has seen them written or not', () =>
    withFolder(async (path) => {
      const random = randomSource();
      const noise = () => random(19) + random(19) + random(19) + random(19);
      const rows = Array.from({ length: 30_000 }, (_, i): Row => [i * 1000, noise()]);
      const sizes: number[] = [];
      for (const isSeen of [true, false]) {
        const folder = join(path, String(isSeen));
        let backend = await opened(folder);
        const id = await createStream(backend);
        for (let from = 0; from < rows.length; from += 10_000) {
          await append(backend, id, rows.slice(from, from + 10_000));
        }
        if (!isSeen) {
          await backend.close();
          backend = await opened(folder);
        }
        expect(rowsOf(await readAll(backend, id))).toEqual(rows);
        await backend.checkpoint();
        expect(rowsOf(await readAll(backend, id))).toEqual(rows);
        await backend.close();
        sizes.push((await stored(folder, 'blocks')).sizeBytes);
      }
      expect(sizes[1]).toBe(sizes[0]);
      // The entropy of such noise is 5.5 bits; bit-packed, its differences take seven and more.
      expect(sizes[0]).toBeLessThan(30_000 * 0.75);
    }));

  test('is left no more rows of a level than it encodes at once', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const id = await createStream(backend);
      const random = randomSource();
      const noise = Array.from({ length: 2 ** 17 }, () => random(16) + random(16) + random(16));
      let startMs = 0;
      const write = (rowCount: number): Promise<void> => {
        const rows = noise.slice(0, rowCount).map((value, i): Row => [startMs + i * 1000, value]);
        startMs += rowCount * 1000;
        return append(backend, id, rows);
      };
      // Seven eighths of what may wait, then the rest in two writes, and one too many.
      for (let i = 0; i < 7; i++) await write(2 ** 17);
      for (let i = 0; i < 3; i++) await write(2 ** 16);
      const frames = (await usedFiles(path)).flatMap((file) => file.frames);
      frames.sort((a, b) => a.firstSeq - b.firstSeq);
      const [draft, lastDraft, block] = frames.slice(-3).map(({ sizeBytes }) => sizeBytes);
      expect(lastDraft).toBe(draft);
      expect(block).toBeLessThan(draft! * 0.9);
      expect((await readAll(backend, id, { rowCountMax: 2 ** 21 })).timestamps).toHaveLength(
        startMs / 1000,
      );
      await backend.close();
    }));

  test('waits longer while the rows belong to many slow streams', () =>
    withFolder(async (path) => {
      const backend = await opened(path, { journalSizeMaxBytes: 1000, sizePerTailBytes: 400 });
      const streamIds: StreamId[] = [];
      for (let i = 0; i < 10; i++) streamIds.push(await createStream(backend));
      for (let t = 0; t < 40; t++) {
        const values = new Float64Array(10).fill(t);
        const writes = [{ kind: 'tick' as const, timestampMs: t, streamIds, values }];
        await backend.commit({ expect: [], writes });
      }
      await turns(5);
      await backend.close();
      // 40 ticks are 6 kB: a pass after each kilobyte would rewrite ten blocks for six rows each.
      expect((await stored(path, 'levels')).count).toBeLessThanOrEqual(10);
      expect(await journalSizeBytes(path)).toBeGreaterThan(1000);
    }));
});
