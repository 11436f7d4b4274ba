import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { StateStore, type StateStoreOptions } from '../../../src/server/state/state-store.ts';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'datastream-state-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** An open state store, closed after the test. */
export async function temporaryState(options: StateStoreOptions = {}): Promise<StateStore> {
  return await openedState(join(await temporaryFolder(), 'state'), options);
}

/** The state store in the folder, closed after the test. */
export async function openedState(
  folder: string,
  options: StateStoreOptions = {},
): Promise<StateStore> {
  const state = await StateStore.open(folder, options);
  cleanups.push(() => state.close());
  return state;
}
