import { randomBytes } from 'node:crypto';
import { queryInfluxdb } from './influxdb.ts';
import { queryPostgresql } from './postgresql.ts';
import type { BackendName, ServerName } from './registry.ts';

/** An empty place for one backend on servers that others use as well. */
export interface Store {
  /** Ready for `openBackend`. */
  readonly url: string;
  /** Ends who is still connected and removes everything in it. A repeat does nothing. */
  drop(): Promise<void>;
}

/** Everything that people leave in a PostgreSQL database, in one round trip. */
const CLEAR_DATABASE = `
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$
DECLARE name text;
BEGIN
  FOR name IN SELECT nspname FROM pg_namespace
    WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
  LOOP EXECUTE format('DROP SCHEMA %I CASCADE', name); END LOOP;
END $$;
CREATE SCHEMA public;
`;

/** Makes and drops the stores of one backend on given servers. */
export class Stores {
  readonly #backend: BackendName;
  readonly #urlOf: (server: ServerName) => string;
  readonly #open = new Set<Store>();
  /**
   * PostgreSQL databases that were cleared: making and dropping one costs several times a clearing.
   */
  readonly #clearedUrls: string[] = [];

  constructor(backend: BackendName, urlOf: (server: ServerName) => string) {
    this.#backend = backend;
    this.#urlOf = urlOf;
  }

  async create(): Promise<Store> {
    const { url, drop } = await this.#createFor(this.#backend);
    const store: Store = {
      url,
      drop: async () => {
        if (this.#open.delete(store)) await drop();
      },
    };
    this.#open.add(store);
    return store;
  }

  /** Drops what is left, and what was kept for later. */
  async dropAll(): Promise<void> {
    await Promise.all([...this.#open].map((store) => store.drop()));
    for (const url of this.#clearedUrls.splice(0)) {
      const statement = `DROP DATABASE ${databaseOf(url)} WITH (FORCE)`;
      await queryPostgresql(this.#urlOf('postgresql'), statement);
    }
  }

  #createFor(backend: BackendName): Promise<Store> {
    switch (backend) {
      case 'postgresql':
        return this.#createPostgresql();
      case 'influxdb':
        return this.#createInfluxdb();
      case 'mongodb':
        return this.#createMongodb();
    }
  }

  async #createPostgresql(): Promise<Store> {
    const url = this.#clearedUrls.pop() ?? (await this.#createDatabase());
    return {
      url,
      drop: async () => {
        await queryPostgresql(url, CLEAR_DATABASE);
        this.#clearedUrls.push(url);
      },
    };
  }

  async #createDatabase(): Promise<string> {
    const name = newName();
    await queryPostgresql(this.#urlOf('postgresql'), `CREATE DATABASE ${name}`);
    return withDatabase(this.#urlOf('postgresql'), name);
  }

  async #createInfluxdb(): Promise<Store> {
    const metadata = await this.#createPostgresql();
    const server = this.#urlOf('influxdb');
    const name = newName();
    await queryInfluxdb(server, `CREATE DATABASE ${name}`);
    return {
      url: `${withDatabase(server, name)}?metadata=${encodeURIComponent(metadata.url)}`,
      drop: async () => {
        await queryInfluxdb(server, `DROP DATABASE ${name}`);
        await metadata.drop();
      },
    };
  }

  async #createMongodb(): Promise<Store> {
    const url = withDatabase(this.#urlOf('mongodb'), newName());
    return {
      url,
      drop: async () => {
        const { MongoClient } = await import('mongodb');
        const client = new MongoClient(url);
        try {
          await client.db().dropDatabase();
        } finally {
          await client.close();
        }
      },
    };
  }
}

/** Names a database of another run too seldom to matter; plain in every server's syntax. */
function newName(): string {
  return `datastream_test_${randomBytes(6).toString('hex')}`;
}

/**
 * Replaces the database of a URL and keeps its options. By text, because `URL` knows no list of hosts.
 * A MongoDB user is looked up in the URL's database unless it says otherwise, so it has to say it now.
 */
export function withDatabase(url: string, name: string): string {
  const [, server = '', before = '', options = ''] = url.match(
    /^([^:]+:\/\/[^/?]*)\/?([^?]*)(.*)$/,
  )!;
  const needsSource = /^mongodb.*@/.test(server) && !options.includes('authSource=');
  const source = `${options === '' ? '?' : '&'}authSource=${before || 'admin'}`;
  return `${server}/${name}${options}${needsSource ? source : ''}`;
}

function databaseOf(url: string): string {
  return url.match(/^[^:]+:\/\/[^/?]*\/([^?]*)/)![1]!;
}
