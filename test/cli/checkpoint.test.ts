import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { humanQuantity } from '../../src/cli/format/human.ts';
import { ensureStream, NOW, runCli, type TemporaryStore, temporaryStore } from './harness.ts';

let store: TemporaryStore;

beforeEach(async () => {
  store = await temporaryStore();
});

afterEach(() => store.remove());

function storeFiles(): { readonly sizeText: string; readonly journalCount: number } {
  const folder = join(store.folder, 'store');
  const names = readdirSync(folder);
  const sizeBytes = names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  return {
    sizeText: humanQuantity(sizeBytes, 'B'),
    journalCount: names.filter((name) => name.startsWith('journal-')).length,
  };
}

/** Many commits of one process, so that the store has a journal. */
async function appendOneByOne(streamId: string, count: number): Promise<void> {
  const datastream = new Datastream(await openBackend(store.url), { now: () => NOW });
  for (let i = 0; i < count; i++) {
    await datastream.append(streamId, i, new Date(NOW.getTime() + i * 1000));
  }
  await datastream.close();
}

describe('checkpoint', () => {
  test('empties the journal, says what became of the size, and keeps every datapoint', async () => {
    const id = await ensureStream(store, '--query', 'm=a');
    await appendOneByOne(id, 300);
    const datapoints = await store.cli(['get', id]);
    const before = storeFiles();
    expect(before.journalCount).toBeGreaterThan(0);
    const { exitCode, stdout, stderr } = await store.cli(['checkpoint']);
    const after = storeFiles();
    expect(after.journalCount).toBe(0);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(`${store.url}: ${before.sizeText} before, ${after.sizeText} after\n`);
    expect(await store.cli(['get', id])).toEqual(datapoints);
  });

  test('names a store that is no folder', async () => {
    const result = await runCli(['--store', 'memory:', 'checkpoint']);
    expect(result).toEqual({ exitCode: 0, stdout: 'memory:\n', stderr: '' });
  });
});
