import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { Backend } from '../../../src/backends/backend.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import { createStream, readRaw } from '../../../src/conformance/contract/rows-of.ts';
import { BASE_MS } from '../../../src/conformance/fixture.ts';
import { rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { describeWithOwn } from '../../servers/available.ts';

const ROW_COUNT = 20_000;

/** A file system of 4 MiB; null where this process may not mount one. */
function mountSmall(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'datastream-small-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
}

/** Values that no encoding makes small. */
function appendBatch(backend: Backend, streamId: StreamId, batch: number): Promise<unknown> {
  const startMs = BASE_MS + batch * ROW_COUNT * 1000;
  const timestamps = Float64Array.from({ length: ROW_COUNT }, (_, i) => startMs + i * 1000);
  const block = rawBlock(
    timestamps,
    timestamps.map((t) => Math.sin(t) * 1e9),
  );
  const write = { kind: 'append', streamId, granularity: Granularity.Seconds, block } as const;
  return backend.commit({ expect: [], writes: [write] });
}

const folder = mountSmall();

describeWithOwn('postgresql', ({ start }) => {
  if (folder === null) {
    test.skip('a full disk is not covered: this process may not mount a small one', () => {});
    return;
  }

  test('a full disk refuses an append, and keeps all that was acknowledged', async () => {
    const { storeUrl, server, stop } = await start();
    const client = new Client({ connectionString: storeUrl });
    try {
      const { uid, gid } = statSync(`/proc/${server.pid}`);
      chownSync(folder, uid, gid);
      await client.connect();
      await client.query(`CREATE TABLESPACE small LOCATION '${folder}'`);
      await (await openBackend(storeUrl)).close();
      await client.query('ALTER TABLE datastream.blocks SET TABLESPACE small');
      const backend = await openBackend(storeUrl);
      const id = await createStream(backend, {});
      let batchCount = 0;
      let failure: (Error & { code?: unknown }) | null = null;
      while (failure === null) {
        try {
          await appendBatch(backend, id, batchCount);
          batchCount++;
        } catch (error) {
          failure = error as Error;
        }
      }
      expect(batchCount).toBeGreaterThan(0);
      expect(failure.code).toBe('STREAM_APPEND_FAILED');
      expect((failure.cause as { code?: unknown }).code).toBe('53100');
      expect((await readRaw(backend, id)).length).toBe(batchCount * ROW_COUNT);
      await client.query('ALTER TABLE datastream.blocks SET TABLESPACE pg_default');
      await appendBatch(backend, id, batchCount);
      expect((await readRaw(backend, id)).length).toBe((batchCount + 1) * ROW_COUNT);
      await backend.close();
    } finally {
      await client.end();
      await stop();
      execFileSync('umount', [folder]);
      rmSync(folder, { recursive: true });
    }
  });
});
