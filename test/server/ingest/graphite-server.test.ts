import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Datastream } from '../../../src/api/datastream.ts';
import type { CommitOutcome, GroupedCommit } from '../../../src/backends/backend.ts';
import { MemoryBackend } from '../../../src/backends/memory/memory-backend.ts';
import { BackendUnavailable } from '../../../src/exceptions/errors.ts';
import { BatchWriter } from '../../../src/server/ingest/batch-writer.ts';
import {
  GraphiteServer,
  type GraphiteServerOptions,
} from '../../../src/server/ingest/graphite-server.ts';
import { DEFAULT_WRITE_OPTIONS } from '../../../src/server/ingest/write-options.ts';
import { NOW_MS } from './support.ts';

/** A memory store that may be away. */
class LeavingBackend extends MemoryBackend {
  isAway = false;
  commitCount = 0;

  protected override async _commitGrouped(commit: GroupedCommit): Promise<CommitOutcome> {
    if (this.isAway) throw new BackendUnavailable('The store is away.');
    this.commitCount++;
    return super._commitGrouped(commit);
  }
}

const nowMs = (): number => NOW_MS;
let server: GraphiteServer | null = null;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server?.stop(0);
  server = null;
});

async function start(options: Partial<GraphiteServerOptions> = {}): Promise<{
  readonly backend: LeavingBackend;
  readonly datastream: Datastream;
  readonly dial: () => Promise<Socket>;
  readonly port: number;
}> {
  const backend = new LeavingBackend();
  await backend.open();
  const datastream = new Datastream(backend);
  server = new GraphiteServer(new BatchWriter(datastream, { nowMs }), {
    host: '127.0.0.1',
    port: 0,
    nowMs,
    write: { ...DEFAULT_WRITE_OPTIONS, duplicates: 'replace' },
    flushMs: 5,
    ...options,
  });
  await server.listen();
  const port = server.port!;
  const dial = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  return { backend, datastream, dial, port };
}

/** Waits for what has no event. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}

async function rowCount(datastream: Datastream): Promise<number> {
  let count = 0;
  for await (const { id } of datastream.findStreams()) {
    count += await datastream.getData(id, 'milliseconds', { start: new Date(0) }).count();
  }
  return count;
}

describe('the Graphite server', () => {
  test('stores what comes over several connections, in whatever pieces', async () => {
    const { datastream, dial } = await start();
    const [one, two] = [await dial(), await dial()];
    one.write('a.b 1 100\na.');
    two.write('c 5 100\nbad\nd;x=1 nan 100\n');
    await until(() => server!.counters.accepted === 3);
    one.write('b 2 101\r\n');
    one.end('a.b 3 102');
    await until(() => server!.counters.accepted === 5);
    await until(() => server!.counters.openConnections === 1);
    expect(server!.counters).toMatchObject({
      connections: 2,
      dropped: 1,
      waiting: 0,
      failedWrites: 0,
      lost: 0,
    });
    expect(await rowCount(datastream)).toBe(5);
    two.write('a.b 3 102\na.b 4 102\n');
    await until(() => server!.counters.accepted === 6);
    expect(server!.counters.duplicate).toBe(1);
    expect(await rowCount(datastream)).toBe(5);
  });

  test('gathers datapoints before it writes them', async () => {
    const { backend, dial } = await start({ flushMs: 50 });
    const socket = await dial();
    for (let i = 0; i < 200; i++) socket.write(`a ${i} ${i}\n`);
    await until(() => server!.counters.accepted === 200);
    expect(backend.commitCount).toBeLessThan(50);
  });

  test('refuses lines that are too long, and goes on', async () => {
    const { dial } = await start({ lineSizeMaxBytes: 100 });
    const socket = await dial();
    socket.write(`${'x'.repeat(100_000)} 1 1\na 1 1\n`);
    await until(() => server!.counters.accepted === 1);
    expect(server!.counters.dropped).toBe(1);
  });

  test('closes connections that are silent', async () => {
    const { dial } = await start({ idleMs: 20 });
    await once(await dial(), 'close');
    await until(() => server!.counters.openConnections === 0);
  });

  test('reads no more while the store is away, and loses nothing', async () => {
    const { backend, datastream, dial } = await start({ waitingRowCountMax: 100 });
    const socket = await dial();
    socket.write('a 0 0\n');
    await until(() => server!.counters.accepted === 1);
    backend.isAway = true;
    const lineCount = 200_000;
    const body = Array.from({ length: lineCount }, (_, i) => `a 1 ${i + 1}\n`).join('');
    socket.end(body);
    await until(() => server!.counters.failedWrites > 0);
    expect(server!.counters.receivedBytes).toBeLessThan(body.length);
    backend.isAway = false;
    await until(() => server!.counters.accepted === lineCount + 1);
    expect(await rowCount(datastream)).toBe(lineCount + 1);
  });

  test('writes all that was read, and what is on its way, before it has stopped', async () => {
    const { datastream, dial } = await start({ flushMs: 10_000 });
    const all = await Promise.all([dial(), dial(), dial()]);
    await until(() => server!.counters.openConnections === 3);
    for (const [index, socket] of all.entries()) {
      await new Promise((resolve) => {
        socket.write(
          Array.from({ length: 1000 }, (_, i) => `s${index} 1 ${i}\n`).join(''),
          resolve,
        );
      });
    }
    await server!.stop(10_000);
    expect(server!.counters).toMatchObject({
      accepted: 3000,
      waiting: 0,
      lost: 0,
      openConnections: 0,
    });
    expect(await rowCount(datastream)).toBe(3000);
  });

  test('says what it lost when the store was away until the end', async () => {
    const { backend, dial } = await start();
    const socket = await dial();
    backend.isAway = true;
    socket.write('a 1 1\nb 2 2\n');
    await until(() => server!.counters.failedWrites > 0);
    await server!.stop(0);
    expect(server!.counters).toMatchObject({ accepted: 0, lost: 2 });
  });

  test('says when its port is taken', async () => {
    const { port } = await start();
    const other = new GraphiteServer(
      new BatchWriter(new Datastream(new MemoryBackend()), { nowMs }),
      {
        host: '127.0.0.1',
        port,
        nowMs,
        write: DEFAULT_WRITE_OPTIONS,
      },
    );
    await expect(other.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
