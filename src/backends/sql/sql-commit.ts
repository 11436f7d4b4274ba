import { levelNumber } from '../../model/level-number.ts';
import type { StreamId, StreamRecord } from '../../model/stream.ts';
import { matchesTags } from '../../model/tags.ts';
import type { Commit, CommitOutcome, Creation, Expectation, Write } from '../backend.ts';
import { ByteSlices } from './byte-slices.ts';
import type { CommitClaim } from './commit-slots.ts';
import type { SqlSession } from './sql-pool.ts';
import { CREATION_LOCK } from './sql-schema.ts';
import type { StreamCatalogue } from './stream-catalogue.ts';
import { escapeText, tagJson } from './tag-json.ts';

/** What changes with each commit to a stream; the transaction holds the lock on it. */
export interface StreamHead {
  readonly streamId: StreamId;
  readonly ordinal: number;
  /** Created by this very commit. */
  readonly isNew: boolean;
  readonly revision: string;
  readonly version: string;
  /** Index of the granularity of raw datapoints. */
  readonly rawLevel: number;
  readonly earliestMs: number | null;
  readonly latestMs: number | null;
  /** Bytes that the backend keeps with the head, such as rows that are in no block yet. */
  readonly tail: Uint8Array;
}

/** A head after a write. A tail that is absent stays as it is. */
export interface HeadChange {
  readonly ordinal: number;
  readonly earliestMs: number | null;
  readonly latestMs: number | null;
  readonly tail?: Uint8Array;
}

/** How a backend stores rows, inside the transaction of a commit. */
export interface RowWriter {
  /**
   * Applies the writes in their order. Every stream that they name is in `heads`.
   * Returns a change for each stream whose bounds or tail are others afterwards.
   */
  write(
    session: SqlSession,
    options: {
      readonly writes: readonly Write[];
      readonly heads: ReadonlyMap<StreamId, StreamHead>;
    },
  ): Promise<readonly HeadChange[]>;
  /** Removes all rows of the streams. */
  remove(session: SqlSession, heads: readonly StreamHead[]): Promise<void>;
}

/** The parts that one commit works with. */
export interface CommitContext {
  readonly schema: string;
  readonly catalogue: StreamCatalogue;
  readonly writer: RowWriter;
  readonly claim: CommitClaim;
}

interface HeadRow {
  readonly id: string;
  readonly ordinal: string;
  readonly revision: string;
  readonly version: string;
  readonly raw_level: number;
  readonly earliest_ms: string | null;
  readonly latest_ms: string | null;
  readonly tail: Buffer;
}

/**
 * Carries out a commit in the open transaction: locks the heads, checks what is expected of them, and
 * changes what is to be changed. The transaction must be rolled back unless the outcome is committed.
 */
export async function applyCommit(
  session: SqlSession,
  commit: Commit,
  context: CommitContext,
): Promise<CommitOutcome | 'lost'> {
  const { create = [], update = [], writes = [], delete: deleted = [] } = commit;
  if (create.length > 0) await session.query(CREATION_LOCK, [context.schema]);
  const heads = await lockHeads(session, touchedIds(commit), context);
  const conflicts = conflictsOf(commit, heads);
  if (conflicts.length > 0 || (await isAnyMatched(session, create, context))) {
    return { isCommitted: false, conflicts };
  }
  if (create.length > 0) {
    for (const head of await insertStreams(session, create, context)) {
      heads.set(head.streamId, head);
    }
  }
  if (update.length > 0) await updateRecords(session, update, { heads, context });
  const changes = writes.length > 0 ? await context.writer.write(session, { writes, heads }) : [];
  const isClaimed = await finish(session, { commit, heads, changes, context });
  if (!isClaimed) return 'lost';
  if (deleted.length > 0) await removeStreams(session, deleted, { heads, context });
  return { isCommitted: true, version: context.claim.token };
}

/** Streams that a write changes. */
export function streamIdsOf(write: Write): readonly StreamId[] {
  return write.kind === 'tick' ? write.streamIds : [write.streamId];
}

