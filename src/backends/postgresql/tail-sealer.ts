import type { Block } from '../../model/block.ts';
import type { SqlPool, SqlSession } from '../sql/sql-pool.ts';
import type { BlockTable, LevelPlace } from './block-table.ts';
import type { BlockRowWriter } from './row-writer.ts';
import { decodeTail, sealLimitSql, type TailLimits } from './tail-codec.ts';

/** Tails moved in one transaction: commits to the same streams wait that long. */
const SLICE_COUNT_MAX = 256;
/** So many are moved for the price of one: a transaction costs a flush to the disk. */
const SLICE_COUNT_MIN = 64;
/** After so many commits that met long tails, fewer are moved too; a tail has room for more than that. */
const NOTE_COUNT_MAX = 16;

/**
 * Moves long tails into blocks, behind the commits that made them long. What a stream has stays the same,
 * and so does its version. A failure does no harm: the next append to the stream says again that its tail
 * is long, and a tail without any room left is sealed by the commit itself.
 */
export class TailSealer {
  readonly #pool: SqlPool;
  readonly #schema: string;
  readonly #blocks: BlockTable;
  readonly #writer: BlockRowWriter;
  /** SQL. */
  readonly #limit: string;
  readonly #waiting = new Set<number>();
  #noteCount = 0;
  #running: Promise<void> | null = null;
  #isStopped = false;

  constructor(
    pool: SqlPool,
    options: {
      readonly schema: string;
      readonly blocks: BlockTable;
      readonly writer: BlockRowWriter;
      readonly limits: TailLimits;
    },
  ) {
    this.#pool = pool;
    this.#schema = options.schema;
    this.#blocks = options.blocks;
    this.#writer = options.writer;
    this.#limit = sealLimitSql(options.limits);
  }

  /** Takes the streams whose tails a commit has made long, or found long. */
  noteLong(ordinals: readonly number[]): void {
    if (ordinals.length === 0 || this.#isStopped) return;
    for (const ordinal of ordinals) this.#waiting.add(ordinal);
    this.#noteCount++;
    const isWorthwhile = this.#waiting.size >= SLICE_COUNT_MIN || this.#noteCount >= NOTE_COUNT_MAX;
    if (isWorthwhile) this.#running ??= this.#run();
  }

  /** Ends after the transaction under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    this.#noteCount = 0;
    while (this.#waiting.size > 0 && !this.#isStopped) {
      const slice = [...this.#waiting].slice(0, SLICE_COUNT_MAX);
      for (const ordinal of slice) this.#waiting.delete(ordinal);
      try {
        await this.#pool.transaction((session) => this.#seal(session, slice));
      } catch {
        // Whoever reads or writes these rows next meets a lasting cause by himself.
      }
    }
    this.#running = null;
  }

  async #seal(session: SqlSession, ordinals: readonly number[]): Promise<void> {
    const { rows } = await session.query<{ ordinal: string; raw_level: number; tail: Buffer }>(
      `SELECT h.ordinal, h.raw_level, h.tail FROM ${this.#schema}.heads h
      WHERE h.ordinal = ANY($1::bigint[]) AND octet_length(h.tail) > ${this.#limit}
      ORDER BY h.ordinal FOR NO KEY UPDATE`,
      [ordinals],
    );
    if (rows.length === 0) return;
    const items: { place: LevelPlace; rows: Block }[] = rows.map((row) => {
      const place = { ordinal: Number(row.ordinal), level: row.raw_level };
      return { place, rows: decodeTail(row.tail, this.#blocks.locate(place)) };
    });
    await this.#writer.appendBehind(session, items);
    await session.query(
      `UPDATE ${this.#schema}.heads SET tail = '' WHERE ordinal = ANY($1::bigint[])`,
      [items.map(({ place }) => place.ordinal)],
    );
  }
}
