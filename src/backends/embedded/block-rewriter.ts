import { assert } from '../../model/assert.ts';
import { type Block, concatBlocks, insertRows, lowerBound, sliceBlock } from '../../model/block.ts';
import type { TimeRange } from '../../model/time-range.ts';
import { encodeBlock } from '../codec/block-codec.ts';
import type { BlockSizes } from './block-sizes.ts';
import type { LevelPlace } from './journal-entry.ts';
import { blockKey } from './keys.ts';
import type { StoreFiles } from './store-files.ts';
import type { StoredBlock, StoredBlocks } from './stored-blocks.ts';

/**
 * Blocks that are rewritten together because changes reach from one into the next, about: more of
 * them would be rewritten no quicker, and be in memory all at once.
 */
const RUN_BLOCK_COUNT_MAX = 64;

/** Rows that come in the place of all rows of a level inside a range. */
export interface RowChange {
  readonly range: TimeRange;
  /** Inside the range; may be empty. */
  readonly rows: Block;
}

/** Neighbouring blocks, and the changes of rows in them. */
interface ChangedRun {
  readonly run: readonly StoredBlock[];
  readonly changes: readonly RowChange[];
}

interface Rewrite {
  /** Blocks that are neighbours, or none. */
  readonly run: readonly StoredBlock[];
  readonly content: Block;
}

/** Changes rows in the midst of a level: each block that changes is encoded once. Called inside a transaction. */
export class BlockRewriter {
  readonly #files: StoreFiles;
  readonly #stored: StoredBlocks;
  readonly #sizes: BlockSizes;

  constructor(
    files: StoreFiles,
    { stored, sizes }: { readonly stored: StoredBlocks; readonly sizes: BlockSizes },
  ) {
    this.#files = files;
    this.#stored = stored;
    this.#sizes = sizes;
  }

  /** Adds rows to a level with blocks, each after every row of the same or an earlier timestamp. */
  insert(level: LevelPlace, rows: Block): void {
    const { timestamps } = rows;
    let near: StoredBlock | null = null;
    for (let row = 0; row < timestamps.length; ) {
      const { block, next } = this.#around(level, timestamps[row]!, near);
      const end = next === null ? timestamps.length : lowerBound(timestamps, next.place.startMs);
      const content = insertRows(this.#stored.decode(block), sliceBlock(rows, row, end));
      const { run } = this.#rewrite(level, { run: [block], content });
      // The neighbour may have become a part of this one.
      near = run.length > 1 ? null : next;
      row = end;
    }
  }

  /** The block where a row of the instant is put, and the one behind it. @param near one that starts before it. */
  #around(
    level: LevelPlace,
    timestampMs: number,
    near: StoredBlock | null,
  ): { readonly block: StoredBlock; readonly next: StoredBlock | null } {
    if (near !== null) {
      const next = this.#stored.next(near.place);
      if (next === null || next.place.startMs > timestampMs) return { block: near, next };
    }
    const block = this.#stored.floor(level, timestampMs) ?? this.#stored.first(level);
    assert(block !== null, 'rows are inserted into a level with blocks');
    return { block, next: this.#stored.next(block.place) };
  }

  /** @param changes ascending; their ranges do not overlap. */
  replace(level: LevelPlace, changes: readonly RowChange[]): void {
    for (let from = 0; from < changes.length; ) {
      const changed = this.#runOf(level, changes, from);
      this.#rewrite(level, { run: changed.run, content: this.#changedRows(changed) });
      from += changed.changes.length;
    }
  }

  /** The blocks of the change at the index, and of those behind it that begin in the last of these blocks. */
  #runOf(level: LevelPlace, changes: readonly RowChange[], index: number): ChangedRun {
    const { range } = changes[index]!;
    const run = [...this.#stored.inRange(level, { range, isReverse: false })];
    let end = index + 1;
    if (run.length === 0) return { run, changes: changes.slice(index, end) };
    let next = this.#stored.next(run.at(-1)!.place);
    while (end < changes.length && run.length < RUN_BLOCK_COUNT_MAX) {
      const { startMs, endMs } = changes[end]!.range;
      if (next !== null && next.place.startMs < startMs) break;
      for (; next !== null && next.place.startMs < endMs; next = this.#stored.next(next.place)) {
        run.push(next);
      }
      end++;
    }
    return { run, changes: changes.slice(index, end) };
  }

  /** The rows of the run after the changes. Blocks of which no row stays are not decoded. */
  #changedRows({ run, changes }: ChangedRun): Block {
    const staying = run.filter((block, i) => {
      const endMs = run[i + 1]?.place.startMs;
      if (i === 0 || endMs === undefined) return true;
      const { startMs } = block.place;
      return !changes.some(({ range }) => range.startMs <= startMs && endMs < range.endMs);
    });
    const rows = concatBlocks(staying.map((block) => this.#stored.decode(block)));
    const pieces: Block[] = [];
    let row = 0;
    for (const { range, rows: put } of changes) {
      pieces.push(sliceBlock(rows, row, lowerBound(rows.timestamps, range.startMs)), put);
      row = lowerBound(rows.timestamps, range.endMs);
    }
    pieces.push(sliceBlock(rows, row, rows.timestamps.length));
    return concatBlocks(pieces);
  }

  /** Puts the content in the place of the run. @returns what it was in the end. */
  #rewrite(level: LevelPlace, change: Rewrite): Rewrite {
    const target = this.#sizes.of(change.content);
    const settled = isSettled(change) ? change : this.#settled(change, target);
    const { run, content } = settled;
    for (const { place } of run) this.#files.blocks.remove(blockKey(place));
    if (content.timestamps.length === 0) return settled;
    const starts = chunkStarts(content.timestamps.length, target);
    let { startMs, tie } = this.#placeBefore(level, settled);
    for (const [i, from] of starts.entries()) {
      const chunkStartMs = content.timestamps[from]!;
      tie = chunkStartMs === startMs ? tie + 1 : 0;
      startMs = chunkStartMs;
      const to = starts[i + 1] ?? content.timestamps.length;
      this.#files.blocks.put(
        blockKey({ ordinal: level.ordinal, level: level.level, startMs, tie }),
        encodeBlock(content, from, to),
      );
    }
    return settled;
  }

