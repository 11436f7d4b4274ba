import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { Backend } from '../../../src/backends/backend.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import { createStream, newRecord, readRaw } from '../../../src/conformance/contract/rows-of.ts';
import { BASE_MS } from '../../../src/conformance/fixture.ts';
import { rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { describeWithOwn } from '../../servers/available.ts';

const PASSWORD = 'not-the-password';

function withParameters(
  url: string,
  parameters: Readonly<Record<string, string | number>>,
): string {
  const result = new URL(url);
  for (const [name, value] of Object.entries(parameters)) {
    result.searchParams.set(name, String(value));
  }
  return result.href;
}

async function failureOf(work: () => Promise<unknown>): Promise<Error & { code?: unknown }> {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a failure');
}

function appendOne(backend: Backend, streamId: StreamId, second: number): Promise<unknown> {
  const timestamps = Float64Array.of(BASE_MS + second * 1000);
  const block = rawBlock(timestamps, Float64Array.of(second));
  const write = { kind: 'append', streamId, granularity: Granularity.Seconds, block } as const;
  return backend.commit({ expect: [], writes: [write] });
}

/** Appends seconds from 0 on, one commit each, and gives those that were acknowledged. */
function startLoad(
  backend: Backend,
  streamId: StreamId,
): { acknowledged: number[]; stop(): Promise<void> } {
  const acknowledged: number[] = [];
  let isStopped = false;
  const running = (async () => {
    for (let second = 0; !isStopped; second++) {
      await appendOne(backend, streamId, second);
      acknowledged.push(second);
    }
  })();
  return {
    acknowledged,
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

describeWithOwn('postgresql', ({ start }) => {
  test('a server that is not there is named, at once', async () => {
    const { storeUrl, server, stop } = await start();
    await server.kill();
    const url = storeUrl.replace(/\/\/[^@/]*@/, `//datastream:${PASSWORD}@`);
    const error = await failureOf(() => openBackend(url));
    expect(error.code).toBe('BACKEND_UNAVAILABLE');
    expect((error.cause as { code?: unknown }).code).toBe('ECONNREFUSED');
    expect(error.message).toContain(`127.0.0.1:${server.port}`);
    expect(error.message).not.toContain(PASSWORD);
    await stop();
  });

  test('a wrong password and a missing database are told, without the password', async () => {
    const { server, stop } = await start();
    const guarded = new URL(server.passwordUrl!);
    guarded.password = PASSWORD;
    const refused = await failureOf(() => openBackend(guarded.href));
    expect(refused.code).toBe('BACKEND_UNAVAILABLE');
    expect((refused.cause as { code?: unknown }).code).toBe('28P01');
    expect(`${refused.message} ${(refused.cause as Error).message}`).not.toContain(PASSWORD);
    const missing = new URL(server.url);
    missing.pathname = '/nowhere';
    const absent = await failureOf(() => openBackend(missing.href));
    expect(absent.code).toBe('BACKEND_UNAVAILABLE');
    expect((absent.cause as { code?: unknown }).code).toBe('3D000');
    await stop();
  });

  test('killed and restarted under load, it has each acknowledged row once', async () => {
    const { storeUrl, server, stop } = await start();
    const backend = await openBackend(storeUrl);
    const ids: StreamId[] = [];
    for (let index = 0; index < 4; index++) ids.push(await createStream(backend, { index }));
    const loads = ids.map((id) => startLoad(backend, id));
    for (let round = 0; round < 3; round++) {
      const reached = loads.map(({ acknowledged }) => acknowledged.length + 100);
      await until(() => loads.every(({ acknowledged }, i) => acknowledged.length >= reached[i]!));
      await server.kill();
      await server.restart();
    }
    await Promise.all(loads.map((load) => load.stop()));
    for (const [index, id] of ids.entries()) {
      const { acknowledged } = loads[index]!;
      // Nothing failed, so that every row was acknowledged: none may be missing, or there twice.
      const wanted = acknowledged.map((second) => [second, second]);
      expect(await readRaw(backend, id)).toEqual(wanted);
    }
    await backend.close();
    await stop();
  });

  test('a commit that meets a killed server waits for it, and so does a read', async () => {
    const { storeUrl, server, stop } = await start();
    const backend = await openBackend(storeUrl);
    const id = await createStream(backend, {});
    await appendOne(backend, id, 0);
    await server.kill();
    const appending = appendOne(backend, id, 1);
    const reading = backend.countStreams({});
    await server.restart();
    await appending;
    expect(await reading).toBe(1);
    expect(await readRaw(backend, id)).toEqual([
      [0, 0],
      [1, 1],
    ]);
    await backend.close();
    await stop();
  });

  test('a server that stays away fails commits and reads, and serves them when it is back', async () => {
    const { storeUrl, server, stop } = await start();
    const backend = await openBackend(withParameters(storeUrl, { retryTimeoutMs: 50 }));
    const id = await createStream(backend, {});
    await appendOne(backend, id, 0);
    await server.kill();
    const commit = await failureOf(() => appendOne(backend, id, 1));
    expect(commit.code).toBe('STREAM_APPEND_FAILED');
    expect(commit.message).toContain(`127.0.0.1:${server.port}`);
    const read = await failureOf(() => backend.readStreams([id]));
    expect(read.code).toBe('BACKEND_UNAVAILABLE');
    const lease = { owner: 'a', durationMs: 1000 };
    const leasing = await failureOf(() => backend.acquireLease(id, lease));
    expect(leasing.code).toBe('BACKEND_UNAVAILABLE');
    await server.restart();
    await appendOne(backend, id, 2);
    const seconds = (await readRaw(backend, id)).map(([second]) => second);
    expect(seconds).toContain(0);
    expect(seconds).toContain(2);
    await backend.close();
    await stop();
  });

  test('a server that freezes during a commit leaves it open whether it was stored', async () => {
    const { storeUrl, server, stop } = await start();
    const parameters = { queryTimeoutMs: 100, connectTimeoutMs: 100, retryTimeoutMs: 100 };
    const backend = await openBackend(withParameters(storeUrl, parameters));
    const id = await createStream(backend, {});
    await appendOne(backend, id, 0);
    server.pause();
    const error = await failureOf(() => appendOne(backend, id, 1));
    expect(error.code).toBe('STREAM_APPEND_FAILED');
    expect(error.message).toContain('not known');
    server.resume();
    await appendOne(backend, id, 2);
    const seconds = (await readRaw(backend, id)).map(([second]) => second);
    // The frozen one may have been stored once, not twice; the others are there.
    expect([
      [0, 2],
      [0, 1, 2],
    ]).toContainEqual(seconds);
    await backend.close();
    await stop();
  });

  test('creating streams over a restart creates each once', async () => {
    const { storeUrl, server, stop } = await start();
    const backend = await openBackend(storeUrl);
    const creating = Array.from({ length: 50 }, (_, index) =>
      backend.commit({
        expect: [],
        create: [{ record: newRecord({ index }), unlessTags: { index } }],
      }),
    );
    await server.kill();
    await server.restart();
    const outcomes = await Promise.all(creating);
    expect(outcomes.every(({ isCommitted }) => isCommitted)).toBe(true);
    expect(await backend.countStreams({})).toBe(50);
    await backend.close();
    await stop();
  });
});
