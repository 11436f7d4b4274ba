import { assert } from '../../model/assert.ts';
import { type Block, EMPTY_BLOCK } from '../../model/block.ts';
import { bucketStartMs, type Granularity, type GranularityName } from '../../model/granularity.ts';
import { levelNumber } from '../../model/level-number.ts';
import type { TimeRange } from '../../model/time-range.ts';
import { decodeBlock, encodeBlock } from '../codec/block-codec.ts';
import type { SqlPool, SqlSession } from '../sql/sql-pool.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * How much of a level is kept together. Short enough that the open end, which the server computes at each
 * read, has few datapoints; long enough that a wide read needs few. The finest levels are quick to compute
 * and would fill as much space as the datapoints: they are not kept.
 */
const CHUNK_DURATIONS_MS: Readonly<Partial<Record<GranularityName, number>>> = {
  minutes: 6 * HOUR_MS,
  '10minutes': DAY_MS,
  hours: DAY_MS,
  '6hours': 2 * DAY_MS,
  days: 4 * DAY_MS,
};

/** A stretch of a level with all of its buckets that have data. */
export interface LevelChunk {
  readonly range: TimeRange;
  readonly block: Block;
}

/** A chunk as a statement gives it. */
export interface ChunkRow {
  readonly start_ms: string | null;
  readonly end_ms: string | null;
  readonly body: Buffer | null;
}

/** Tables of the cache. */
export function cacheTables(schema: string): readonly string[] {
  return [
    `CREATE TABLE ${schema}.level_chunks (
      ordinal bigint NOT NULL,
      level smallint NOT NULL,
      start_ms bigint NOT NULL,
      end_ms bigint NOT NULL,
      body bytea NOT NULL,
      PRIMARY KEY (ordinal, level, start_ms)
    )`,
    `ALTER TABLE ${schema}.level_chunks ALTER body SET STORAGE EXTERNAL`,
  ];
}

/** How long the chunks of a level are; null for one that is not kept. */
export function chunkDurationMs({ name }: Granularity): number | null {
  return CHUNK_DURATIONS_MS[name] ?? null;
}

/** The part of a level that may be kept: no datapoint in order can change it any more. */
export function closedEndMs(granularity: Granularity, latestMs: number): number {
  const durationMs = chunkDurationMs(granularity);
  if (durationMs === null) return Number.NEGATIVE_INFINITY;
  return Math.floor(latestMs / durationMs) * durationMs;
}

/**
 * Buckets that InfluxDB has computed, kept in PostgreSQL in stretches that only a change of the past can
 * alter: the commit that makes one removes the stretches that it touches. A stretch is kept only if nothing
 * of the past has changed since before it was computed.
 */
export class LevelCache {
  readonly #schema: string;

  constructor(schema: string) {
    this.#schema = schema;
  }

  /** Removes, within a commit, what rests on rows of the ranges. */
  async forget(
    session: SqlSession,
    changed: readonly { readonly ordinal: number; readonly ranges: readonly TimeRange[] }[],
  ): Promise<void> {
    const items = changed.flatMap(({ ordinal, ranges }) =>
      ranges.map((range) => ({ ordinal, ...range })),
    );
    if (items.length === 0) return;
    await session.query(
      `DELETE FROM ${this.#schema}.level_chunks c
      USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS t (ordinal, start_ms, end_ms)
      WHERE c.ordinal = t.ordinal AND c.start_ms < t.end_ms AND c.end_ms > t.start_ms`,
      [
        items.map(({ ordinal }) => ordinal),
        items.map(({ startMs }) => startMs),
        items.map(({ endMs }) => endMs),
      ],
    );
  }

  /** Removes, within a commit, all of the streams. */
  async remove(session: SqlSession, ordinals: readonly number[]): Promise<void> {
    await session.query(
      `DELETE FROM ${this.#schema}.level_chunks WHERE ordinal = ANY($1::bigint[])`,
      [ordinals],
    );
  }

  /** Keeps chunks, if the stream's past is still what it was under the tail, and no commit is changing it. */
  async keep(
    pool: SqlPool,
    options: {
      readonly ordinal: number;
      readonly tail: Uint8Array;
      readonly granularity: Granularity;
      readonly chunks: readonly LevelChunk[];
    },
  ): Promise<void> {
    const { ordinal, tail, granularity, chunks } = options;
    await pool.query(
      `WITH unchanged AS (
        SELECT ordinal FROM ${this.#schema}.heads WHERE ordinal = $1 AND tail = $2
        FOR SHARE SKIP LOCKED
      )
      INSERT INTO ${this.#schema}.level_chunks (ordinal, level, start_ms, end_ms, body)
      SELECT ordinal, $3, c.* FROM unchanged, unnest($4::bigint[], $5::bigint[], $6::bytea[]) AS c
      ON CONFLICT DO NOTHING`,
      [
        ordinal,
        tail,
        levelNumber(granularity.name),
        chunks.map(({ range }) => range.startMs),
        chunks.map(({ range }) => range.endMs),
        chunks.map(({ block }) =>
          block.timestamps.length === 0 ? Buffer.alloc(0) : Buffer.from(encodeBlock(block)),
        ),
      ],
    );
  }
}

/** The chunks among rows of a statement, by their start. */
export function chunksOf(
  rows: readonly ChunkRow[],
  location: string,
): ReadonlyMap<number, LevelChunk> {
  const chunks = new Map<number, LevelChunk>();
  for (const { start_ms: start, end_ms: end, body } of rows) {
    if (start === null || body === null) continue;
    const range = { startMs: Number(start), endMs: Number(end) };
    const where = `level chunk ${start} of ${location}`;
    const block = body.length === 0 ? EMPTY_BLOCK : decodeBlock(body, where);
    chunks.set(range.startMs, { range, block });
  }
  return chunks;
}

/** Starts of the chunks that a range of closed buckets touches, ascending. */
export function chunkStarts(granularity: Granularity, { startMs, endMs }: TimeRange): number[] {
  const durationMs = chunkDurationMs(granularity);
  assert(durationMs !== null, 'the level has chunks');
  const starts: number[] = [];
  for (let ms = Math.floor(startMs / durationMs) * durationMs; ms < endMs; ms += durationMs) {
    starts.push(ms);
  }
  return starts;
}

/** The range from the first to behind the last bucket start in it. */
export function alignedRange({ startMs, endMs }: TimeRange, granularity: Granularity): TimeRange {
  const up = (ms: number): number => {
    const floor = bucketStartMs(ms, granularity);
    return floor === ms ? ms : floor + granularity.durationMs;
  };
  return { startMs: up(startMs), endMs: up(endMs) };
}
