import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '../../src/backends/backend.ts';
import { EmbeddedBackend } from '../../src/backends/embedded/embedded-backend.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { ComputingBackend } from './computing-backend.ts';
import type { RunStore } from './run.ts';

export interface DisposableStore extends RunStore {
  dispose(): Promise<void>;
}

export async function memory(): Promise<DisposableStore> {
  return inMemory(new MemoryBackend());
}

export async function computing(): Promise<DisposableStore> {
  return inMemory(new ComputingBackend());
}

async function inMemory(backend: MemoryBackend): Promise<DisposableStore> {
  await backend.open();
  return { backend, other: backend, dispose: () => backend.close() };
}

/** Small enough that the rows of a history move from the journal into blocks, and blocks split. */
const TUNING = { journalSizeMaxBytes: 2000, sizePerTailBytes: 100, blockRowCountTarget: 16 };

export async function embedded(): Promise<DisposableStore> {
  const folder = await mkdtemp(join(tmpdir(), 'datastream-law-'));
  return openTwice({
    async open() {
      const backend = new EmbeddedBackend(folder, TUNING);
      await backend.open();
      return backend;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  });
}

/** An empty store on a server, with a connection for each of the two engines. */
export async function onServer(store: {
  readonly url: string;
  drop(): Promise<void>;
}): Promise<DisposableStore> {
  return openTwice({ open: () => openBackend(store.url), remove: () => store.drop() });
}

/** Two openings of one store share no memory: they stand for two processes. */
async function openTwice({
  open,
  remove,
}: {
  open(): Promise<Backend>;
  remove(): Promise<void>;
}): Promise<DisposableStore> {
  const store = {
    backend: await open(),
    other: await open(),
    async reopen(): Promise<void> {
      await Promise.all([store.backend.close(), store.other.close()]);
      store.backend = await open();
      store.other = await open();
    },
    async dispose(): Promise<void> {
      await Promise.all([store.backend.close(), store.other.close()]);
      await remove();
    },
  };
  return store;
}
