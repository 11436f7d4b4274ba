import type { Block, Column } from '../../model/block.ts';
import {
  concatBlocks,
  cutBlock,
  EMPTY_BLOCK,
  lowerBound,
  sliceBlock,
  upperBound,
} from '../../model/block.ts';
import type { TimeRange } from '../../model/time-range.ts';
import type { Page } from '../backend.ts';
import { decodeBlocks } from '../codec/block-codec.ts';
import type { BlockStore, StoredBlock } from './block-store.ts';
import type { LevelPlace } from './journal-entry.ts';

export interface PageOptions {
  readonly range: TimeRange;
  readonly rowCountMax: number;
  readonly isReverse: boolean;
  readonly columns: readonly string[] | undefined;
  /** The rows behind all blocks; null when there are none. */
  readonly tail: Block | null;
}

/** Reads a page of one level: the rows of its blocks, then those of its tail. */
export function readLevelPage(blocks: BlockStore, level: LevelPlace, options: PageOptions): Page {
  const reader = new BlockReader(blocks, level, options);
  try {
    return options.isReverse ? backwardPage(reader, options) : forwardPage(reader, options);
  } finally {
    reader.close();
  }
}

function forwardPage(reader: BlockReader, options: PageOptions): Page {
  const { range, rowCountMax, tail, columns } = options;
  for (let rowCount = rowCountMax; ; rowCount = reader.rows.timestamps.length + 1) {
    reader.readUntil(rowCount);
    const isAtTail = reader.next === null;
    const page =
      isAtTail && tail !== null
        ? withTail(reader.rows, projected(cutBlock(tail, range), columns), rowCountMax)
        : { block: reader.rows, isWhole: isAtTail };
    const { timestamps } = page.block;
    if (timestamps.length === 0) return { block: EMPTY_BLOCK, rest: null };
    let end = timestamps.length;
    if (end > rowCountMax) end = upperBound(timestamps, timestamps[rowCountMax - 1]!);
    if (end === timestamps.length && reader.next?.place.startMs === timestamps[end - 1]) {
      // The next block goes on with the last timestamp: leave it to the next page, or read on.
      end = lowerBound(timestamps, timestamps[end - 1]!);
      if (end === 0) continue;
    }
    const isLast = end === timestamps.length && page.isWhole;
    return {
      block: sliceBlock(page.block, 0, end),
      rest: isLast ? null : { startMs: timestamps[end - 1]! + 1, endMs: range.endMs },
    };
  }
}

/**
 * The rows and as much of the tail behind them as the page needs, never a part of a timestamp's
 * rows.
 */
function withTail(
  rows: Block,
  tail: Block,
  rowCountMax: number,
): { readonly block: Block; readonly isWhole: boolean } {
  const { timestamps } = tail;
  const lastMs = rows.timestamps.at(-1) ?? Number.NEGATIVE_INFINITY;
  const needed = Math.min(rowCountMax - rows.timestamps.length, timestamps.length);
  const end = upperBound(timestamps, needed > 0 ? timestamps[needed - 1]! : lastMs);
  return {
    block: concatBlocks([rows, sliceBlock(tail, 0, end)]),
    isWhole: end === timestamps.length,
  };
}

function backwardPage(reader: BlockReader, options: PageOptions): Page {
  const { range, rowCountMax, columns } = options;
  const tail =
    options.tail === null ? EMPTY_BLOCK : projected(cutBlock(options.tail, range), columns);
  const tailCount = tail.timestamps.length;
  for (let needed = rowCountMax - tailCount; ; needed = reader.rows.timestamps.length + 1) {
    reader.readUntil(needed);
    const rowCount = reader.rows.timestamps.length + tailCount;
    if (rowCount === 0) return { block: EMPTY_BLOCK, rest: null };
    const block = concatBlocks([reader.rows, tail]);
    const { timestamps } = block;
    let start = 0;
    if (rowCount > rowCountMax) start = lowerBound(timestamps, timestamps[rowCount - rowCountMax]!);
    const earlierMs = start > 0 ? timestamps[start - 1]! : reader.nextLastMs();
    if (start === 0 && earlierMs === timestamps[0]) {
      // The block before ends with the first timestamp: leave it to the next page, or read on.
      start = upperBound(timestamps, timestamps[0]!);
      if (start === rowCount) continue;
    }
    const isLast = earlierMs === null || earlierMs < range.startMs;
    return {
      block: sliceBlock(block, start, rowCount),
      rest: isLast ? null : { startMs: range.startMs, endMs: timestamps[start]! },
    };
  }
}

/** Collects the rows of the range from one block after the other, in either direction. */
class BlockReader {
  /** What was read so far: ascending, inside the range. */
  rows: Block = EMPTY_BLOCK;
  /** The block to be read next; null at the end. */
  next: StoredBlock | null = null;
  readonly #blocks: BlockStore;
  readonly #options: PageOptions;
  readonly #stored: Generator<StoredBlock>;

  constructor(blocks: BlockStore, level: LevelPlace, options: PageOptions) {
    this.#blocks = blocks;
    this.#options = options;
    this.#stored = blocks.inRange(level, options);
    this.#advance();
  }

  /** Reads on until so many rows are there, or all. */
  readUntil(rowCount: number): void {
    while (this.next !== null && this.rows.timestamps.length < rowCount) {
      const needed = rowCount - this.rows.timestamps.length;
      const rows = cutBlock(this.#decodeNext(needed), this.#options.range);
      this.rows = concatBlocks(this.#options.isReverse ? [rows, this.rows] : [this.rows, rows]);
    }
  }

  /** Timestamp of the last row of the next block; null when there is none. */
  nextLastMs(): number | null {
    if (this.next === null) return null;
    return this.#blocks.header(this.next).lastMs;
  }

  /** Lets go of the cursor. */
  close(): void {
    this.#stored.return(undefined);
  }

  #decodeNext(rowCount: number): Block {
    const { range, isReverse, columns } = this.#options;
    const parts: StoredBlock[] = [];
    let partRowCount = 0;
    while (this.next !== null && partRowCount < rowCount) {
      const { place } = this.next;
      const header = this.#blocks.header(this.next);
      parts.push(this.next);
      // Of the blocks at the rim of the range it is unknown how many rows lie inside.
      const isInside = place.startMs >= range.startMs && header.lastMs < range.endMs;
      if (isInside) partRowCount += header.rowCount;
      this.#advance();
    }
    if (isReverse) parts.reverse();
    return decodeBlocks(
      parts.map((part) => part.bytes),
      (i) => this.#blocks.locate(parts[i]!.place),
      columns,
    );
  }

  #advance(): void {
    const { done, value } = this.#stored.next();
    this.next = done ? null : value;
  }
}

function projected(block: Block, names: readonly string[] | undefined): Block {
  if (names === undefined) return block;
  const columns: Record<string, Column> = {};
  for (const name of names) {
    const column = Object.hasOwn(block.columns, name) ? block.columns[name] : undefined;
    if (column !== undefined) columns[name] = column;
  }
  return { timestamps: block.timestamps, columns };
}
