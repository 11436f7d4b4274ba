import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { Backend } from '../../../src/backends/backend.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import {
  append,
  createStream,
  readRaw,
  snapshotOf,
} from '../../../src/conformance/contract/rows-of.ts';
import { BASE_MS } from '../../../src/conformance/fixture.ts';
import { rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { describeWithOwn } from '../../servers/available.ts';
import type { TestServer } from '../../servers/test-server.ts';

const PASSWORD = 'not-the-password';

function withParameters(
  url: string,
  parameters: Readonly<Record<string, string | number>>,
): string {
  const added = Object.entries(parameters).map(([name, value]) => `&${name}=${value}`);
  return url + added.join('');
}

async function failureOf(work: () => Promise<unknown>): Promise<Error & { code?: unknown }> {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a failure');
}

/** Everything that an error could put into a log: its own texts and those of its causes. */
function textsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.message} ${error.stack} ${JSON.stringify(error)} ${textsOf(error.cause)}`;
}

async function replaceAll(backend: Backend, streamId: StreamId, values: readonly number[]) {
  const timestamps = Float64Array.from(values, (_, n) => BASE_MS + n * 1000);
  await backend.commit({
    expect: [],
    writes: [
      {
        kind: 'replace',
        streamId,
        granularity: Granularity.Seconds,
        range: { startMs: BASE_MS - 1000, endMs: BASE_MS + 1_000_000 },
        block: rawBlock(timestamps, Float64Array.from(values)),
      },
    ],
  });
}

/** Kills a server for good: PostgreSQL takes a process that nobody has waited for to be alive. */
async function killed(server: TestServer): Promise<void> {
  const { pid } = server;
  await server.kill();
  while (pid !== null && isKnown(pid)) await sleep(5);
}

function isKnown(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Eventually, within what the runner allows. */
async function untilReadable(backend: Backend, streamId: StreamId) {
  for (;;) {
    try {
      return await readRaw(backend, streamId);
    } catch (error) {
      expect((error as { code?: unknown }).code).toBe('BACKEND_UNAVAILABLE');
      await sleep(50);
    }
  }
}

describeWithOwn('influxdb', ({ start }) => {
  test('appends while InfluxDB is away are kept, in their order, for when it is back', async () => {
    const { storeUrl, server, stop } = await start();
    const backend = await openBackend(withParameters(storeUrl, { retryTimeoutMs: 100 }));
    const id = await createStream(backend, {});
    await append(backend, id, [[0, 0]]);
    await server.kill();
    await append(backend, id, [[1, 1]]);
    await append(backend, id, [[2, 2]]);
    await append(backend, id, [[1, 10]]);
    expect((await snapshotOf(backend, id)).latestMs).toBe(BASE_MS + 2000);
    const unreadable = await failureOf(() => readRaw(backend, id));
    expect(unreadable.code).toBe('BACKEND_UNAVAILABLE');
    expect(unreadable.message).toContain(`127.0.0.1:${server.port}`);
    await server.restart();
    expect(await untilReadable(backend, id)).toEqual([
      [0, 0],
      [1, 10],
      [2, 2],
    ]);
    await backend.close();
    await stop();
  });

  test('what a client that died had committed, the next one brings to InfluxDB', async () => {
    const { storeUrl, server, stop } = await start();
    const url = withParameters(storeUrl, { retryTimeoutMs: 50 });
    const first = await openBackend(url);
    const id = await createStream(first, {});
    const gone = await createStream(first, {});
    await append(first, gone, [[0, 1]]);
    await replaceAll(first, id, [1, 2, 3]);
    await server.kill();
    await replaceAll(first, id, [4, 5]);
    await append(first, id, [[2, 6]]);
    await first.commit({ expect: [], delete: [gone] });
    // It ends without having met the server again, as if it had been killed between the steps.
    await first.close();
    await server.restart();
    const second = await openBackend(url);
    expect(await readRaw(second, id)).toEqual([
      [0, 4],
      [1, 5],
      [2, 6],
    ]);
    expect(await readRaw(second, gone)).toEqual([]);
    await second.close();
    await stop();
  });

  test('a commit that has to ask InfluxDB stores nothing while that is away', async () => {
    const { storeUrl, server, stop } = await start();
    const backend = await openBackend(withParameters(storeUrl, { retryTimeoutMs: 50 }));
    const id = await createStream(backend, {});
    await append(backend, id, [
      [0, 0],
      [5, 5],
    ]);
    const before = await snapshotOf(backend, id);
    await server.kill();
    const range = { startMs: BASE_MS + 3000, endMs: BASE_MS + 9000 };
    const block = rawBlock(new Float64Array(0), new Float64Array(0));
    const granularity = Granularity.Seconds;
    const write = { kind: 'replace', streamId: id, granularity, range, block } as const;
    const refused = await failureOf(() => backend.commit({ expect: [], writes: [write] }));
    expect(refused.code).toBe('BACKEND_UNAVAILABLE');
    expect(await snapshotOf(backend, id)).toEqual(before);
    await server.restart();
    await backend.commit({ expect: [], writes: [write] });
    expect((await snapshotOf(backend, id)).latestMs).toBe(BASE_MS);
    expect(await readRaw(backend, id)).toEqual([[0, 0]]);
    await backend.close();
    await stop();
  });

  test('what waits is bounded: beyond it appends are refused, and nothing of them is stored', async () => {
    const { storeUrl, server, stop } = await start();
    const parameters = { retryTimeoutMs: 50, backlogMaxBytes: 2000 };
    const backend = await openBackend(withParameters(storeUrl, parameters));
    const id = await createStream(backend, {});
    await server.kill();
    let second = 0;
    const refused = await failureOf(async () => {
      for (; second < 1000; second++) await append(backend, id, [[second, second]]);
    });
    expect(refused.code).toBe('STREAM_APPEND_FAILED');
    expect(second).toBeGreaterThan(1);
    expect((await snapshotOf(backend, id)).latestMs).toBe(BASE_MS + (second - 1) * 1000);
    await server.restart();
    const rows = await untilReadable(backend, id);
    expect(rows).toEqual(Array.from({ length: second }, (_, n) => [n, n]));
    await append(backend, id, [[second, second]]);
    await backend.close();
    await stop();
  });

  test('a frozen InfluxDB holds up no commit for longer than the retry timeout', async () => {
    const { storeUrl, server, stop } = await start();
    const backend = await openBackend(
      withParameters(storeUrl, { retryTimeoutMs: 100, requestTimeoutMs: 300 }),
    );
    const id = await createStream(backend, {});
    await append(backend, id, [[0, 0]]);
    server.pause();
    await append(backend, id, [[1, 1]]);
    expect((await failureOf(() => readRaw(backend, id))).code).toBe('BACKEND_UNAVAILABLE');
    await append(backend, id, [[2, 2]]);
    server.resume();
    expect(await untilReadable(backend, id)).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
    await backend.close();
    await stop();
  });

  test('killed under load, each server in turn and both, each row is there once', async () => {
    const servers = await start();
    const { storeUrl, stop } = servers;
    const backend = await openBackend(withParameters(storeUrl, { retryTimeoutMs: 200 }));
    const ids: StreamId[] = [];
    for (let index = 0; index < 3; index++) ids.push(await createStream(backend, { index }));
    const acknowledged = ids.map((): number[] => []);
    const attempted = ids.map(() => 0);
    let isRunning = true;
    const loads = ids.map(async (id, index) => {
      for (let second = 0; isRunning; second++) {
        attempted[index] = second;
        try {
          await append(backend, id, [[second, second]]);
          acknowledged[index]!.push(second);
        } catch (error) {
          expect((error as { code?: unknown }).code).toBe('STREAM_APPEND_FAILED');
        }
      }
    });
    for (const victims of [['influxdb'], ['postgresql'], ['influxdb', 'postgresql']] as const) {
      const goals = acknowledged.map((list) => list.length + 30);
      while (acknowledged.some((list, index) => list.length < goals[index]!)) await sleep(5);
      await Promise.all(victims.map((name) => killed(servers.of(name))));
      await Promise.all(victims.map((name) => servers.of(name).restart()));
    }
    isRunning = false;
    await Promise.all(loads);
    for (const [index, id] of ids.entries()) {
      const rows = await untilReadable(backend, id);
      const seconds = rows.map(([second]) => second);
      expect(new Set(seconds).size).toBe(seconds.length);
      expect(rows.every(([second, value]) => second === value)).toBe(true);
      const there = new Set(seconds);
      expect(acknowledged[index]!.filter((second) => !there.has(second))).toEqual([]);
      // What is there beyond the acknowledged was at least asked for.
      expect(Math.max(...seconds)).toBeLessThanOrEqual(attempted[index]!);
      expect((await snapshotOf(backend, id)).latestMs).toBe(BASE_MS + seconds.at(-1)! * 1000);
    }
    await backend.close();
    await stop();
  });

  test('a server that is not there, or refuses the password, is named without it', async () => {
    const { storeUrl, server, stop } = await start({ isAuthRequired: true });
    const location = `127.0.0.1:${server.port}`;
    const open = await openBackend(storeUrl);
    await open.close();
    const wrongUrl = storeUrl.replace(/\/\/([^:]*):[^@]*@/, `//$1:${PASSWORD}@`);
    const refused = await failureOf(() => openBackend(wrongUrl));
    expect(refused.code).toBe('BACKEND_UNAVAILABLE');
    expect(refused.message).toContain(location);
    expect(textsOf(refused)).not.toContain(PASSWORD);
    expect(textsOf(refused)).not.toContain(Buffer.from(PASSWORD).toString('base64').slice(4, -4));
    await server.kill();
    const absent = await failureOf(() => openBackend(wrongUrl));
    expect(absent.code).toBe('BACKEND_UNAVAILABLE');
    expect(absent.message).toContain(location);
    expect(textsOf(absent)).not.toContain(PASSWORD);
    await stop();
  });

  test('a retention policy that is named has to be there', async () => {
    const { storeUrl, stop } = await start();
    const missing = await failureOf(() =>
      openBackend(withParameters(storeUrl, { retention: 'x"y' })),
    );
    expect(missing.code).toBe('BACKEND_UNAVAILABLE');
    const backend = await openBackend(withParameters(storeUrl, { retention: 'autogen' }));
    const id = await createStream(backend, {});
    await append(backend, id, [[0, 1]]);
    expect(await readRaw(backend, id)).toEqual([[0, 1]]);
    await backend.close();
    await stop();
  });

  test('a database that is missing is made', async () => {
    const { storeUrl, stop } = await start();
    const url = storeUrl.replace(/(\/\/[^/]+\/)[^?]*/, '$1a%20%22new%22%20one%3B%20--');
    const backend = await openBackend(url);
    const id = await createStream(backend, {});
    await append(backend, id, [[0, 1]]);
    expect(await readRaw(backend, id)).toEqual([[0, 1]]);
    await backend.close();
    await stop();
  });
});
