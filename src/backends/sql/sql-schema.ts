import { StoreFormatUnsupported } from '../../exceptions/errors.ts';
import type { SqlPool, SqlSession } from './sql-pool.ts';

/** What a backend keeps in the schema beside the catalogue, and the version of all of it. */
export interface SqlLayout {
  /** The backend's name: the stores of two backends do not fit into one schema. */
  readonly name: string;
  readonly version: number;
  /** Statements that create the backend's own tables. */
  readonly tables: (schema: string) => readonly string[];
}

/**
 * Any number, the same in every version: who creates streams, or the schema itself, holds this lock of the
 * schema until the end of the transaction.
 */
const CREATION_LOCK_SEED = 71_420_533;

/** Statement that makes creations of one schema follow each other. Parameter: the schema. */
export const CREATION_LOCK: string = `SELECT pg_advisory_xact_lock(hashtextextended($1, ${CREATION_LOCK_SEED}))`;

/**
 * Creates the tables if they are missing; reads only when they are there. Several processes may do so at once.
 * @throws {StoreFormatUnsupported} when a newer version, or another backend, has written the schema.
 */
export async function ensureSchema(
  pool: SqlPool,
  schema: string,
  { layout, location }: { readonly layout: SqlLayout; readonly location: string },
): Promise<void> {
  const check = async (session: Pick<SqlSession, 'query'>): Promise<boolean> => {
    // Read from the tables: to_regclass() may answer from a cache that is older than the lock.
    const found = await session.query(
      `SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = 'format'`,
      [schema],
    );
    if (found.rowCount === 0) return false;
    const { rows } = await session.query<{ layout: string; version: number }>(
      `SELECT layout, version FROM ${schema}.format`,
    );
    for (const row of rows) checkFormat(row, { layout, where: `${schema} of ${location}` });
    return rows.length > 0;
  };
  if (await check(pool)) return;
  await pool.transaction(async (session) => {
    await session.query(CREATION_LOCK, [schema]);
    if (await check(session)) return;
    const found = await session.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]);
    // Who may not create schemas may still use one that was made for him.
    if (found.rowCount === 0) await session.query(`CREATE SCHEMA ${schema}`);
    for (const statement of [...catalogueTables(schema), ...layout.tables(schema)]) {
      await session.query(statement);
    }
    await session.query(`INSERT INTO ${schema}.format VALUES ($1, $2)`, [
      layout.name,
      layout.version,
    ]);
  });
}

function checkFormat(
  found: { readonly layout: string; readonly version: number },
  { layout, where }: { readonly layout: SqlLayout; readonly where: string },
): void {
  if (found.layout !== layout.name) {
    throw new StoreFormatUnsupported(
      `The schema ${where} belongs to a store of the backend ${found.layout}, not ${layout.name}: name another one with "schema=".`,
    );
  }
  if (found.version > layout.version) {
    throw new StoreFormatUnsupported(
      `The schema ${where} has format version ${found.version}; this version reads up to ${layout.version}.`,
    );
  }
}

/**
 * `heads` has what changes with each append, in short rows of their own: half of each page stays free, so
 * that an update finds room beside its row and no index has to follow.
 */
function catalogueTables(schema: string): readonly string[] {
  return [
    `CREATE TABLE ${schema}.format (layout text PRIMARY KEY, version integer NOT NULL)`,
    `CREATE TABLE ${schema}.streams (
      ordinal bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      id text COLLATE "C" NOT NULL UNIQUE,
      record text NOT NULL,
      tags jsonb NOT NULL
    )`,
    `CREATE INDEX streams_tags ON ${schema}.streams USING gin (tags jsonb_path_ops)`,
    `CREATE TABLE ${schema}.heads (
      ordinal bigint PRIMARY KEY,
      revision bigint NOT NULL,
      version bigint NOT NULL,
      raw_level smallint NOT NULL,
      earliest_ms bigint,
      latest_ms bigint,
      tail bytea NOT NULL DEFAULT ''
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)`,
    // Short tails stay in the row as they are: compressing 1 kB at each append costs more than it saves.
    `ALTER TABLE ${schema}.heads ALTER tail SET STORAGE EXTERNAL`,
    `CREATE TABLE ${schema}.leases (
      stream_id text COLLATE "C" PRIMARY KEY,
      owner text NOT NULL,
      until_ms double precision NOT NULL
    ) WITH (fillfactor = 50)`,
    `CREATE TABLE ${schema}.writers (
      client uuid,
      slot integer,
      epoch integer NOT NULL DEFAULT 0,
      token bigint,
      changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (client, slot)
    ) WITH (fillfactor = 50)`,
  ];
}
