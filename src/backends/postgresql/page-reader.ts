import { BlockCorrupt } from '../../exceptions/errors.ts';
import { type Block, concatBlocks, EMPTY_BLOCK } from '../../model/block.ts';
import { levelNumber } from '../../model/level-number.ts';
import { ALL_TIME, intersectRanges, isEmptyRange, type TimeRange } from '../../model/time-range.ts';
import type { Page, PageRequest } from '../backend.ts';
import { decodeBlocks } from '../codec/block-codec.ts';
import { pageOf } from '../page.ts';
import type { SqlPool } from '../sql/sql-pool.ts';
import { escapeText } from '../sql/tag-json.ts';
import type { BlockTable, LevelPlace } from './block-table.ts';
import { decodeTail } from './tail-codec.ts';

/** A row of the answer: a block, or at the end the tail, which has no timestamps of its own. */
interface PartRow {
  readonly ordinal: string;
  readonly first_ms: string | null;
  readonly last_ms: string | null;
  readonly rows: Buffer;
}

/** Between a full block of raw rows and one of bucket states. */
const ROW_COUNT_PER_BLOCK = 384;
/** So much longer than asked may a page be that has room for several blocks: they are read anyway. */
const ROW_COUNT_FACTOR_MAX = 2;

/** Reads pages of a level in one statement each, and so from one snapshot. */
export class PageReader {
  readonly #pool: SqlPool;
  readonly #schema: string;
  readonly #blocks: BlockTable;

  constructor(pool: SqlPool, { schema, blocks }: { schema: string; blocks: BlockTable }) {
    this.#pool = pool;
    this.#schema = schema;
    this.#blocks = blocks;
  }

  async read(request: PageRequest): Promise<Page> {
    const { isReverse = false, rowCountMax } = request;
    const range = intersectRanges(request.range, ALL_TIME);
    if (isEmptyRange(range)) return { block: EMPTY_BLOCK, rest: null };
    const level = levelNumber(request.granularity.name);
    // The first block may begin before the range.
    const limit = Math.ceil(rowCountMax / ROW_COUNT_PER_BLOCK) + 1;
    const { rows } = await this.#pool.query<PartRow>(
      isReverse ? this.#backward() : this.#forward(),
      [escapeText(request.streamId), level, range.startMs, range.endMs, limit],
    );
    const parts = rows.filter(({ first_ms }) => first_ms !== null);
    const blocks = isReverse ? parts.toReversed() : parts;
    const tail = rows.find(({ first_ms }) => first_ms === null);
    const content = this.#decoded({ blocks, tail, level, columns: request.columns });
    const isWide = rowCountMax > ROW_COUNT_PER_BLOCK;
    const cut = { ...request, rowCountMax: rowCountMax * (isWide ? ROW_COUNT_FACTOR_MAX : 1) };
    const isComplete = blocks.length < limit;
    if (isComplete) return pageOf(content, cut);
    // There may be more blocks; none of them has a timestamp of those that were read.
    const first = Number(blocks[0]!.first_ms);
    const end = Number(blocks.at(-1)!.last_ms) + 1;
    const read = isReverse
      ? { startMs: Math.max(first, range.startMs), endMs: range.endMs }
      : { startMs: range.startMs, endMs: Math.min(end, range.endMs) };
    return withRest(pageOf(content, { ...cut, range: read }), { request, read });
  }

  #decoded({
    blocks,
    tail,
    level,
    columns,
  }: {
    readonly blocks: readonly PartRow[];
    readonly tail: PartRow | undefined;
    readonly level: number;
    readonly columns: readonly string[] | undefined;
  }): Block {
    const place = (row: PartRow): LevelPlace => ({ ordinal: Number(row.ordinal), level });
    const stored = decodeBlocks(
      blocks.map(({ rows }) => rows),
      (index) => this.#blocks.locate(place(blocks[index]!), Number(blocks[index]!.first_ms)),
      columns,
    );
    this.#checkPlaces(blocks, stored, level);
    if (tail === undefined || tail.rows.length === 0) return stored;
    return concatBlocks([stored, decodeTail(tail.rows, this.#blocks.locate(place(tail)))]);
  }

  /** A block that stands in the row of another one has a checksum that is right. */
  #checkPlaces(blocks: readonly PartRow[], { timestamps }: Block, level: number): void {
    if (blocks.length === 0) return;
    const first = blocks[0]!;
    const last = blocks.at(-1)!;
    if (timestamps[0] === Number(first.first_ms) && timestamps.at(-1) === Number(last.last_ms)) {
      return;
    }
    const where = this.#blocks.locate({ ordinal: Number(first.ordinal), level }, timestamps[0]);
    throw new BlockCorrupt(`Corrupt block at ${where}: its row in the table has other timestamps.`);
  }

  #forward(): string {
    const stream = `(SELECT ordinal FROM ${this.#schema}.streams WHERE id = $1)`;
    return `(SELECT b.ordinal, b.first_ms, b.last_ms, b.rows FROM ${this.#blocks.table} b
      WHERE b.ordinal = ${stream} AND b.level = $2 AND b.first_ms < $4 AND b.last_ms >= $3
        AND b.first_ms >= coalesce((SELECT f.first_ms FROM ${this.#blocks.table} f
          WHERE f.ordinal = ${stream} AND f.level = $2 AND f.first_ms <= $3
          ORDER BY f.first_ms DESC LIMIT 1), $3)
      ORDER BY b.first_ms LIMIT $5)
      UNION ALL ${this.#tail()}`;
  }

  #backward(): string {
    const stream = `(SELECT ordinal FROM ${this.#schema}.streams WHERE id = $1)`;
    return `(SELECT b.ordinal, b.first_ms, b.last_ms, b.rows FROM ${this.#blocks.table} b
      WHERE b.ordinal = ${stream} AND b.level = $2 AND b.first_ms < $4 AND b.last_ms >= $3
        AND b.first_ms >= coalesce((SELECT f.first_ms FROM ${this.#blocks.table} f
          WHERE f.ordinal = ${stream} AND f.level = $2 AND f.first_ms <= $3
          ORDER BY f.first_ms DESC LIMIT 1), $3)
      ORDER BY b.first_ms DESC LIMIT $5)
      UNION ALL ${this.#tail()}`;
  }

  #tail(): string {
    return `(SELECT h.ordinal, NULL::bigint, NULL::bigint, h.tail FROM ${this.#schema}.heads h
      JOIN ${this.#schema}.streams s USING (ordinal)
      WHERE s.id = $1 AND h.raw_level = $2 AND h.latest_ms >= $3)`;
  }
}

/** The page of a part of the asked range, with all of the asked range that comes after it. */
function withRest(
  { block, rest }: Page,
  { request, read }: { readonly request: PageRequest; readonly read: TimeRange },
): Page {
  const { range, isReverse = false } = request;
  const wider = isReverse
    ? { startMs: range.startMs, endMs: rest?.endMs ?? read.startMs }
    : { startMs: rest?.startMs ?? read.endMs, endMs: range.endMs };
  return { block, rest: isEmptyRange(wider) ? null : wider };
}
