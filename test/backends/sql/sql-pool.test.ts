import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { SqlPool } from '../../../src/backends/sql/sql-pool.ts';

/** Messages of the PostgreSQL manual, "Message Formats". */
const AUTHENTICATION_OK = message('R', Buffer.from([0, 0, 0, 0]));
const READY_FOR_QUERY = message('Z', Buffer.from('I'));
const GOING_AWAY = message('E', Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0'));

const servers: Server[] = [];
const pools: SqlPool[] = [];

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close();
  for (const server of servers.splice(0)) server.close();
});

test('a server that goes away in the packet that ends the greeting fails the query, not the process', async () => {
  const pool = await poolOf((socket) =>
    socket.end(Buffer.concat([AUTHENTICATION_OK, READY_FOR_QUERY, GOING_AWAY])),
  );
  await expect(pool.query('SELECT 1')).rejects.toMatchObject({
    name: 'SqlFailure',
    isConnectionLost: true,
    isPassing: true,
  });
});

test('the next query has a connection of its own', async () => {
  let count = 0;
  const pool = await poolOf((socket) => {
    count++;
    socket.end(Buffer.concat([AUTHENTICATION_OK, READY_FOR_QUERY, GOING_AWAY]));
  });
  await expect(pool.query('SELECT 1')).rejects.toThrow();
  await expect(pool.query('SELECT 1')).rejects.toThrow();
  expect(count).toBe(2);
});

async function poolOf(greet: (socket: Socket) => void): Promise<SqlPool> {
  const server = createServer((socket) => {
    socket.once('data', () => greet(socket));
    socket.on('error', () => {});
  });
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const pool = await SqlPool.create({
    connectionString: `postgresql://user@127.0.0.1:${port}/name`,
    location: `127.0.0.1:${port}`,
    schema: 'public',
    poolSize: 1,
    connectTimeoutMs: 5000,
    queryTimeoutMs: 5000,
    retryTimeoutMs: 5000,
  });
  pools.push(pool);
  return pool;
}

function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + body.length);
  return Buffer.concat([Buffer.from(type), length, body]);
}
