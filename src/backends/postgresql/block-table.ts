import { Readable } from 'node:stream';
import { BlockCorrupt, StreamAppendFailed } from '../../exceptions/errors.ts';
import type { Block } from '../../model/block.ts';
import { levelLabel } from '../../model/level-number.ts';
import { decodeBlock, encodeBlock } from '../codec/block-codec.ts';
import { BLOCK_ROW_COUNT_MAX } from '../codec/block-layout.ts';
import { ByteSlices } from '../sql/byte-slices.ts';
import type { SqlSession } from '../sql/sql-pool.ts';
import { copyChunks } from './copy-format.ts';

/** One level of one stream. */
export interface LevelPlace {
  readonly ordinal: number;
  readonly level: number;
}

/** A stored block where it stands; `rows` is null when they were not asked for. */
export interface StoredBlock {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly rowCount: number;
  readonly rows: Uint8Array | null;
}

/** A block to be stored. Takes the place of one that starts with the same timestamp. */
export interface NewBlock {
  readonly place: LevelPlace;
  readonly rows: Block;
}

/** Blocks of a level that start inside `[startMs, endMs)`. */
export interface BlockRange {
  readonly place: LevelPlace;
  readonly startMs: number;
  readonly endMs: number;
}

export interface EdgeRequest extends BlockRange {
  /** A block with at least so many rows before `startMs` is left alone: its rows are not needed. */
  readonly rowCountTarget: number;
}

/** What stands around and in a range of a level. */
export interface Edges {
  /** The last block that starts at or before the range's start. */
  readonly floor: StoredBlock | null;
  /** The last block that starts inside the range, after its start. */
  readonly last: StoredBlock | null;
}

interface BlockRow {
  readonly n: string;
  readonly side: number;
  readonly first_ms: string;
  readonly last_ms: string;
  readonly row_count: number;
  readonly rows: Buffer | null;
}

/** Bulk loads from this size on go by COPY. */
const COPY_SIZE_BYTES_MIN = 1024 * 1024;

/** The table of sealed blocks: disjoint and ascending in each level, never sharing a timestamp. */
export class BlockTable {
  readonly table: string;
  readonly #location: string;

  constructor({ schema, location }: { readonly schema: string; readonly location: string }) {
    this.table = `${schema}.blocks`;
    this.#location = location;
  }

  /** Names a block in messages, which put it behind an "at". */
  locate({ ordinal, level }: LevelPlace, firstMs?: number): string {
    const name = levelLabel(level);
    const start = firstMs === undefined ? 'the tail' : `the block from ${firstMs} ms`;
    return `${start} of stream #${ordinal}, level ${name}, of the store ${this.#location}`;
  }

  decode(place: LevelPlace, { firstMs, rows }: StoredBlock): Block {
    if (rows === null) {
      throw new BlockCorrupt(`No rows at ${this.locate(place, firstMs)}.`);
    }
    return decodeBlock(rows, this.locate(place, firstMs));
  }

  async readEdges(
    session: SqlSession,
    requests: readonly EdgeRequest[],
  ): Promise<readonly Edges[]> {
    if (requests.length === 0) return [];
    const { rows } = await session.query<BlockRow>(
      `SELECT t.n, e.* FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::int[])
        WITH ORDINALITY AS t (ordinal, level, start_ms, end_ms, target, n)
      CROSS JOIN LATERAL (
        (SELECT 0 AS side, b.first_ms, b.last_ms, b.row_count,
          CASE WHEN b.last_ms >= t.start_ms OR b.row_count < t.target THEN b.rows END AS rows
        FROM ${this.table} b
        WHERE b.ordinal = t.ordinal AND b.level = t.level AND b.first_ms <= t.start_ms
        ORDER BY b.first_ms DESC LIMIT 1)
        UNION ALL
        (SELECT 1, b.first_ms, b.last_ms, b.row_count, b.rows FROM ${this.table} b
        WHERE b.ordinal = t.ordinal AND b.level = t.level
          AND b.first_ms > t.start_ms AND b.first_ms < t.end_ms
        ORDER BY b.first_ms DESC LIMIT 1)
      ) e`,
      [...placeColumns(requests), requests.map(({ rowCountTarget }) => rowCountTarget)],
    );
    const edges: { floor: StoredBlock | null; last: StoredBlock | null }[] = requests.map(() => ({
      floor: null,
      last: null,
    }));
    for (const row of rows) {
      edges[Number(row.n) - 1]![row.side === 0 ? 'floor' : 'last'] = storedBlock(row);
    }
    return edges;
  }