function touchedIds(commit: Commit): ReadonlySet<StreamId> {
  const ids = new Set<StreamId>();
  for (const { streamId } of commit.expect) ids.add(streamId);
  for (const { record } of commit.create ?? []) ids.add(record.id);
  for (const { id } of commit.update ?? []) ids.add(id);
  for (const write of commit.writes ?? []) for (const id of streamIdsOf(write)) ids.add(id);
  for (const id of commit.delete ?? []) ids.add(id);
  return ids;
}

/** Every commit locks in the order of ordinals, so that no two wait for each other. */
async function lockHeads(
  session: SqlSession,
  streamIds: ReadonlySet<StreamId>,
  { schema }: CommitContext,
): Promise<Map<StreamId, StreamHead>> {
  if (streamIds.size === 0) return new Map();
  const idOf = new Map(Array.from(streamIds, (id) => [escapeText(id), id]));
  const { rows } = await session.query<HeadRow>(
    `SELECT s.id, h.* FROM ${schema}.streams s JOIN ${schema}.heads h USING (ordinal)
    WHERE s.id = ANY($1::text[]) ORDER BY h.ordinal FOR NO KEY UPDATE OF h`,
    [[...idOf.keys()]],
  );
  return new Map(
    rows.map((row) => {
      const streamId = idOf.get(row.id)!;
      return [streamId, headOf(row, { streamId, isNew: false })];
    }),
  );
}

function headOf(row: HeadRow, known: Pick<StreamHead, 'streamId' | 'isNew'>): StreamHead {
  return {
    ...known,
    ordinal: Number(row.ordinal),
    revision: row.revision,
    version: row.version,
    rawLevel: row.raw_level,
    earliestMs: row.earliest_ms === null ? null : Number(row.earliest_ms),
    latestMs: row.latest_ms === null ? null : Number(row.latest_ms),
    tail: row.tail,
  };
}

/** Streams that are not as expected, or are to be changed and are not there, or to be created and are. */
function conflictsOf(
  commit: Commit,
  heads: ReadonlyMap<StreamId, StreamHead>,
): readonly StreamId[] {
  const conflicts = new Set<StreamId>();
  const created = new Set((commit.create ?? []).map(({ record }) => record.id));
  for (const id of touchedIds(commit)) {
    const head = heads.get(id);
    if (created.has(id) ? head !== undefined : head === undefined) conflicts.add(id);
  }
  for (const item of commit.expect) {
    if (!holds(item, heads.get(item.streamId))) conflicts.add(item.streamId);
  }
  return [...conflicts];
}

function holds({ revision, version }: Expectation, head: StreamHead | undefined): boolean {
  return (
    head !== undefined &&
    (revision === undefined || revision === head.revision) &&
    (version === undefined || version === head.version)
  );
}

async function isAnyMatched(
  session: SqlSession,
  creations: readonly Creation[],
  { catalogue }: CommitContext,
): Promise<boolean> {
  for (const [index, { unlessTags }] of creations.entries()) {
    if (unlessTags === undefined) continue;
    const earlier = creations.slice(0, index);
    if (earlier.some(({ record }) => matchesTags(record.tags, unlessTags))) return true;
    if (await catalogue.hasMatch(session, unlessTags)) return true;
  }
  return false;
}

async function insertStreams(
  session: SqlSession,
  creations: readonly Creation[],
  { schema, claim }: CommitContext,
): Promise<readonly StreamHead[]> {
  const records = creations.map(({ record }) => record);
  const { rows } = await session.query<HeadRow>(
    `WITH created AS (
      INSERT INTO ${schema}.streams (id, record, tags)
      SELECT id, record, tags::jsonb
      FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS t (id, record, tags, n)
      ORDER BY n RETURNING id, ordinal
    ), heads AS (
      INSERT INTO ${schema}.heads (ordinal, revision, version, raw_level)
      SELECT c.ordinal, $5, $5, l.raw_level
      FROM created c JOIN unnest($1::text[], $4::smallint[]) AS l (id, raw_level) USING (id)
      RETURNING *
    )
    SELECT c.id, h.* FROM created c JOIN heads h USING (ordinal)`,
    [
      records.map(({ id }) => escapeText(id)),
      records.map((record) => JSON.stringify(record)),
      records.map(({ tags }) => tagJson(tags)),
      records.map(({ highestGranularity }) => levelNumber(highestGranularity)),
      claim.token,
    ],
  );
  const idOf = new Map(records.map(({ id }) => [escapeText(id), id]));
  return rows.map((row) => headOf(row, { streamId: idOf.get(row.id)!, isNew: true }));
}

