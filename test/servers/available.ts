import { afterAll, describe, test } from '@jest/globals';
import { PROGRAMS } from './programs.ts';
import {
  type BackendName,
  isLeftOut,
  missingReasonVariable,
  SERVERS_OF_BACKEND,
  type ServerName,
  sharedUrlVariable,
} from './registry.ts';
import { type Store, Stores } from './stores.ts';
import type { StartOptions, TestServer } from './test-server.ts';

export type { BackendName, ServerName };

/** The servers of one backend that the whole test run shares: nobody may stop or harm them. */
export interface SharedServers {
  /** The URL of the backend's own server; with `createStore`, seldom needed. */
  readonly url: string;
  /** The URL of any of the backend's servers, such as the PostgreSQL beside an InfluxDB. */
  urlOf(server: ServerName): string;
  /**
   * Makes an empty store that nobody else uses. Its URL is ready for `openBackend`:
   * `postgresql://…/NAME`, `mongodb://…/NAME`, `influxdb://…/NAME?metadata=ENCODED_POSTGRESQL_URL`.
   * `drop()` it when done; what a test forgets is dropped after the `describe`.
   */
  createStore(): Promise<Store>;
}

/** The servers of one backend, started for one test, which may kill and restart them. */
export interface OwnServers {
  /** The URL of an empty store on them, ready for `openBackend`; stays over restarts. */
  readonly storeUrl: string;
  /** The backend's own server: the first of `SERVERS_OF_BACKEND`. */
  readonly server: TestServer;
  /** Any of the backend's servers, such as the PostgreSQL beside an InfluxDB. */
  of(server: ServerName): TestServer;
  /** Stops all of them and removes their folders. What a test forgets is stopped after the `describe`. */
  stop(): Promise<void>;
}

/** Says why the run has no shared servers for a backend, or null when it has. */
export function uncoveredReason(backend: BackendName): string | null {
  return (
    SERVERS_OF_BACKEND[backend]
      .filter((server) => process.env[sharedUrlVariable(server)] === undefined)
      .map((server) => process.env[missingReasonVariable(server)] ?? `${server} was not started`)
      .join('; ') || null
  );
}

/**
 * Gives `describe(backend, …)` the shared servers of a backend, or registers one skipped test whose
 * name says why there are none. May stand inside another `describe`.
 *
 * @example
 * describeWith('postgresql', ({ createStore }) => {
 *   test('…', async () => {
 *     const store = await createStore();
 *     const backend = await openBackend(store.url);
 *     …
 *     await backend.close();
 *     await store.drop();
 *   });
 * });
 */
export function describeWith(backend: BackendName, body: (servers: SharedServers) => void): void {
  const reason = uncoveredReason(backend);
  if (reason !== null) {
    skipVisibly(backend, reason);
    return;
  }
  describe(backend, () => {
    const stores = new Stores(backend, urlOfShared);
    afterAll(() => stores.dropAll());
    body({
      url: urlOfShared(SERVERS_OF_BACKEND[backend][0]!),
      urlOf: urlOfShared,
      createStore: () => stores.create(),
    });
  });
}

/**
 * As `describeWith`, for tests that kill, freeze or restart servers: each `start()` starts fresh ones,
 * in about a second. Skips where the programs are not on this machine, whatever servers the run shares.
 */
export function describeWithOwn(
  backend: BackendName,
  body: (context: { start(options?: StartOptions): Promise<OwnServers> }) => void,
): void {
  const reason = SERVERS_OF_BACKEND[backend].map(programMissingReason).filter(Boolean).join('; ');
  if (reason !== '') {
    skipVisibly(backend, reason);
    return;
  }
  describe(backend, () => {
    const running = new Set<OwnServers>();
    afterAll(async () => {
      for (const servers of running) await servers.stop();
    });
    body({
      async start(options) {
        const servers = await startOwnServers(backend, options);
        running.add(servers);
        return servers;
      },
    });
  });
}

/** Starts the servers of a backend and makes an empty store on them; the caller stops them. */
async function startOwnServers(
  backend: BackendName,
  options: StartOptions = {},
): Promise<OwnServers> {
  const names = SERVERS_OF_BACKEND[backend];
  const started = new Map<ServerName, TestServer>();
  const stop = async (): Promise<void> => {
    await Promise.all([...started.values()].map((server) => server.stop()));
  };
  const of = (name: ServerName): TestServer => started.get(name)!;
  try {
    const starts = names.map(async (name) => {
      started.set(name, await PROGRAMS[name].start(options));
    });
    // All have to settle first: one that is still starting could not be stopped.
    const failure = (await Promise.allSettled(starts)).find(({ status }) => status === 'rejected');
    if (failure?.status === 'rejected') throw failure.reason;
    const stores = new Stores(backend, (name) => of(name).passwordUrl ?? of(name).url);
    const { url: storeUrl } = await stores.create();
    return { storeUrl, server: of(names[0]!), of, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function programMissingReason(server: ServerName): string | null {
  return isLeftOut(server)
    ? `${server} is left out by TEST_SERVERS`
    : PROGRAMS[server].missingReason();
}

function urlOfShared(server: ServerName): string {
  return process.env[sharedUrlVariable(server)]!;
}

function skipVisibly(backend: BackendName, reason: string): void {
  describe(backend, () => {
    test.skip(`is not covered: ${reason}`, () => {});
  });
}