  /**
   * First timestamps of the blocks that late rows belong into, ascending; empty when the level has no
   * blocks. A row belongs into the last block that starts at or before it, else into the first.
   */
  async readFloors(
    session: SqlSession,
    place: LevelPlace,
    timestamps: Float64Array,
  ): Promise<Float64Array> {
    const { rows } = await session.query<{ first_ms: string | null }>(
      `SELECT DISTINCT coalesce(
        (SELECT b.first_ms FROM ${this.table} b
          WHERE b.ordinal = $1 AND b.level = $2 AND b.first_ms <= t.ms
          ORDER BY b.first_ms DESC LIMIT 1),
        (SELECT b.first_ms FROM ${this.table} b
          WHERE b.ordinal = $1 AND b.level = $2 ORDER BY b.first_ms LIMIT 1)
      ) AS first_ms FROM unnest($3::bigint[]) AS t (ms) ORDER BY first_ms`,
      [place.ordinal, place.level, distinct(timestamps)],
    );
    return Float64Array.from(
      rows.flatMap(({ first_ms }) => (first_ms === null ? [] : [Number(first_ms)])),
    );
  }

  /** The blocks with these first timestamps, ascending. */
  async readBlocks(
    session: SqlSession,
    place: LevelPlace,
    firstTimestamps: Float64Array,
  ): Promise<readonly StoredBlock[]> {
    const { rows } = await session.query<BlockRow>(
      `SELECT first_ms, last_ms, row_count, rows FROM ${this.table}
      WHERE ordinal = $1 AND level = $2 AND first_ms = ANY($3::bigint[]) ORDER BY first_ms`,
      [place.ordinal, place.level, Array.from(firstTimestamps)],
    );
    return rows.map(storedBlock);
  }

  /** First and last timestamp of the blocks of each level; null where there are none. */
  async readBounds(
    session: SqlSession,
    places: readonly LevelPlace[],
  ): Promise<readonly { readonly firstMs: number | null; readonly lastMs: number | null }[]> {
    const { rows } = await session.query<{ first_ms: string | null; last_ms: string | null }>(
      `SELECT
        (SELECT b.first_ms FROM ${this.table} b
          WHERE b.ordinal = t.ordinal AND b.level = t.level ORDER BY b.first_ms LIMIT 1),
        (SELECT b.last_ms FROM ${this.table} b
          WHERE b.ordinal = t.ordinal AND b.level = t.level ORDER BY b.first_ms DESC LIMIT 1)
      FROM unnest($1::bigint[], $2::smallint[]) WITH ORDINALITY AS t (ordinal, level, n) ORDER BY n`,
      [places.map(({ ordinal }) => ordinal), places.map(({ level }) => level)],
    );
    return rows.map(({ first_ms, last_ms }) => ({
      firstMs: first_ms === null ? null : Number(first_ms),
      lastMs: last_ms === null ? null : Number(last_ms),
    }));
  }

  async remove(session: SqlSession, ranges: readonly BlockRange[]): Promise<void> {
    if (ranges.length === 0) return;
    await session.query(
      `DELETE FROM ${this.table} b
      USING unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[])
        AS t (ordinal, level, start_ms, end_ms)
      WHERE b.ordinal = t.ordinal AND b.level = t.level
        AND b.first_ms >= t.start_ms AND b.first_ms < t.end_ms`,
      [...placeColumns(ranges)],
    );
  }

