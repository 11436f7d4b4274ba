import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { MongodbBackend } from '../../../src/backends/mongodb/mongodb-backend.ts';
import { parseMongodbUrl } from '../../../src/backends/mongodb/mongodb-url.ts';
import { describeWith, describeWithOwn } from '../../servers/available.ts';
import { append, createStream, numericRecord, opened, readRows } from './fixtures.ts';

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return null;
}

describe('the URL of a MongoDB store', () => {
  test('is taken apart, with several hosts and options too', () => {
    const url = 'mongodb://me:p%40ss@a:1,b:2/store?replicaSet=rs&w=2';
    const { database, location, secrets } = parseMongodbUrl(url);
    expect(database).toBe('store');
    expect(location).toBe('mongodb://me:***@a:1,b:2/store?replicaSet=rs&w=2');
    expect(secrets).toEqual(['p%40ss', 'p@ss']);
  });

  test.each([
    'mongodb://host:1',
    'mongodb://host:1/',
    'mongodb://host:1/?w=1',
    'mongodb:///database',
    'mongodb://host/a.b',
    'mongodb://host/a%24b',
    'mongodb://host/database?w=0',
  ])('is refused when it names no host or database, or asks for no answers: %s', (url) => {
    const error = errorOf(() => new MongodbBackend(url));
    expect(error).toMatchObject({ code: 'INVALID_BACKEND_URL' });
  });

  test.each(['maxPoolSize=x', 'socketTimeoutMS=', 'maxConnecting=1.5'])(
    'may not have the option %s, which is no whole number',
    (option) => {
      const error = errorOf(() => new MongodbBackend(`mongodb://host:1/store?${option}`));
      expect(error).toMatchObject({ code: 'INVALID_BACKEND_URL' });
      expect(String(error)).toContain(option.split('=')[0]);
    },
  );

  test('keeps its password to itself when it is refused', () => {
    const error = errorOf(() => new MongodbBackend('mongodb://me:sesame@host:1'));
    expect(error).toMatchObject({ code: 'INVALID_BACKEND_URL' });
    expect(String(error)).not.toContain('sesame');
  });
});

test('an option that the driver does not know is an error of the URL', async () => {
  const backend = new MongodbBackend('mongodb://me:sesame@host:1/store?colour=red');
  const error = await backend.open().then(
    () => null,
    (reason: Error) => reason,
  );
  expect(error).toMatchObject({ code: 'INVALID_BACKEND_URL' });
  expect(error?.message).toContain('colour');
  expect(error?.message).not.toContain('sesame');
});

test('a server that is not there is an error that names it without its password', async () => {
  const url = 'mongodb://me:sesame@127.0.0.1:1/store?serverSelectionTimeoutMS=200';
  const backend = new MongodbBackend(url, { retryDurationMs: 100 });
  const error = await backend.open().then(
    () => null,
    (reason: Error) => reason,
  );
  expect(error).toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
  expect(error?.message).toContain('127.0.0.1:1');
  expect(error?.message).not.toContain('sesame');
});

describeWith('mongodb', ({ createStore }) => {
  test('several processes may open an empty database at once', async () => {
    const { url, drop } = await createStore();
    const backends = await Promise.all([1, 2, 3, 4].map(() => opened(url)));
    const ids = await Promise.all(backends.map((backend, i) => createStream(backend, { i })));
    expect(new Set((await backends[0]!.readStreams(ids)).map((s) => s?.ordinal)).size).toBe(4);
    for (const backend of backends) await backend.close();
    await drop();
  });

  test('a store of a newer format is refused', async () => {
    const { url, drop } = await createStore();
    await withDatabase(url, async (client) => {
      await client
        .db()
        .collection<{ _id: string }>('meta')
        .insertOne({ _id: 'format', version: 2 } as { _id: string });
    });
    await expect(opened(url)).rejects.toMatchObject({ code: 'STORE_FORMAT_UNSUPPORTED' });
    await drop();
  });

  test('an index of our name with other keys is refused, and the message says which', async () => {
    const { url, drop } = await createStore();
    await withDatabase(url, async (client) => {
      await client.db().collection('datapoints.hours').createIndex({ t: 1 }, { name: 'blocks' });
    });
    const error = await opened(url).then(
      () => null,
      (reason: Error) => reason,
    );
    expect(error).toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    expect(error?.message).toContain('datapoints.hours');
    await drop();
  });

  test('tags of any kind are just values', async () => {
    const { url, drop } = await createStore();
    const backend = await opened(url, { entryCountMax: 2 });
    const all = [
      { name: 'x\'; DROP TABLE streams; --\n",a=1 ' },
      { $where: '1', 'a.b': { $gt: '' }, '': 'empty' },
      { name: { $ne: null } },
      { 'zero\u0000': '\u0000', surrogate: '\ud800', smile: '😀' },
      JSON.parse('{"__proto__": 1, "constructor": 2}'),
    ];
    for (const tags of all) await createStream(backend, tags);
    await createStream(backend, { last: 1 });
    const fresh = await opened(url);
    for (const tags of all) {
      const found = await fresh.queryStreams({ tags, limit: 9 });
      expect(found.map(({ record }) => record.tags)).toEqual([tags]);
    }
    await backend.close();
    await fresh.close();
    await drop();
  });

  test('a commit that fits no document of the journal is refused, and the next ones are taken', async () => {
    const { url, drop } = await createStore();
    const backend = await opened(url);
    const record = numericRecord({ text: 'x'.repeat(12 * 2 ** 20) });
    const commit = { expect: [], create: [{ record }] };
    await expect(backend.commit(commit)).rejects.toMatchObject({ code: 'STREAM_APPEND_FAILED' });
    await createStream(backend);
    expect(await backend.countStreams({})).toBe(1);
    await backend.close();
    await drop();
  });
});

async function withDatabase(
  url: string,
  work: (client: MongoClient) => Promise<void>,
): Promise<void> {
  const client = new MongoClient(url);
  await work(client).finally(() => client.close());
}

describeWithOwn('mongodb', ({ start }) => {
  let servers: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    servers = await start();
  });
  afterAll(() => servers.stop());

  test('a server that goes away fails appends, and after its return they go on', async () => {
    const url = `${servers.storeUrl}${servers.storeUrl.includes('?') ? '&' : '?'}serverSelectionTimeoutMS=200`;
    const backend = await opened(url, { retryDurationMs: 300 });
    const id = await createStream(backend);
    await append(backend, id, [[0, 0]]);
    await servers.server.kill();
    await expect(append(backend, id, [[1, 1]])).rejects.toMatchObject({
      code: 'STREAM_APPEND_FAILED',
      message: expect.stringContaining('not known'),
    });
    await expect(backend.readStreams([id])).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    await servers.server.restart();
    await append(backend, id, [[2, 2]]);
    expect(await readRows(backend, id)).toEqual([
      [0, 0],
      [2, 2],
    ]);
    await backend.close();
  });

  test('an append outlives a short absence of the server', async () => {
    const backend = await opened(servers.storeUrl);
    const id = await createStream(backend);
    await servers.server.kill();
    const appended = append(backend, id, [[0, 0]]);
    await servers.server.restart();
    await appended;
    expect(await readRows(backend, id)).toEqual([[0, 0]]);
    await backend.close();
  });
});
