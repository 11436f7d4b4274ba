import { InvalidBackendUrl } from '../exceptions/errors.ts';
import type { Backend, OpenBackendOptions } from './backend.ts';
import { redactUrl } from './server/store-url.ts';

/** Gets the whole URL, and what comes after the scheme's colon. */
type Opener = (store: StoreUrl, options: OpenBackendOptions) => Promise<Backend>;

interface StoreUrl {
  readonly url: string;
  readonly rest: string;
}

/** By URL scheme. Each imports its backend when it is first asked for. */
const OPENERS: Readonly<Record<string, Opener>> = {
  memory: async (_store, options) => {
    const { MemoryBackend } = await import('./memory/memory-backend.ts');
    return new MemoryBackend(options);
  },
  embedded: async ({ rest }, options) => {
    if (rest === '') {
      throw new InvalidBackendUrl('An embedded store needs a folder, as in "embedded:./data".');
    }
    const { EmbeddedBackend } = await import('./embedded/embedded-backend.ts');
    return new EmbeddedBackend(rest, options);
  },
  mongodb: openMongodb,
  'mongodb+srv': openMongodb,
  postgresql: openPostgresql,
  postgres: openPostgresql,
  influxdb: async ({ url }, options) => {
    const { InfluxdbBackend } = await import('./influxdb/influxdb-backend.ts');
    return new InfluxdbBackend(url, options);
  },
};

async function openMongodb({ url }: StoreUrl, options: OpenBackendOptions): Promise<Backend> {
  const { MongodbBackend } = await import('./mongodb/mongodb-backend.ts');
  return new MongodbBackend(url, options);
}

async function openPostgresql({ url }: StoreUrl, options: OpenBackendOptions): Promise<Backend> {
  const { PostgresqlBackend } = await import('./postgresql/postgresql-backend.ts');
  return new PostgresqlBackend(url, options);
}

/**
 * Opens the store that a URL names: `memory:`, `embedded:PATH`, `postgresql://…`, `mongodb://…`, or
 * `influxdb://HOST:PORT/DATABASE?metadata=postgresql://…`.
 * @throws {InvalidBackendUrl} when the scheme is unknown or something of the URL is missing or wrong.
 * @throws {DriverMissing} when the package that talks to the server is not installed.
 * @throws {BackendUnavailable} when the store cannot be opened: not there, or the server refuses.
 * @throws {StoreFormatUnsupported} when a newer version has written it.
 */
export async function openBackend(url: string, options: OpenBackendOptions = {}): Promise<Backend> {
  const colon = url.indexOf(':');
  const scheme = url.slice(0, Math.max(colon, 0));
  const opener = Object.hasOwn(OPENERS, scheme) ? OPENERS[scheme] : undefined;
  if (opener === undefined) {
    const known = Object.keys(OPENERS).join(':, ');
    const shown = JSON.stringify(redactUrl(url));
    throw new InvalidBackendUrl(`Unknown store URL ${shown}: expected ${known}:.`);
  }
  const backend = await opener({ url, rest: url.slice(colon + 1) }, options);
  await backend.open();
  return backend;
}
