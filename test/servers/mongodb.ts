import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CACHE_FOLDER, findProgram, isProgram } from './files.ts';
import { isListening } from './ports.ts';
import { type Place, startServer } from './server-process.ts';
import type { ServerProgram, TestServer } from './test-server.ts';

const BUILT_FERRETDB = join(CACHE_FOLDER, 'ferretdb');
const REPLICA_SET = 'datastream';

/**
 * What speaks MongoDB's wire protocol here: FerretDB where FERRETDB_BIN names one, else a `mongod` on
 * PATH, as a replica set of one so that it has transactions, else the FerretDB of `test/servers/install`.
 */
export const mongodb: ServerProgram = {
  missingReason() {
    if (findFerretdb() !== null || findMongod() !== null) return null;
    const given = process.env['FERRETDB_BIN'];
    if (given !== undefined) return `FERRETDB_BIN names no program: ${given}`;
    return 'no mongod on PATH, no MONGODB_URL, and no FerretDB built (test/servers/install)';
  },
  start() {
    const mongod = findMongod();
    return mongod === null ? startFerretdb(findFerretdb()!) : startMongod(mongod);
  },
};

/** Starts FerretDB on its SQLite store: a database is a file in `data`. */
function startFerretdb(file: string): Promise<TestServer> {
  return startServer({
    name: 'ferretdb',
    stopSignal: 'SIGTERM',
    prepare: makeDataFolder,
    command: (place) => ({
      file,
      args: [`127.0.0.1:${place.port}`, `file:${dataFolder(place)}/`],
    }),
    url: (port) => `mongodb://127.0.0.1:${port}/`,
    ask: (port) => commandMongodb(port, { ping: 1 }),
  });
}

function startMongod(file: string): Promise<TestServer> {
  return startServer({
    name: 'mongod',
    stopSignal: 'SIGTERM',
    prepare: makeDataFolder,
    command: (place) => ({
      file,
      args: [
        ...['--bind_ip', '127.0.0.1', '--port', String(place.port), '--replSet', REPLICA_SET],
        ...['--dbpath', dataFolder(place), '--unixSocketPrefix', place.folder, '--quiet'],
      ],
    }),
    url: (port) => `mongodb://127.0.0.1:${port}/?replicaSet=${REPLICA_SET}`,
    ask: (port) => commandMongodb(port, { ping: 1 }),
    initialize: async (port) => {
      const members = [{ _id: 0, host: `127.0.0.1:${port}` }];
      await commandMongodb(port, { replSetInitiate: { _id: REPLICA_SET, members } });
    },
  });
}

async function commandMongodb(port: number, command: Record<string, unknown>): Promise<void> {
  // Refused, the driver would wait half a second for its next try.
  if (!(await isListening(port))) throw new Error('Nobody listens yet.');
  const { MongoClient } = await import('mongodb');
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 1000,
  });
  try {
    await client.db('admin').command(command);
  } finally {
    await client.close();
  }
}

function findMongod(): string | null {
  return process.env['FERRETDB_BIN'] === undefined ? findProgram('mongod') : null;
}

function findFerretdb(): string | null {
  const file = process.env['FERRETDB_BIN'] ?? BUILT_FERRETDB;
  return isProgram(file) ? file : null;
}

function dataFolder({ folder }: Place): string {
  return join(folder, 'data');
}

async function makeDataFolder(place: Place): Promise<void> {
  await mkdir(dataFolder(place));
}
