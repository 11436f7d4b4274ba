import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { EmbeddedBackend } from '../../src/backends/embedded/embedded-backend.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { assertWritten, settleAndVerify, startWriter, withReopened } from './written.ts';

const OTHER_WRITER = fileURLToPath(new URL('./feed-writer.mjs', import.meta.url));
const BACKUP_COUNT = 20;
const BASE_MS = Date.UTC(2000, 0, 1);
const NUMERIC = { valueDownsamplers: ['mean', 'max'], highestGranularity: 'seconds' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'datastream-backup-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('a backup of a store that is being written', () => {
  test('holds all that another process has acknowledged before, and verifies', async () => {
    const url = `embedded:${join(folder, 'store')}`;
    const writer = startWriter(url, { round: 0, mode: 'killed' });
    const { child, lines } = writer;
    const exit = once(child, 'exit');
    const close = once(child, 'close');
    await once(child.stdout, 'data');
    const acknowledgedLineCounts: number[] = [];
    const datastream = new Datastream(await openBackend(url));
    for (let i = 0; i < BACKUP_COUNT; i++) {
      await sleep(30);
      acknowledgedLineCounts.push(lines.length);
      // Files of the journal come and go, while they are copied too.
      const passing = i % 3 === 2 ? datastream.checkpoint() : null;
      await Promise.all([datastream.backUp(join(folder, `copy-${i}`)), passing]);
    }
    await datastream.close();
    child.kill('SIGKILL');
    const [code, signal] = await exit;
    assert.equal(signal, 'SIGKILL', `the writer ended by itself (${code}): ${writer.errors()}`);
    await close;
    for (const [i, count] of acknowledgedLineCounts.entries()) {
      const known = lines.map(({ acknowledged, ...line }, index) => ({
        ...line,
        ...(index < count && acknowledged !== undefined && { acknowledged }),
      }));
      await withReopened(`embedded:${join(folder, `copy-${i}`)}`, 0, async (copy) => {
        await assertWritten(copy, { lines: known, label: `backup ${i}` });
        await settleAndVerify(copy);
      });
    }
    expect(acknowledgedLineCounts.at(-1)).toBeGreaterThan(BACKUP_COUNT);
  });

  test('has what another process stored since this one has read, without a turn of the event loop', async () => {
    const url = `embedded:${join(folder, 'store')}`;
    const datastream = new Datastream(await openBackend(url));
    const [a] = await Promise.all(
      ['a', 'b'].map((name) => datastream.ensureStream({ name }, NUMERIC)),
    );
    for (let i = 0; i < 3; i++) {
      await datastream.getStream(a!);
      const { status, stderr } = spawnSync(process.execPath, [
        OTHER_WRITER,
        url,
        `${i * 20}`,
        '20',
      ]);
      assert.equal(status, 0, stderr.toString());
      const copy = join(folder, `copy-${i}`);
      await datastream.backUp(copy);
      await withReopened(`embedded:${copy}`, 0, async (read) => {
        const rowsOf = async (store: Datastream) =>
          (await store.getData(a!, 'seconds', { start: BASE_MS }).columns()).timestamps;
        expect(await rowsOf(read)).toEqual(await rowsOf(datastream));
        await settleAndVerify(read);
      });
    }
    await datastream.close();
  });

  test('has one moment of a store whose journal is sealed all the time, and can be written on', async () => {
    const path = join(folder, 'store');
    const backend = new EmbeddedBackend(path, {
      journalSizeMaxBytes: 20_000,
      sizePerTailBytes: 0,
      sliceLevelCount: 3,
    });
    await backend.open();
    const datastream = new Datastream(backend);
    const ids = await Promise.all(
      Array.from({ length: 12 }, (_, n) => datastream.ensureStream({ n }, NUMERIC)),
    );
    let second = 0;
    let isOver = false;
    const writing = (async () => {
      while (!isOver) {
        const timestampMs = BASE_MS + second * 1000;
        await datastream.appendTick(timestampMs, ids, new Float64Array(ids.length).fill(second));
        second++;
        if (second % 50 === 0) await datastream.downsampleStreams();
      }
    })();
    for (let i = 0; i < BACKUP_COUNT; i++) {
      while (second < (i + 1) * 40) await sleep(1);
      const acknowledgedCount = second;
      const copy = join(folder, `copy-${i}`);
      await datastream.backUp(copy);
      const sentCount = second + 1;
      const read = new Datastream(await openBackend(`embedded:${copy}`));
      const counts = new Set<number>();
      for (const id of ids) {
        const { values } = await read.getData(id, 'seconds', { start: BASE_MS }).columns();
        expect([...values!]).toEqual(Array.from({ length: values!.length }, (_, n) => n));
        counts.add(values!.length);
      }
      // A tick is in it as a whole.
      expect(counts.size).toBe(1);
      const [count] = counts;
      expect(count).toBeGreaterThanOrEqual(acknowledgedCount);
      expect(count).toBeLessThanOrEqual(sentCount);
      await read.append(ids[0]!, 7, BASE_MS + count! * 1000);
      await settleAndVerify(read);
      await read.close();
      await rm(copy, { recursive: true });
    }
    isOver = true;
    await writing;
    await datastream.close();
  });

  test('overwrites nothing, and leaves nothing behind when it fails', async () => {
    const datastream = new Datastream(await openBackend(`embedded:${join(folder, 'store')}`));
    await datastream.ensureStream({ a: 1 }, NUMERIC);
    await datastream.backUp(join(folder, 'copy'));
    await expect(datastream.backUp(join(folder, 'copy'))).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: expect.stringContaining('there is something of that name already'),
    });
    await expect(datastream.backUp(join(folder, 'missing', 'copy'))).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
    });
    await datastream.close();
    expect((await readdir(folder)).sort()).toEqual(['copy', 'store']);
  });
});
