import { levelNumber } from '../../model/level-number.ts';
import type { StreamId, ValueType } from '../../model/stream.ts';
import type { AppendWrite, Commit, CommitOutcome, TickWrite } from '../backend.ts';
import type { CommitClaim } from '../sql/commit-slots.ts';
import type { SqlPool } from '../sql/sql-pool.ts';
import type { FlushQueue } from './flush-queue.ts';
import type { PendingChange } from './pending-change.ts';
import { checkInstant, checkNumbers, storedRows } from './stored-values.ts';

/** What never changes about a stream that has been written to. */
export interface KnownStream {
  readonly ordinal: number;
  /** Index of the granularity of raw datapoints. */
  readonly rawLevel: number;
  readonly valueType: ValueType;
}

/** A write that only puts rows behind those that are there. */
interface Plan {
  readonly streamIds: readonly StreamId[];
  readonly firstMs: number;
  readonly latestMs: number;
  readonly change: PendingChange;
}

/**
 * Stores a commit that only puts rows behind those of streams that were written to before, in one statement:
 * a tick, or a batch of one stream. Everything else goes the long way.
 */
export class QuickAppend {
  readonly #pool: SqlPool;
  readonly #schema: string;
  readonly #queue: Pick<FlushQueue, 'prepare'>;
  readonly #known: ReadonlyMap<StreamId, KnownStream>;

  constructor(
    pool: SqlPool,
    {
      schema,
      queue,
      known,
    }: {
      readonly schema: string;
      readonly queue: Pick<FlushQueue, 'prepare'>;
      readonly known: ReadonlyMap<StreamId, KnownStream>;
    },
  ) {
    this.#pool = pool;
    this.#schema = schema;
    this.#queue = queue;
    this.#known = known;
  }

  /** Null when nothing was stored, for whatever reason: the long way finds out. */
  async commit(commit: Commit, claim: CommitClaim): Promise<CommitOutcome | null> {
    const plan = this.#planOf(commit);
    if (plan === null) return null;
    const expected = new Map(commit.expect.map((item) => [item.streamId, item]));
    const rows = plan.streamIds.map((streamId) => ({
      ordinal: this.#known.get(streamId)!.ordinal,
      version: expected.get(streamId)?.version ?? null,
      revision: expected.get(streamId)?.revision ?? null,
    }));
    rows.sort((a, b) => a.ordinal - b.ordinal);
    const versions = shared(rows.map(({ version }) => version));
    const revisions = shared(rows.map(({ revision }) => revision));
    const { mark, body, backlogMaxBytes } = this.#queue.prepare([plan.change]);
    const result = await this.#pool.commitStatement<{ is_stored: boolean }>(this.#statement(), [
      claim.client,
      claim.slot,
      claim.epoch,
      claim.token,
      rows.map(({ ordinal }) => ordinal),
      versions.each,
      revisions.each,
      plan.firstMs,
      plan.latestMs,
      mark,
      body,
      backlogMaxBytes,
      versions.all,
      revisions.all,
    ]);
    if (result.rows[0]?.is_stored !== true) return null;
    return { isCommitted: true, version: claim.token };
  }

  #planOf({ expect, create, update, writes, delete: deleted }: Commit): Plan | null {
    const [write, ...others] = writes ?? [];
    const hasMore = others.length + (create?.length ?? 0) + (update?.length ?? 0) > 0;
    if (write === undefined || hasMore || (deleted?.length ?? 0) > 0) return null;
    const plan = write.kind === 'tick' ? this.#tickPlan(write) : this.#appendPlan(write);
    if (plan === null) return null;
    const written = new Set(plan.streamIds);
    const isPlain = expect.every(({ streamId }) => written.has(streamId));
    // Expected twice, or named twice, is for the long way to judge.
    const isSimple = written.size === plan.streamIds.length && expect.length <= written.size;
    return isPlain && isSimple ? plan : null;
  }

  #tickPlan({ timestampMs, streamIds, values }: TickWrite): Plan | null {
    if (!streamIds.every((id) => this.#known.get(id)?.valueType === 'numeric')) return null;
    checkInstant(timestampMs);
    checkNumbers(values);
    const change = { kind: 'tick', timestampMs, streamIds, values } as const;
    return { streamIds, firstMs: timestampMs, latestMs: timestampMs, change };
  }

  #appendPlan(write: AppendWrite | { readonly kind: 'replace' }): Plan | null {
    if (write.kind !== 'append') return null;
    const { streamId, granularity } = write;
    const stream = this.#known.get(streamId);
    if (stream === undefined) return null;
    if (levelNumber(granularity.name) !== stream.rawLevel) return null;
    const block = storedRows(write.block, stream.valueType);
    const [firstMs, latestMs] = [block.timestamps[0], block.timestamps.at(-1)];
    if (firstMs === undefined || latestMs === undefined) return null;
    const change = { kind: 'rows', streamId, isFresh: true, block } as const;
    return { streamIds: [streamId], firstMs, latestMs, change };
  }

  /** Heads are locked in the order of ordinals, as every commit does; numbers are drawn behind that. */
  #statement(): string {
    const schema = this.#schema;
    return `WITH locked AS MATERIALIZED (
      SELECT h.ordinal FROM ${schema}.heads h
      JOIN unnest($5::bigint[], $6::bigint[], $7::bigint[])
        AS t (ordinal, version, revision) USING (ordinal)
      WHERE h.version = coalesce(t.version, $13::bigint, h.version)
        AND h.revision = coalesce(t.revision, $14::bigint, h.revision) AND h.latest_ms < $8
      ORDER BY h.ordinal FOR NO KEY UPDATE OF h
    ), claimed AS (
      UPDATE ${schema}.writers SET token = $4, changed_at = clock_timestamp()
      WHERE client = $1 AND slot = $2 AND epoch = $3
      AND (SELECT count(*) FROM locked) = cardinality($5::bigint[])
      AND ${this.#roomFor('$5', '$12')} RETURNING 1
    ), queued AS (
      INSERT INTO ${schema}.pending_changes (mark, ordinals, body)
      SELECT $10, $5::bigint[], $11::bytea FROM claimed RETURNING 1
    ), changed AS (
      UPDATE ${schema}.heads h SET version = $4, latest_ms = $9
      FROM locked l WHERE h.ordinal = l.ordinal AND EXISTS (SELECT FROM claimed)
    )
    SELECT EXISTS (SELECT FROM queued) AS is_stored`;
  }

  #roomFor(ordinals: string, limit: string): string {
    return roomFor(`${this.#schema}.pending_changes`, { ordinals, limit });
  }
}

/** The one value of all items, or the values of each: a tick of many streams is sent and read faster so. */
function shared<T>(values: readonly T[]): { readonly all: T | null; readonly each: readonly T[] } {
  const all = values[0]!;
  return values.every((value) => value === all) ? { all, each: [] } : { all: null, each: values };
}

/** The condition that not too much waits in the queue for commits to the streams. */
export function roomFor(
  table: string,
  { ordinals, limit }: { readonly ordinals: string; readonly limit: string },
): string {
  return `(
    SELECT coalesce(sum(octet_length(body)), 0) FROM ${table} WHERE refusal IS NULL
  ) < ${limit} AND NOT EXISTS (
    SELECT FROM ${table} WHERE refusal IS NOT NULL
    HAVING sum(octet_length(body)) >= ${limit} AND bool_or(ordinals && ${ordinals}::bigint[])
  )`;
}