  async removeStreams(session: SqlSession, ordinals: readonly number[]): Promise<void> {
    await session.query(`DELETE FROM ${this.table} WHERE ordinal = ANY($1::bigint[])`, [ordinals]);
  }

  /**
   * Stores blocks; `fresh` ones take the place of none, so that many of them may be copied in.
   * @throws {StreamAppendFailed} when an instant has more rows than a block holds.
   */
  async write(
    session: SqlSession,
    blocks: readonly NewBlock[],
    { areFresh }: { readonly areFresh: boolean },
  ): Promise<void> {
    if (blocks.length === 0) return;
    const slices = new ByteSlices();
    for (const { place, rows } of blocks) {
      this.#checkSize(place, rows);
      slices.add(encodeBlock(rows));
    }
    if (areFresh && slices.sizeBytes >= COPY_SIZE_BYTES_MIN) {
      const source = Readable.from(copyChunks(blocks, slices), { objectMode: false });
      await session.copyFrom(`COPY ${this.table} FROM STDIN (FORMAT binary)`, source);
      return;
    }
    await session.query(
      `INSERT INTO ${this.table} (ordinal, level, first_ms, last_ms, row_count, rows)
      SELECT t.ordinal, t.level, t.first_ms, t.last_ms, t.row_count,
        substr($8::bytea, t.start, t.size)
      FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::int[], $6::int[],
        $7::int[]) AS t (ordinal, level, first_ms, last_ms, row_count, start, size)
      ON CONFLICT (ordinal, level, first_ms) DO UPDATE
      SET last_ms = excluded.last_ms, row_count = excluded.row_count, rows = excluded.rows`,
      [
        blocks.map(({ place }) => place.ordinal),
        blocks.map(({ place }) => place.level),
        blocks.map(({ rows }) => rows.timestamps[0]),
        blocks.map(({ rows }) => rows.timestamps.at(-1)),
        blocks.map(({ rows }) => rows.timestamps.length),
        slices.offsets,
        slices.sizes,
        slices.bytes(),
      ],
    );
  }

  /** Only rows of one instant, which stay together, can be too many. */
  #checkSize(place: LevelPlace, { timestamps }: Block): void {
    if (timestamps.length <= BLOCK_ROW_COUNT_MAX) return;
    const where = this.locate(place, timestamps[0]);
    throw new StreamAppendFailed(
      `More than ${BLOCK_ROW_COUNT_MAX} rows of one instant at ${where}. Nothing was stored.`,
    );
  }
}

/** Statement that creates the table. */
export function blockTable(schema: string): readonly string[] {
  return [
    `CREATE TABLE ${schema}.blocks (
      ordinal bigint NOT NULL,
      level smallint NOT NULL,
      first_ms bigint NOT NULL,
      last_ms bigint NOT NULL,
      row_count integer NOT NULL,
      rows bytea NOT NULL,
      PRIMARY KEY (ordinal, level, first_ms)
    ) WITH (autovacuum_vacuum_scale_factor = 0.05)`,
    // The bytes are compressed already.
    `ALTER TABLE ${schema}.blocks ALTER rows SET STORAGE EXTERNAL`,
  ];
}

function placeColumns(ranges: readonly BlockRange[]): readonly (readonly number[])[] {
  return [
    ranges.map(({ place }) => place.ordinal),
    ranges.map(({ place }) => place.level),
    ranges.map(({ startMs }) => startMs),
    ranges.map(({ endMs }) => endMs),
  ];
}

function distinct(timestamps: Float64Array): readonly number[] {
  return [...new Set(timestamps)];
}

function storedBlock({ first_ms, last_ms, row_count, rows }: BlockRow): StoredBlock {
  return { firstMs: Number(first_ms), lastMs: Number(last_ms), rowCount: row_count, rows };
}
