import { chmod, mkdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { StateFiles } from '../../../src/server/state/state-files.ts';
import { StateStore } from '../../../src/server/state/state-store.ts';
import { openedState, temporaryFolder } from './support.ts';

describe('opening a state store', () => {
  test('makes folder and file for their owner alone, also where they were open to others', async () => {
    const folder = join(await temporaryFolder(), 'a', 'b');
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o755);
    await openedState(folder);
    const modes = await Promise.all(
      ['.', 'service.lmdb', 'service.lmdb-lock'].map(
        async (name) => (await stat(join(folder, name))).mode & 0o777,
      ),
    );
    expect(modes).toEqual([0o700, 0o600, 0o600]);
    const above = join(await temporaryFolder(), 'above');
    await openedState(join(above, 'state'));
    expect((await stat(above)).mode & 0o055).toBe(0o055 & ~process.umask());
  });

  test('finds what was stored before', async () => {
    const folder = await temporaryFolder();
    const first = await StateStore.open(folder);
    first.jobPauses.insert({ id: 'alerts', pausedAtMs: 1, pausedBy: 'anna' });
    await first.close();
    const second = await openedState(folder, { creates: false });
    expect(second.jobPauses.all()).toEqual([{ id: 'alerts', pausedAtMs: 1, pausedBy: 'anna' }]);
  });

  test('says what is wrong with the folder, the file and its version', async () => {
    const parent = await temporaryFolder();
    const unavailable = expect.objectContaining({ code: 'STATE_UNAVAILABLE' });
    await writeFile(join(parent, 'file'), '');
    await expect(StateStore.open(join(parent, 'file', 'state'))).rejects.toEqual(unavailable);
    const absent = StateStore.open(join(parent, 'none'), { creates: false });
    await expect(absent).rejects.toEqual(unavailable);
    await mkdir(join(parent, 'damaged'));
    await writeFile(join(parent, 'damaged', 'service.lmdb'), 'no LMDB file at all'.repeat(1000));
    await expect(StateStore.open(join(parent, 'damaged'))).rejects.toEqual(unavailable);
    const cut = join(parent, 'cut');
    const whole = await StateStore.open(cut);
    for (let i = 0; i < 100; i++) {
      whole.jobPauses.insert({ id: String(i), pausedAtMs: 1, pausedBy: 'x'.repeat(1000) });
    }
    await whole.close();
    await truncate(join(cut, 'service.lmdb'), 3 * 4096);
    await expect(StateStore.open(cut)).rejects.toEqual(unavailable);
    const newer = join(parent, 'newer');
    const files = await StateFiles.open(newer, { creates: true });
    files.put(['format'], 2);
    await files.close();
    await expect(StateStore.open(newer)).rejects.toMatchObject({
      code: 'STATE_FORMAT_UNSUPPORTED',
    });
  });
});
