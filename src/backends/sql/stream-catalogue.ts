import type { StreamId, StreamRecord, StreamSnapshot } from '../../model/stream.ts';
import { matchesTags, type Tags } from '../../model/tags.ts';
import type { StreamQuery, StreamVersion } from '../backend.ts';
import type { SqlPool, SqlSession } from './sql-pool.ts';
import { escapeText, isExactInSql, tagJson } from './tag-json.ts';

interface VersionRow {
  readonly ordinal: string;
  readonly revision: string;
  readonly version: string;
}

interface SnapshotRow extends VersionRow {
  readonly record: string;
  readonly earliest_ms: string | null;
  readonly latest_ms: string | null;
}

/** Rows looked through at a time when counting what the server cannot count alone. */
const COUNT_PAGE_SIZE = 1000;

/** Reads stream records with their heads, by id and by tags. */
export class StreamCatalogue {
  readonly #pool: SqlPool;
  readonly #schema: string;
  readonly #snapshots: string;

  constructor(pool: SqlPool, schema: string) {
    this.#pool = pool;
    this.#schema = schema;
    this.#snapshots = `SELECT s.record, s.ordinal, h.revision, h.version, h.earliest_ms, h.latest_ms
      FROM ${schema}.streams s JOIN ${schema}.heads h USING (ordinal)`;
  }

  async read(streamIds: readonly StreamId[]): Promise<readonly (StreamSnapshot | null)[]> {
    const { rows } = await this.#pool.query<SnapshotRow>(
      `${this.#snapshots} WHERE s.id = ANY($1::text[])`,
      [streamIds.map(escapeText)],
    );
    const found = new Map(rows.map(snapshotOf).map((item) => [item.record.id, item]));
    return streamIds.map((id) => found.get(id) ?? null);
  }

  async readVersions(streamIds: readonly StreamId[]): Promise<readonly (StreamVersion | null)[]> {
    const { rows } = await this.#pool.query<VersionRow & { readonly id: string }>(
      `SELECT s.id, s.ordinal, h.revision, h.version
      FROM ${this.#schema}.streams s JOIN ${this.#schema}.heads h USING (ordinal)
      WHERE s.id = ANY($1::text[])`,
      [streamIds.map(escapeText)],
    );
    const found = new Map(rows.map(({ id, ...row }) => [id, row]));
    return streamIds.map((id) => {
      const row = found.get(escapeText(id));
      if (row === undefined) return null;
      const { ordinal, revision, version } = row;
      return { ordinal: Number(ordinal), revision, version };
    });
  }

  /** Every commit puts a token of its own into a row of a writer: as few rows as there are connections. */
  async changeToken(): Promise<string> {
    const { rows } = await this.#pool.query<{ token: string }>(
      `SELECT md5(coalesce(string_agg(concat_ws(' ', client, slot, token), ',' ORDER BY client, slot), '')) AS token
      FROM ${this.#schema}.writers`,
      [],
    );
    return rows[0]!.token;
  }

  async query(query: StreamQuery): Promise<readonly StreamSnapshot[]> {
    const { tags, limit } = query;
    const found: StreamSnapshot[] = [];
    let { afterOrdinal } = query;
    for (;;) {
      const wanted = limit - found.length;
      const rows = await this.#candidates(this.#pool, { ...query, afterOrdinal, limit: wanted });
      const page = rows.map(snapshotOf);
      found.push(...page.filter(({ record }) => matchesTags(record.tags, tags)));
      if (found.length >= limit || rows.length < wanted) return found;
      afterOrdinal = page.at(-1)!.ordinal;
    }
  }

  async count(tags: Tags): Promise<number> {
    if (isExactInSql(tags)) {
      const { rows } = await this.#pool.query<{ count: string }>(
        `SELECT count(*) FROM ${this.#schema}.streams WHERE tags @> $1::jsonb`,
        [tagJson(tags)],
        { isUnprepared: true },
      );
      return Number(rows[0]!.count);
    }
    let count = 0;
    let afterOrdinal: number | undefined;
    for (;;) {
      const rows = await this.#candidates(this.#pool, {
        tags,
        afterOrdinal,
        limit: COUNT_PAGE_SIZE,
      });
      count += rows.filter(({ record }) => matchesTags(parseRecord(record).tags, tags)).length;
      if (rows.length < COUNT_PAGE_SIZE) return count;
      afterOrdinal = Number(rows.at(-1)!.ordinal);
    }
  }

  /** Whether any stream matches, as the session sees it. */
  async hasMatch(session: SqlSession, tags: Tags): Promise<boolean> {
    let afterOrdinal: number | undefined;
    for (let limit = 1; ; limit = COUNT_PAGE_SIZE) {
      const rows = await this.#candidates(session, { tags, afterOrdinal, limit });
      if (rows.some(({ record }) => matchesTags(parseRecord(record).tags, tags))) return true;
      if (rows.length < limit) return false;
      afterOrdinal = Number(rows.at(-1)!.ordinal);
    }
  }

  /** Streams whose tags contain the query's by the rules of jsonb, which are a little wider. */
  async #candidates(
    session: Pick<SqlSession, 'query'>,
    query: Omit<StreamQuery, 'afterOrdinal'> & { readonly afterOrdinal?: number | undefined },
  ): Promise<readonly SnapshotRow[]> {
    const { tags, afterOrdinal, isReverse = false, limit } = query;
    const values: unknown[] = [limit];
    const conditions: string[] = [];
    // The index does not help with a query that every stream matches.
    if (Object.keys(tags).length > 0) {
      conditions.push(`s.tags @> $${values.push(tagJson(tags))}::jsonb`);
    }
    if (afterOrdinal !== undefined) {
      const sign = isReverse ? '<' : '>';
      conditions.push(`s.ordinal ${sign} $${values.push(afterOrdinal)}`);
    }
    const { rows } = await session.query<SnapshotRow>(
      `${this.#snapshots} ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}
      ORDER BY s.ordinal ${isReverse ? 'DESC' : ''} LIMIT $1`,
      values,
      { isUnprepared: true },
    );
    return rows;
  }
}

function snapshotOf(row: SnapshotRow): StreamSnapshot {
  return {
    record: parseRecord(row.record),
    ordinal: Number(row.ordinal),
    revision: row.revision,
    version: row.version,
    earliestMs: row.earliest_ms === null ? null : Number(row.earliest_ms),
    latestMs: row.latest_ms === null ? null : Number(row.latest_ms),
  };
}

/** Records are text, not jsonb: they come back as they were, with the order of their keys. */
function parseRecord(text: string): StreamRecord {
  return JSON.parse(text) as StreamRecord;
}
