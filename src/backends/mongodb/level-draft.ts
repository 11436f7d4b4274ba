import { randomBytes } from 'node:crypto';
import { StreamAppendFailed } from '../../exceptions/errors.ts';
import {
  type Block,
  concatBlocks,
  EMPTY_BLOCK,
  insertRows,
  lowerBound,
  replaceRows,
  sliceBlock,
} from '../../model/block.ts';
import type { GranularityName } from '../../model/granularity.ts';
import type { TimeRange } from '../../model/time-range.ts';
import { assignLateRows } from '../blocks/late-rows.ts';
import { splitRows } from '../blocks/split-rows.ts';
import { blockId, type NewBlock } from './block-documents.ts';
import type { BlockRef, LevelChange } from './entry.ts';
import { rowsSizeBytes } from './row-size.ts';
import type { LevelState } from './stream-state.ts';
import { Tail } from './tail.ts';

/** Large values make tails and blocks short, so that documents stay far below the 16 MiB they may have. */
const TAIL_SIZE_MAX_BYTES = 2 ** 20;
const BLOCK_SIZE_MAX_BYTES = 4 * 2 ** 20;
/** Rows of one instant are never parted, and have to fit into one document. */
const INSTANT_SIZE_MAX_BYTES = 14 * 2 ** 20;

/** Where a draft finds the blocks of its level. */
export interface LevelSource {
  readonly number: number;
  readonly granularity: GranularityName;
  directory(): Promise<readonly BlockRef[]>;
  readBlock(ref: BlockRef): Promise<Block>;
}

export interface LevelLimits {
  /** A tail of more rows moves into blocks. */
  readonly tailRowCountMax: number;
  readonly blockRowCount: number;
}

/** A stored block, or rows that become one. */
type Piece = { readonly ref: BlockRef } | { readonly rows: Block };

/** What a group of commits does to one level, before any of it is stored. */
export class LevelDraft {
  readonly #source: LevelSource;
  readonly #limits: LevelLimits;
  readonly #base: LevelState | null;
  readonly #baseTailRowCount: number;
  readonly #baseTailSizeBytes: number;
  readonly #baseFirstMs: number | null;
  #blocksLastMs: number;
  #tailLastMs: number;
  /** Rows in order that ticks bring: other parts of the entry hold them. */
  readonly #ticks: Tail = new Tail();
  #rows: Block[] = [];
  #rowCount = 0;
  /** The whole level, once rows change that are not at its end. */
  #rewritten: { pieces: readonly Piece[]; readonly dropped: Set<string> } | null = null;
  #tail: Block = EMPTY_BLOCK;
  #isTailChanged = false;

