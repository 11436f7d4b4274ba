// Empty stores to measure: on the servers that the environment names, or on servers started for it.
import { mkdtemp, rm } from 'node:fs/promises';
import { register } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderSizeBytes } from '../peers/process-usage.mjs';

// The servers of the tests are TypeScript.
register('../../scripts/typescript-hook.mjs', import.meta.url);
const { PROGRAMS } = await import('../../test/servers/programs.ts');
const { givenUrlVariable, SERVERS_OF_BACKEND } = await import('../../test/servers/registry.ts');
const { Stores } = await import('../../test/servers/stores.ts');

/** The embedded store comes first: the others must compute what it computes. */
export const BACKEND_NAMES = ['embedded', ...Object.keys(SERVERS_OF_BACKEND)];

const BARE = {
  postgresql: () => import('./bare-postgresql.mjs'),
  mongodb: () => import('./bare-mongodb.mjs'),
  influxdb: () => import('./bare-influxdb.mjs'),
};

/**
 * Hands `work` the means to make stores of one backend, and puts everything away afterwards.
 * @returns what `work` returns, or why there is no such server.
 */
export async function withStores(backend, work) {
  return backend === 'embedded' ? withEmbedded(work) : withServers(backend, work);
}

async function withEmbedded(work) {
  const folder = await mkdtemp(join(tmpdir(), 'datastream-bench-'));
  let count = 0;
  try {
    return await work({
      bare: null,
      createUrl: async () => `embedded:${join(folder, String(count++))}`,
      sizeBytes: async (url) => folderSizeBytes(url.slice('embedded:'.length)),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function withServers(backend, work) {
  // What is measured on disk is then the compressed files, not the log before them.
  process.env['INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION'] ??= '1s';
  const started = [];
  let bare = null;
  let stores = null;
  try {
    const urls = new Map();
    for (const name of SERVERS_OF_BACKEND[backend]) {
      let url = process.env[givenUrlVariable(name)] || null;
      if (url === null) {
        const missing = PROGRAMS[name].missingReason();
        if (missing !== null) return { missing };
        const server = await PROGRAMS[name].start();
        started.push(server);
        url = server.url;
      }
      urls.set(name, url);
    }
    stores = new Stores(backend, (name) => urls.get(name));
    const { openBare, storeSizeBytes } = await BARE[backend]();
    const createUrl = async () => (await stores.create()).url;
    const isOwnServer = !process.env[givenUrlVariable(backend)];
    bare = await openBare(await createUrl(), { isOwnServer });
    const sizeBytes = (url) => storeSizeBytes(url, { isOwnServer });
    return await work({ bare, createUrl, sizeBytes });
  } finally {
    await bare?.close();
    await stores?.dropAll();
    for (const server of started) await server.stop();
  }
}
