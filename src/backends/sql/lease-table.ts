import type { StreamId } from '../../model/stream.ts';
import type { LeaseOptions } from '../backend.ts';
import type { SqlPool } from './sql-pool.ts';
import { escapeText } from './tag-json.ts';

/** `$4` is the time of tests; null means the server's own. */
const NOW = 'coalesce($4::float8, extract(epoch FROM clock_timestamp())::float8 * 1000)';

/** Leases as rows that run out by the server's clock. Each change is one atomic statement. */
export class LeaseTable {
  readonly #pool: SqlPool;
  readonly #table: string;
  readonly #now: (() => Date) | undefined;

  constructor(pool: SqlPool, schema: string, now: (() => Date) | undefined) {
    this.#pool = pool;
    this.#table = `${schema}.leases`;
    this.#now = now;
  }

  async acquire(streamId: StreamId, options: LeaseOptions): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `INSERT INTO ${this.#table} AS held (stream_id, owner, until_ms)
      VALUES ($1, $2, ${NOW} + $3::float8)
      ON CONFLICT (stream_id) DO UPDATE SET owner = excluded.owner, until_ms = excluded.until_ms
      WHERE held.owner = excluded.owner OR held.until_ms <= ${NOW}`,
      this.#values(streamId, options),
    );
    return rowCount === 1;
  }

  async renew(streamId: StreamId, options: LeaseOptions): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `UPDATE ${this.#table} SET until_ms = ${NOW} + $3::float8
      WHERE stream_id = $1 AND owner = $2 AND until_ms > ${NOW}`,
      this.#values(streamId, options),
    );
    return rowCount === 1;
  }

  async release(streamId: StreamId, owner: string): Promise<void> {
    await this.#pool.query(`DELETE FROM ${this.#table} WHERE stream_id = $1 AND owner = $2`, [
      escapeText(streamId),
      escapeText(owner),
    ]);
  }

  #values(streamId: StreamId, { owner, durationMs }: LeaseOptions): readonly unknown[] {
    return [escapeText(streamId), escapeText(owner), durationMs, this.#now?.().getTime() ?? null];
  }
}