  constructor(level: LevelState | null, source: LevelSource, limits: LevelLimits) {
    this.#source = source;
    this.#limits = limits;
    this.#base = level;
    this.#baseTailRowCount = level?.tail.rowCount ?? 0;
    this.#baseTailSizeBytes = level?.tail.sizeBytes ?? 0;
    this.#baseFirstMs = level?.firstMs ?? null;
    this.#blocksLastMs = level?.lastMs ?? Number.NEGATIVE_INFINITY;
    this.#tailLastMs = level?.tail.lastMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Whether a tick's row may go to the end of the tail, before all rows that are not of ticks. */
  takesTick(timestampMs: number): boolean {
    return this.#rows.length === 0 && this.#rewritten === null && this.#isInOrder(timestampMs);
  }

  tick(timestampMs: number, value: number): void {
    this.#ticks.push(timestampMs, value);
    this.#tailLastMs = timestampMs;
    this.#rowCount++;
  }

  async append(rows: Block): Promise<void> {
    if (this.#isInOrder(rows.timestamps[0]!)) {
      this.#push(rows);
      return;
    }
    const rewritten = await this.#rewrite();
    const from = lowerBound(rows.timestamps, this.#blocksLastMs + 1);
    const late = sliceBlock(rows, 0, from);
    if (from < rows.timestamps.length) {
      this.#setTail(insertRows(this.#tail, sliceBlock(rows, from, rows.timestamps.length)));
    }
    if (late.timestamps.length === 0) return;
    const { pieces } = rewritten;
    const changed = [...pieces];
    const firsts = Float64Array.from(pieces, (piece) => firstOf(piece));
    for (const { index, rows: added } of assignLateRows(firsts, late)) {
      changed[index] = { rows: insertRows(await this.#rowsOf(pieces[index]!), added) };
    }
    this.#setPieces(changed);
  }

  async replace(range: TimeRange, rows: Block): Promise<void> {
    if (range.startMs > Math.max(this.#blocksLastMs, this.#tailLastMs)) {
      if (rows.timestamps.length > 0) this.#push(rows);
      return;
    }
    const { pieces } = await this.#rewrite();
    const before = pieces.filter((piece) => lastOf(piece) < range.startMs);
    const after = pieces.filter((piece) => firstOf(piece) >= range.endMs);
    const inside = pieces.filter(
      (piece) => lastOf(piece) >= range.startMs && firstOf(piece) < range.endMs,
    );
    const bodies: Block[] = [];
    for (const piece of inside) bodies.push(await this.#rowsOf(piece));
    const stored = concatBlocks(bodies);
    if (after.length === 0) {
      this.#setPieces(before);
      this.#setTail(replaceRows(concatBlocks([stored, this.#tail]), range, rows));
      return;
    }
    const kept = replaceRows(stored, range, rows);
    this.#setPieces([...before, ...(kept.timestamps.length > 0 ? [{ rows: kept }] : []), ...after]);
  }

  /** The change to put into the entry, if ticks do not say it all, and the blocks to write before. */
  finish(): { readonly change: LevelChange | null; readonly blocks: readonly NewBlock[] } {
    const added = concatBlocks(this.#rows);
    const isSealed = this.#isTailFull(added);
    if (!isSealed && this.#rewritten === null) {
      if (this.#rows.length === 0) return { change: null, blocks: [] };
      return { change: this.#change({ pieces: null, refs: [], rows: added }), blocks: [] };
    }
    const tail = this.#rewritten === null ? this.#wholeTail() : this.#tail;
    const [sealed, rest] = isSealed ? this.#seal(tail) : [EMPTY_BLOCK, tail];
    const pieces = [
      ...(this.#rewritten?.pieces ?? []),
      ...(sealed.timestamps.length > 0 ? [{ rows: sealed }] : []),
    ];
    const blocks = pieces.flatMap((piece) => ('rows' in piece ? this.#newBlocks(piece.rows) : []));
    const isCleared = isSealed || this.#isTailChanged;
    const change = this.#change({
      pieces,
      refs: blocks.map(({ ref }) => ref),
      rows: isCleared ? rest : added,
      isCleared,
    });
    return { change, blocks };
  }

  #isTailFull(added: Block): boolean {
    const rowCountMax = this.#limits.tailRowCountMax;
    if (this.#rewritten !== null) {
      const { timestamps } = this.#tail;
      return timestamps.length > rowCountMax || rowsSizeBytes(this.#tail) > TAIL_SIZE_MAX_BYTES;
    }
    const sizeBytes = this.#baseTailSizeBytes + this.#ticks.sizeBytes + rowsSizeBytes(added);
    return this.#baseTailRowCount + this.#rowCount > rowCountMax || sizeBytes > TAIL_SIZE_MAX_BYTES;
  }

  #change({
    pieces,
    refs,
    rows,
    isCleared = false,
  }: {
    readonly pieces: readonly Piece[] | null;
    readonly refs: readonly BlockRef[];
    readonly rows: Block;
    readonly isCleared?: boolean;
  }): LevelChange {
    const isKnown = this.#rewritten !== null;
    const first = pieces?.[0];
    const last = pieces?.at(-1);
    const baseLastMs = Number.isFinite(this.#blocksLastMs) ? this.#blocksLastMs : null;
    const firstMs = first === undefined ? null : firstOf(first);
    const lastMs = last === undefined ? null : lastOf(last);
    return {
      number: this.#source.number,
      granularity: this.#source.granularity,
      drop: [...(this.#rewritten?.dropped ?? [])],
      add: refs,
      firstMs: isKnown ? firstMs : (this.#baseFirstMs ?? firstMs),
      lastMs: isKnown ? lastMs : (lastMs ?? baseLastMs),
      isTailCleared: isCleared,
      rows: rows.timestamps.length > 0 ? rows : null,
    };
  }

  #isInOrder(timestampMs: number): boolean {
    return timestampMs > this.#blocksLastMs && timestampMs >= this.#tailLastMs;
  }

  #push(rows: Block): void {
    this.#rows.push(rows);
    this.#rowCount += rows.timestamps.length;
    if (this.#rewritten !== null) this.#tail = concatBlocks([this.#tail, rows]);
    this.#tailLastMs = rows.timestamps.at(-1)!;
  }

  #wholeTail(): Block {
    return concatBlocks([
      this.#base?.tail.block() ?? EMPTY_BLOCK,
      this.#ticks.block(),
      ...this.#rows,
    ]);
  }

  async #rewrite(): Promise<{ pieces: readonly Piece[]; readonly dropped: Set<string> }> {
    if (this.#rewritten !== null) return this.#rewritten;
    const directory = await this.#source.directory();
    this.#tail = this.#wholeTail();
    this.#rewritten = { pieces: directory.map((ref) => ({ ref })), dropped: new Set() };
    return this.#rewritten;
  }

  #setTail(tail: Block): void {
    this.#tail = tail;
    this.#isTailChanged = true;
    this.#tailLastMs = tail.timestamps.at(-1) ?? Number.NEGATIVE_INFINITY;
  }

  #setPieces(pieces: readonly Piece[]): void {
    const rewritten = this.#rewritten!;
    const kept = new Set(pieces);
    for (const piece of rewritten.pieces) {
      if ('ref' in piece && !kept.has(piece)) rewritten.dropped.add(piece.ref.id);
    }
    rewritten.pieces = pieces;
    const last = pieces.at(-1);
    this.#blocksLastMs = last === undefined ? Number.NEGATIVE_INFINITY : lastOf(last);
  }

  async #rowsOf(piece: Piece): Promise<Block> {
    return 'rows' in piece ? piece.rows : this.#source.readBlock(piece.ref);
  }

  /**
   * The rows of the last timestamp stay in the tail, so that more of them can follow in order; unless there
   * are too many even of those.
   */
  #seal(tail: Block): readonly [Block, Block] {
    const { timestamps } = tail;
    const cut = lowerBound(timestamps, timestamps.at(-1)!);
    const rest = sliceBlock(tail, cut, timestamps.length);
    const isRestFull =
      timestamps.length - cut > this.#limits.tailRowCountMax ||
      rowsSizeBytes(rest) > TAIL_SIZE_MAX_BYTES;
    return isRestFull ? [tail, EMPTY_BLOCK] : [sliceBlock(tail, 0, cut), rest];
  }

  #newBlocks(rows: Block): readonly NewBlock[] {
    const { number, granularity } = this.#source;
    const rowCount = rows.timestamps.length;
    const blockCount = Math.ceil(rowCount / this.#limits.blockRowCount);
    const parts = splitRows(rows, Math.ceil(rowCount / blockCount)).flatMap(splitLarge);
    return parts.map((part) => {
      const firstMs = part.timestamps[0]!;
      const lastMs = part.timestamps.at(-1)!;
      const id = blockId(number, firstMs, randomBytes(9).toString('base64url'));
      const ref = { id, firstMs, lastMs, rowCount: part.timestamps.length };
      return { number, granularity, ref, rows: part };
    });
  }
}

/** Cuts rows in two until each part fits into a document with ease. */
function splitLarge(rows: Block): readonly Block[] {
  const sizeBytes = rowsSizeBytes(rows);
  if (sizeBytes <= BLOCK_SIZE_MAX_BYTES) return [rows];
  const parts = splitRows(rows, Math.ceil(rows.timestamps.length / 2));
  if (parts.length > 1) return parts.flatMap(splitLarge);
  const single = splitRows(rows, 1);
  if (single.length > 1) return single.flatMap(splitLarge);
  if (sizeBytes <= INSTANT_SIZE_MAX_BYTES) return [rows];
  throw new StreamAppendFailed(
    'The values of one instant are too large for one document (14 MiB). Append them at several instants.',
  );
}

function firstOf(piece: Piece): number {
  return 'ref' in piece ? piece.ref.firstMs : piece.rows.timestamps[0]!;
}

function lastOf(piece: Piece): number {
  return 'ref' in piece ? piece.ref.lastMs : piece.rows.timestamps.at(-1)!;
}
