import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StateStore } from '../../src/server/state/state-store.ts';
import {
  appendSeconds,
  ensureStream,
  runCli,
  type TemporaryStore,
  temporaryStore,
} from './harness.ts';

let store: TemporaryStore;
beforeEach(async () => {
  store = await temporaryStore();
});
afterEach(() => store.remove());

describe('backup', () => {
  test('writes a folder that opens as the store, with the state of the service', async () => {
    const { folder } = store;
    const copy = join(folder, 'copy');
    const id = await ensureStream(store, '--query', 'a=1');
    await appendSeconds(store, id, 300);
    const datapoints = await store.cli(['get', id]);
    const state = await StateStore.open(join(folder, 'store', 'service'));
    state.jobPauses.insert({ id: 'cleanup', pausedAtMs: 1, pausedBy: 'anna' });
    const written = await store.cli(['backup', copy]);
    expect(written.exitCode).toBe(0);
    expect(written.stdout).toMatch(/copy: .*B, with the state of the service/);
    await state.close();
    expect(await runCli(['--store', `embedded:${copy}`, 'get', id])).toEqual(datapoints);
    const verified = await runCli(['--store', `embedded:${copy}`, 'verify']);
    expect(verified).toMatchObject({ exitCode: 0 });
    const copied = await StateStore.open(join(copy, 'service'), { creates: false });
    expect(copied.jobPauses.require('cleanup').pausedBy).toBe('anna');
    await copied.close();
    const again = await store.cli(['backup', copy]);
    expect(again).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('There is something at'),
    });
    expect((await readdir(folder)).sort()).toEqual(['copy', 'store']);
  });

  test('of a store in memory, or of no store, is refused; of the state alone it works anywhere', async () => {
    const { folder } = store;
    const copy = join(folder, 'copy');
    expect(await runCli(['--store', 'memory:', 'backup', copy])).toMatchObject({ exitCode: 34 });
    const missing = `embedded:${join(folder, 'missing')}`;
    expect(await runCli(['--store', missing, 'backup', copy])).toMatchObject({ exitCode: 31 });
    const folderOfState = join(folder, 'state');
    const argv = ['--store', 'postgresql://nowhere/x', 'backup', copy, '--state-only'];
    expect(await runCli([...argv, '--state', folderOfState])).toMatchObject({ exitCode: 2 });
    await (await StateStore.open(folderOfState)).close();
    const written = await runCli([...argv, '--state', folderOfState]);
    expect(written).toMatchObject({ exitCode: 0 });
    expect(await readdir(copy)).toEqual(['service']);
    expect((await readdir(folder)).sort()).toEqual(['copy', 'state']);
  });
});