async function updateRecords(
  session: SqlSession,
  records: readonly StreamRecord[],
  { heads, context }: { heads: ReadonlyMap<StreamId, StreamHead>; context: CommitContext },
): Promise<void> {
  await session.query(
    // Tags that did not change keep their place in the index.
    `UPDATE ${context.schema}.streams s SET record = t.record,
      tags = CASE WHEN s.tags = t.tags::jsonb THEN s.tags ELSE t.tags::jsonb END
    FROM unnest($1::bigint[], $2::text[], $3::text[]) AS t (ordinal, record, tags)
    WHERE s.ordinal = t.ordinal`,
    [
      records.map(({ id }) => heads.get(id)!.ordinal),
      records.map((record) => JSON.stringify(record)),
      records.map(({ tags }) => tagJson(tags)),
    ],
  );
}

/** Gives the streams their new heads, and the slot the commit's token; false when the slot is gone. */
async function finish(
  session: SqlSession,
  {
    commit,
    heads,
    changes,
    context,
  }: {
    readonly commit: Commit;
    readonly heads: ReadonlyMap<StreamId, StreamHead>;
    readonly changes: readonly HeadChange[];
    readonly context: CommitContext;
  },
): Promise<boolean> {
  const updated = new Set((commit.update ?? []).map(({ id }) => id));
  const written = new Set((commit.writes ?? []).flatMap(streamIdsOf));
  const touched = [...new Set([...updated, ...written])].map((id) => heads.get(id)!);
  const changeOf = new Map(changes.map((change) => [change.ordinal, change]));
  const tails = new ByteSlices();
  for (const { ordinal } of touched) tails.add(changeOf.get(ordinal)?.tail ?? null);
  const bounds = touched.map((head) => changeOf.get(head.ordinal) ?? head);
  const { client, slot, epoch, token } = context.claim;
  const { rows } = await session.query<{ count: string }>(
    `WITH claimed AS (
      UPDATE ${context.schema}.writers SET token = $4, changed_at = clock_timestamp()
      WHERE client = $1 AND slot = $2 AND epoch = $3 RETURNING 1
    ), changed AS (
      UPDATE ${context.schema}.heads h SET version = $4, earliest_ms = t.earliest_ms,
        revision = CASE WHEN t.is_updated THEN $4 ELSE h.revision END, latest_ms = t.latest_ms,
        tail = CASE WHEN t.size < 0 THEN h.tail ELSE substr($11::bytea, t.start, t.size) END
      FROM unnest($5::bigint[], $6::boolean[], $7::bigint[], $8::bigint[], $9::int[], $10::int[])
        AS t (ordinal, is_updated, earliest_ms, latest_ms, start, size)
      WHERE h.ordinal = t.ordinal
    )
    SELECT count(*) FROM claimed`,
    [
      client,
      slot,
      epoch,
      token,
      touched.map(({ ordinal }) => ordinal),
      touched.map(({ streamId }) => updated.has(streamId)),
      bounds.map(({ earliestMs }) => earliestMs),
      bounds.map(({ latestMs }) => latestMs),
      tails.offsets,
      tails.sizes,
      tails.bytes(),
    ],
  );
  return rows[0]!.count === '1';
}

async function removeStreams(
  session: SqlSession,
  streamIds: readonly StreamId[],
  { heads, context }: { heads: ReadonlyMap<StreamId, StreamHead>; context: CommitContext },
): Promise<void> {
  const removed = [...new Set(streamIds)].map((id) => heads.get(id)!);
  await context.writer.remove(session, removed);
  const { schema } = context;
  await session.query(
    `WITH leases AS (DELETE FROM ${schema}.leases WHERE stream_id = ANY($1::text[])),
    heads AS (DELETE FROM ${schema}.heads WHERE ordinal = ANY($2::bigint[]))
    DELETE FROM ${schema}.streams WHERE ordinal = ANY($2::bigint[])`,
    [removed.map(({ streamId }) => escapeText(streamId)), removed.map(({ ordinal }) => ordinal)],
  );
}
