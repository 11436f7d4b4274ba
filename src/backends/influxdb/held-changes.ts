import { randomBytes } from 'node:crypto';
import { BackendUnavailable } from '../../exceptions/errors.ts';
import type { StreamId } from '../../model/stream.ts';
import type { SqlSession } from '../sql/sql-pool.ts';
import { escapeText } from '../sql/tag-json.ts';
import { type Refusals, split, streamIdsOfChange } from './careful-applier.ts';
import { decodeChanges, encodeChanges, type PendingChange } from './pending-change.ts';

type Queries = Pick<SqlSession, 'query'>;

/**
 * Changes that InfluxDB has refused, and those behind them of the same streams. They stay in the queue, with
 * the reason beside them, and are passed over until somebody asks for one of the streams.
 */
export class HeldChanges {
  readonly #schema: string;
  readonly #table: string;
  readonly #location: string;

  constructor(schema: string, location: string) {
    this.#schema = schema;
    this.#table = `${schema}.pending_changes`;
    this.#location = location;
  }

  /** Lets all of them wait again, to be tried once more. */
  async release(session: Queries): Promise<void> {
    await session.query(`UPDATE ${this.#table} SET refusal = NULL WHERE refusal IS NOT NULL`);
  }

  async refusals(session: Queries): Promise<Refusals> {
    const { rows } = await session.query<{ refusal: string }>(
      `SELECT refusal FROM ${this.#table} WHERE refusal IS NOT NULL ORDER BY seq DESC`,
    );
    return new Map(rows.flatMap(({ refusal }) => entriesOf(refusal)));
  }

  /** Makes a row of the queue what is held back of it; with nothing, removes it. */
  async hold(
    session: Queries,
    options: {
      readonly seq: string;
      readonly changes: readonly PendingChange[];
      readonly refusals: Refusals;
    },
  ): Promise<void> {
    const { seq, changes, refusals } = options;
    if (changes.length === 0) {
      await session.query(`DELETE FROM ${this.#table} WHERE seq = $1`, [seq]);
      return;
    }
    const streamIds = [...new Set(changes.flatMap(streamIdsOfChange))];
    const refusal = Object.fromEntries(
      streamIds.map((id) => [id, storable(refusals.get(id) ?? '')]),
    );
    await session.query(
      `UPDATE ${this.#table} SET mark = $2, body = $3, refusal = $4, ordinals = ARRAY(
        SELECT ordinal FROM ${this.#schema}.streams WHERE id = ANY($5::text[])
      ) WHERE seq = $1`,
      [seq, newMark(), encodeChanges(changes), JSON.stringify(refusal), streamIds.map(escapeText)],
    );
  }

  /** Removes what was held back of streams that are gone. */
  async forget(session: Queries, streamIds: ReadonlySet<StreamId>): Promise<void> {
    if (streamIds.size === 0) return;
    const { rows } = await session.query<{ seq: string; body: Buffer; refusal: string }>(
      `SELECT seq, body, refusal FROM ${this.#table} WHERE refusal IS NOT NULL
      AND refusal::jsonb ?| $1::text[]`,
      [[...streamIds]],
    );
    for (const { seq, body, refusal } of rows) {
      const where = `pending change ${seq} of ${this.#location}`;
      const changes = decodeChanges(body, where).flatMap((change) => {
        const [rest] = split(change, (streamId) => streamIds.has(streamId));
        return rest === null ? [] : [rest];
      });
      await this.hold(session, { seq, changes, refusals: new Map(entriesOf(refusal)) });
    }
  }

  /** @throws {BackendUnavailable} when something of the stream is held back. */
  async assertNone(session: Queries, streamId: StreamId): Promise<void> {
    const { rows } = await session.query<{ reason: string }>(
      `SELECT refusal::json->>$1 AS reason FROM ${this.#table}
      WHERE refusal IS NOT NULL AND refusal::jsonb ? $1::text ORDER BY seq LIMIT 1`,
      [streamId],
    );
    const [row] = rows;
    if (row === undefined) return;
    throw new BackendUnavailable(
      `The store ${this.#location} refuses what was written to stream ${streamId}: ${row.reason}. ` +
        'It is kept in PostgreSQL, and tried again at each read of the stream.',
    );
  }
}

/** A random bigint that tells a row of the queue from every other that has had its number. */
export function newMark(): string {
  return (randomBytes(8).readBigUInt64BE() >> 1n).toString();
}

/** PostgreSQL's JSON has neither NUL nor half a character. */
function storable(reason: string): string {
  return Buffer.from(reason).toString().replaceAll('\0', ' ');
}

function entriesOf(refusal: string): [StreamId, string][] {
  return Object.entries(JSON.parse(refusal) as Record<StreamId, string>) as [StreamId, string][];
}
