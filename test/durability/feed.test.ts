import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { LocalCopy } from '../engine/feed/local-copy.ts';
import { type BackendName, describeWith } from '../servers/available.ts';
import { linesOf } from './child.ts';

const WRITER = fileURLToPath(new URL('./feed-writer.mjs', import.meta.url));
const ROUND_COUNT = 60;

async function write(url: string, first: number, count: number): Promise<void> {
  const child = spawn(process.execPath, [WRITER, url, String(first), String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = linesOf<unknown>(child.stdout);
  await once(child, 'close');
  expect(lines).toEqual([{ isDone: true }]);
}

/** Follows what two other processes do, one after the other; the second time on from where the first feed ended. */
async function assertFollows(url: string): Promise<void> {
  const datastream = new Datastream(await openBackend(url));
  const ensure = (name: string, definition = {}): Promise<string> =>
    datastream.ensureStream(
      { name },
      { valueDownsamplers: ['mean'], highestGranularity: 'seconds', ...definition },
    );
  const [a, b] = [await ensure('a'), await ensure('b')];
  await ensure('sum', { deriveOp: 'sum', deriveFrom: [a, b] });
  const copy = new LocalCopy(datastream);
  await copy.begin();
  try {
    await write(url, 0, ROUND_COUNT);
    await copy.caughtUp();
    // A round that only appends: however late the feed looks at it, nothing else has happened.
    await write(url, ROUND_COUNT + 1, 1);
    const stored = await copy.caughtUp();
    expect(Object.fromEntries(copy.rows)).toEqual(Object.fromEntries(stored));
    expect(stored.get(a)!.length).toBeGreaterThan(ROUND_COUNT);
    const kinds = new Set(copy.events.map(({ kind }) => kind));
    for (const kind of ['ready', 'appended', 'changed'] as const) expect(kinds).toContain(kind);
    await copy.end();
    await datastream.deleteData(b, { start: new Date(0) });
    await copy.begin({ after: Object.fromEntries(copy.positions) });
    const rest = await copy.caughtUp();
    expect(Object.fromEntries(copy.rows)).toEqual(Object.fromEntries(rest));
    expect(rest.get(b)).toEqual([]);
  } finally {
    await copy.end();
    await datastream.close();
  }
}

describe('a feed tells what another process does', () => {
  test('on an embedded store', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'datastream-feed-'));
    try {
      await assertFollows(`embedded:${folder}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  for (const backend of ['postgresql', 'mongodb', 'influxdb'] satisfies BackendName[]) {
    describeWith(backend, ({ createStore }) => {
      test('on a server', async () => {
        const store = await createStore();
        await assertFollows(store.url);
        await store.drop();
      });
    });
  }
});
