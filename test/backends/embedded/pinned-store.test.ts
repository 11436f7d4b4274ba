import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Datastream } from '../../../src/api/datastream.ts';
import { writeBackup } from '../../../src/backends/embedded/backup.ts';
import { EmbeddedBackend } from '../../../src/backends/embedded/embedded-backend.ts';
import type { PinnedStore } from '../../../src/backends/embedded/pinned-store.ts';
import { Replica } from '../../../src/backends/embedded/replica.ts';
import { openStoreFiles, type StoreFiles } from '../../../src/backends/embedded/store-files.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';

const BASE_MS = Date.UTC(2000, 0, 1);
const NUMERIC = { valueDownsamplers: ['mean', 'max'], highestGranularity: 'seconds' };

let folder: string;
let datastream: Datastream;
let files: StoreFiles;
let second: number;
let ids: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'datastream-pin-'));
  const backend = new EmbeddedBackend(join(folder, 'store'));
  await backend.open();
  datastream = new Datastream(backend);
  files = await openStoreFiles(join(folder, 'store'));
  second = 0;
  ids = [];
  for (let n = 0; n < 5; n++) ids.push(await datastream.ensureStream({ n }, NUMERIC));
});
afterEach(async () => {
  await files.close();
  await datastream.close();
  await rm(folder, { recursive: true, force: true });
});

/** Each tick is a frame of a file of the journal. */
async function tick(count: number): Promise<void> {
  for (let i = 0; i < count; i++, second++) {
    const values = new Float64Array(ids.length).fill(second);
    await datastream.appendTick(BASE_MS + second * 1000, ids, values);
  }
}

/** A commit that stands in LMDB. */
async function create(): Promise<void> {
  await datastream.ensureStream({ later: second }, NUMERIC);
}

function pin(): PinnedStore {
  return new Replica(files).pin();
}

async function assertCopied(pinned: PinnedStore, count: number): Promise<void> {
  const copy = join(folder, 'copy');
  await writeBackup(pinned, copy);
  pinned.release();
  const read = new Datastream(await openBackend(`embedded:${copy}`));
  for (const id of ids) {
    const { values } = await read.getData(id, 'seconds', { start: BASE_MS }).columns();
    expect([...values!]).toEqual(Array.from({ length: count }, (_, n) => n));
  }
  await read.append(ids[0]!, 1, BASE_MS + count * 1000);
  await read.downsampleStreams();
  expect((await read.verify()).differenceCount).toBe(0);
  expect(await read.findStreams().count()).toBe(5);
  await read.close();
  await rm(copy, { recursive: true });
}

test('a pinned store has what was there, whatever is committed to files and to LMDB after it', async () => {
  await tick(100);
  const pinned = pin();
  expect(pinned.segments.length).toBeGreaterThan(0);
  await tick(10);
  await create();
  await tick(10);
  await assertCopied(pinned, 100);
});

test('a pinned store stays when its journal is sealed and its files are removed', async () => {
  await tick(100);
  const pinned = pin();
  await tick(50);
  await datastream.downsampleStreams({ until: BASE_MS + 120_000 });
  await datastream.checkpoint();
  await create();
  await tick(50);
  await assertCopied(pinned, 100);
});

test('a store without files of the journal is pinned as well', async () => {
  await tick(100);
  await datastream.checkpoint();
  const pinned = pin();
  expect(pinned.segments).toEqual([]);
  await tick(20);
  await datastream.checkpoint();
  await assertCopied(pinned, 100);
});

test('a pinned store is not the one that was opened: what is written to the copy stays there', async () => {
  await tick(20);
  await assertCopied(pin(), 20);
  const { values } = await datastream.getData(ids[0]!, 'seconds', { start: BASE_MS }).columns();
  expect(values).toHaveLength(20);
});
