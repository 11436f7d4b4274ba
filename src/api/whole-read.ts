import { PAGE_ROW_COUNT_MAX, type PageSource, readBlocks } from '../engine/block-reader.ts';
import { type Block, concatBlocks, EMPTY_BLOCK } from '../model/block.ts';
import type { Granularity } from '../model/granularity.ts';
import type { StreamId } from '../model/stream.ts';
import { ALL_TIME, intersectRanges, isEmptyRange, type TimeRange } from '../model/time-range.ts';

/** A read of rows that all are wanted. */
export interface WholeRead {
  readonly streamId: StreamId;
  readonly granularity: Granularity;
  readonly range: TimeRange;
  readonly columns: readonly string[];
}

export interface WholeBlock {
  /** Ascending; may be empty. */
  readonly block: Block;
  /** Whether the block shares no memory with the store. */
  readonly isOwn: boolean;
}

/**
 * Reads all rows of a range. Mostly they are one page, which this reads without the cost of a generator.
 */
export async function readWhole(source: PageSource, read: WholeRead): Promise<WholeBlock> {
  const { streamId, granularity, columns } = read;
  const range = intersectRanges(read.range, ALL_TIME);
  if (isEmptyRange(range)) return { block: EMPTY_BLOCK, isOwn: false };
  const rowCountMax = PAGE_ROW_COUNT_MAX;
  const page = await source.readPage({ streamId, granularity, range, rowCountMax, columns });
  if (page.rest === null) return { block: page.block, isOwn: false };
  const blocks = page.block.timestamps.length > 0 ? [page.block] : [];
  const rest = { streamId, granularity, range: page.rest };
  const following = readBlocks(source, rest, { columns, firstRowCount: rowCountMax });
  for await (const block of following) blocks.push(block);
  return { block: concatBlocks(blocks), isOwn: blocks.length > 1 };
}
