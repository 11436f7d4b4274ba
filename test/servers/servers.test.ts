import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { InfluxDB } from 'influx';
import { MongoClient } from 'mongodb';
import { Client } from 'pg';
import { describeWith, describeWithOwn } from './available.ts';
import { isListening } from './ports.ts';
import { isRunning, untilGone } from './processes.ts';
import { PROGRAMS } from './programs.ts';
import { commandRedis } from './redis.ts';
import { isLeftOut, SERVER_NAMES, type ServerName } from './registry.ts';
import { withDatabase } from './stores.ts';
import type { TestServer } from './test-server.ts';

const DATABASE = 'servers_test';

/** Talks to a server with the driver that the backends use. */
interface Conversation {
  /** Says whether one thing has been written, which is not written twice. */
  write(url: string): Promise<void>;
  /** Gives the values written, in any order. */
  read(url: string): Promise<unknown>;
}

const CONVERSATIONS: Readonly<Record<ServerName, Conversation>> = {
  postgresql: {
    write: async (url) => {
      await queryRows(url, 'CREATE TABLE kept (value integer)');
      await queryRows(url, 'INSERT INTO kept VALUES (42)');
    },
    read: (url) => queryRows(url, 'SELECT value FROM kept'),
  },
  influxdb: {
    write: async (url) => {
      const client = influxClient(url);
      await client.createDatabase(DATABASE);
      await client.writePoints([{ measurement: 'kept', fields: { value: 42 } }]);
    },
    read: async (url) => [...(await influxClient(url).query('SELECT value FROM kept'))].map(keptIn),
  },
  mongodb: {
    write: (url) =>
      withMongo(url, async (client) => {
        await client.db(DATABASE).collection('kept').insertOne({ value: 42 });
      }),
    read: (url) =>
      withMongo(url, async (client) => {
        const found = await client.db(DATABASE).collection('kept').find().toArray();
        return found.map(keptIn);
      }),
  },
  redis: {
    write: async (url) => {
      expect(await commandRedis(Number(new URL(url).port), 'SADD kept 42')).toBe(':1');
    },
    // An inline command's answer of one line: whether 42 is there, as the rows of the others are.
    read: async (url) =>
      (await commandRedis(Number(new URL(url).port), 'SISMEMBER kept 42')) === ':1'
        ? [{ value: 42 }]
        : [],
  },
};

describe.each(SERVER_NAMES)('%s', (name) => {
  const reason = isLeftOut(name) ? 'left out by TEST_SERVERS' : PROGRAMS[name].missingReason();
  if (reason !== null) {
    test.skip(`is not on this machine: ${reason}`, () => {});
    return;
  }
  const { write, read } = CONVERSATIONS[name];

  test('has what was written before it was killed, and before it was ended in order', () =>
    withServer(name, async (server) => {
      await write(server.url);
      const { port, pid } = server;
      await server.kill();
      expect(server.pid).toBeNull();
      expect(await isListening(port)).toBe(false);

      await server.restart();
      expect(server.pid).not.toBe(pid);
      expect(await read(server.url)).toEqual([{ value: 42 }]);
      await server.restart();
      expect(await read(server.url)).toEqual([{ value: 42 }]);
      expect(server.port).toBe(port);
    }));

  test.each(['running', 'killed'])('leaves no listener and no folder when stopped, %s', (state) =>
    withServer(name, async (server) => {
      expect(existsSync(server.folder)).toBe(true);
      if (state === 'killed') await server.kill();
      await server.stop();
      await server.stop();
      expect(await isListening(server.port)).toBe(false);
      expect(existsSync(server.folder)).toBe(false);
      await expect(server.restart()).rejects.toThrow();
    }),
  );

  test('accepts connections without an answer while it is frozen', () =>
    withServer(name, async (server) => {
      await write(server.url);
      server.pause();
      let isAnswered = false;
      const rows = read(server.url).finally(() => {
        isAnswered = true;
      });
      expect(await isListening(server.port)).toBe(true);
      expect(isAnswered).toBe(false);
      server.resume();
      expect(await rows).toEqual([{ value: 42 }]);
    }));
});

describe('passwords', () => {
  describeWithOwn('influxdb', ({ start }) => {
    test('are asked for by InfluxDB where the test wants it, and by PostgreSQL of one role', async () => {
      const servers = await start({ isAuthRequired: true });
      const influx = servers.of('influxdb');
      await influxClient(influx.passwordUrl!).createDatabase(DATABASE);
      await expect(influxClient(influx.url).getDatabaseNames()).rejects.toThrow();
      const wrongInflux = influxClient(withWrongPassword(influx.passwordUrl!));
      await expect(wrongInflux.getDatabaseNames()).rejects.toThrow();

      const { passwordUrl } = servers.of('postgresql');
      expect(await queryRows(passwordUrl!, 'SELECT 1 AS value')).toEqual([{ value: 1 }]);
      await expect(queryRows(withWrongPassword(passwordUrl!), 'SELECT 1')).rejects.toMatchObject({
        code: '28P01',
      });
      await servers.stop();
    });
  });
});