  /** Of the last block before the content, as far as its key could be that of the content's first block. */
  #placeBefore(level: LevelPlace, { run, content }: Rewrite): { startMs: number; tie: number } {
    const firstMs = content.timestamps[0]!;
    const [first] = run;
    // The key of the run's first block is free.
    if (first?.place.startMs === firstMs) return { startMs: firstMs, tie: first.place.tie - 1 };
    return this.#stored.floor(level, firstMs)?.place ?? { startMs: Number.NaN, tie: 0 };
  }

  /**
   * Takes neighbours into the run while the content alone would make too small a block, and while
   * the block behind starts with the timestamp of the content's last chunk: their keys would
   * collide.
   */
  #settled({ run, content }: Rewrite, target: number): Rewrite {
    const wider = [...run];
    let rows = content;
    let next = this.#stored.next(wider.at(-1)!.place);
    while (next !== null) {
      const lastStart = chunkStarts(rows.timestamps.length, target).at(-1)!;
      const isColliding = rows.timestamps[lastStart] === next.place.startMs;
      if (!isColliding && !isSmall(rows, target)) break;
      rows = concatBlocks([rows, this.#stored.decode(next)]);
      wider.push(next);
      next = this.#stored.next(next.place);
    }
    const previous = isSmall(rows, target) ? this.#stored.previous(wider[0]!.place) : null;
    if (previous !== null) {
      rows = concatBlocks([this.#stored.decode(previous), rows]);
      wider.unshift(previous);
    }
    return { run: wider, content: rows };
  }
}

function isSettled({ run, content }: Rewrite): boolean {
  return run.length === 0 || content.timestamps.length === 0;
}

function isSmall({ timestamps }: Block, target: number): boolean {
  return timestamps.length < target >> 3;
}

/** Where the blocks of so many rows start: even ones. */
function chunkStarts(rowCount: number, target: number): readonly number[] {
  // A rewritten block may grow to twice the target: the next late row must not split it again.
  if (rowCount <= target * 2) return [0];
  const chunkCount = Math.ceil(rowCount / target);
  const size = Math.ceil(rowCount / chunkCount);
  const starts: number[] = [];
  for (let start = 0; start < rowCount; start += size) starts.push(start);
  return starts;
}
