import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { describeWith } from '../servers/available.ts';
import { fill } from './streams.ts';
import { Worker } from './worker.ts';

const STREAM_COUNT = 60;
const SHARD_COUNT = 4;

async function assertPartition(url: string, folder: string): Promise<void> {
  const datastream = new Datastream(await openBackend(url));
  await fill(datastream, { streamCount: STREAM_COUNT, pointCount: 50, derivedCount: 0 });
  const parts = await Promise.all(
    Array.from({ length: SHARD_COUNT }, async (_, index) => {
      const argv = ['--store', url, 'downsample', '--shard', `${index + 1}/${SHARD_COUNT}`];
      const end = await new Worker(argv, { folder, name: `shard-${index}` }).end();
      expect(end).toMatchObject({ exitCode: 0, stderr: '' });
      return [...new Set(end.replacements.map(({ streamId }) => streamId))];
    }),
  );
  const all = (await datastream.findStreams().toArray()).map(({ id }) => id);
  // As a list: a stream in two parts would be there twice.
  expect(parts.flat().sort()).toEqual([...all].sort());
  // Ids are random; that a part of sixty streams is empty happens once in ten million runs.
  expect(parts.filter((part) => part.length > 0)).toHaveLength(SHARD_COUNT);
  await datastream.close();
}

describe('the shards of downsample are disjoint and complete', () => {
  const withFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), 'datastream-shards-'));
    try {
      await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  test('on an embedded store', () =>
    withFolder((folder) => assertPartition(`embedded:${join(folder, 'store')}`, folder)));

  for (const backend of ['postgresql', 'mongodb'] as const) {
    describeWith(backend, ({ createStore }) => {
      test('on a server', () =>
        withFolder(async (folder) => {
          const store = await createStore();
          await assertPartition(store.url, folder);
          await store.drop();
        }));
    });
  }
});