describe('stores on shared servers', () => {
  describeWith('postgresql', ({ createStore }) => {
    test('are empty databases of their own, also when one is used again', async () => {
      const [one, other] = await Promise.all([createStore(), createStore()]);
      const idle = await connectPostgresql(one.url);
      await idle.query(
        'CREATE SCHEMA more; CREATE TABLE more.t (x int); CREATE TABLE kept (x int)',
      );
      await expect(queryRows(other.url, 'SELECT * FROM kept')).rejects.toMatchObject({
        code: '42P01',
      });
      await one.drop();
      await one.drop();
      await expect(idle.query('SELECT 1')).rejects.toThrow();
      const again = await createStore();
      const tables = `SELECT relname FROM pg_class JOIN pg_namespace n ON relnamespace = n.oid
        WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'`;
      expect(await queryRows(again.url, tables)).toEqual([]);
      await queryRows(again.url, 'CREATE TABLE kept (x int)');
    });
  });

  describeWith('mongodb', ({ createStore }) => {
    test('are databases of their own', async () => {
      const [one, other] = await Promise.all([createStore(), createStore()]);
      const count = (url: string) =>
        withMongo(url, (client) => client.db().collection('kept').countDocuments());
      await withMongo(one.url, (client) => client.db().collection('kept').insertOne({ value: 1 }));
      expect([await count(one.url), await count(other.url)]).toEqual([1, 0]);
      await one.drop();
      expect(await count(one.url)).toBe(0);
    });
  });

  describeWith('influxdb', ({ createStore }) => {
    test('are an InfluxDB database with a PostgreSQL database beside it', async () => {
      const store = await createStore();
      const { pathname, searchParams } = new URL(store.url);
      expect(await influxClient(store.url).getDatabaseNames()).toContain(pathname.slice(1));
      const metadata = searchParams.get('metadata')!;
      expect(await queryRows(metadata, 'SELECT 1 AS value')).toEqual([{ value: 1 }]);
      await store.drop();
      expect(await influxClient(store.url).getDatabaseNames()).not.toContain(pathname.slice(1));
    });
  });
});

describe('replacing the database of a URL', () => {
  test.each([
    ['postgresql://u@h:1/postgres', 'postgresql://u@h:1/new'],
    ['mongodb://h:1', 'mongodb://h:1/new'],
    ['mongodb://a:1,b:2/?replicaSet=r', 'mongodb://a:1,b:2/new?replicaSet=r'],
    ['mongodb://u:p@h/', 'mongodb://u:p@h/new?authSource=admin'],
    ['mongodb://u:p@h/users?tls=true', 'mongodb://u:p@h/new?tls=true&authSource=users'],
    ['mongodb://u:p@h/?authSource=x', 'mongodb://u:p@h/new?authSource=x'],
  ])('%s gives %s', (url, expected) => {
    expect(withDatabase(url, 'new')).toBe(expected);
  });
});

(PROGRAMS.redis.missingReason() === null && !isLeftOut('redis') ? test : test.skip)(
  'a run that is killed takes its servers and their folders with it',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'datastream-interrupted-'));
    const report = join(folder, 'report.json');
    const jest = fileURLToPath(new URL('../../node_modules/jest/bin/jest.js', import.meta.url));
    const args = ['--runInBand', '--testMatch', '**/interrupted-run.fixture.ts'];
    const run = spawn(process.execPath, ['--experimental-vm-modules', jest, ...args], {
      env: {
        ...process.env,
        TEST_SERVERS: 'none',
        REQUIRE_SERVERS: '',
        INTERRUPTED_RUN_REPORT: report,
      },
      stdio: 'ignore',
    });
    try {
      while (!existsSync(report) && run.exitCode === null) await sleep(20);
      const server = JSON.parse(await readFile(report, 'utf8')) as {
        pid: number;
        port: number;
        folder: string;
      };
      expect(isRunning(server.pid)).toBe(true);
      run.kill('SIGKILL');
      await untilGone(server.pid);
      while (existsSync(server.folder)) await sleep(20);
      expect(await isListening(server.port)).toBe(false);
    } finally {
      run.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    }
  },
);

async function withServer(
  name: ServerName,
  body: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await PROGRAMS[name].start();
  try {
    await body(server);
  } finally {
    await server.stop();
  }
}

async function connectPostgresql(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function queryRows(url: string, text: string): Promise<unknown[]> {
  const client = await connectPostgresql(url);
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

function influxClient(url: string): InfluxDB {
  const { hostname, port, username, password } = new URL(url);
  return new InfluxDB({
    database: DATABASE,
    host: hostname,
    port: Number(port),
    ...(username !== '' && { username, password }),
  });
}

async function withMongo<Result>(
  url: string,
  body: (client: MongoClient) => Promise<Result>,
): Promise<Result> {
  const client = new MongoClient(url);
  try {
    return await body(client);
  } finally {
    await client.close();
  }
}

function keptIn(row: unknown): unknown {
  return { value: (row as { value: unknown }).value };
}

function withWrongPassword(url: string): string {
  const wrong = new URL(url);
  wrong.password = 'not-this-one';
  return wrong.href;
}
