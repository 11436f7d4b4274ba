import type { Backend, Page, PageRequest } from '../backends/backend.ts';
import { assert } from '../model/assert.ts';
import type { Block } from '../model/block.ts';
import { ALL_TIME, intersectRanges, isEmptyRange, type TimeRange } from '../model/time-range.ts';

/** What pages are read from. */
export type PageSource = Pick<Backend, 'readPage' | 'supports'>;

const FIRST_PAGE_ROW_COUNT = 1024;
/** Large enough that a page's overhead vanishes, small enough to stay in the processor's caches. */
export const PAGE_ROW_COUNT_MAX = 16_384;
const PAGE_GROWTH = 4;

export interface ReadOptions {
  readonly isReverse?: boolean;
  readonly columns?: readonly string[];
  /** Rows of a page, at most. */
  readonly rowCountMax?: number;
  /** Rows of the first page. Later ones are larger: a reader that wants more will want much more. */
  readonly firstRowCount?: number;
}

type RangeRequest = Pick<PageRequest, 'streamId' | 'granularity' | 'range'>;

/**
 * Reads a range of one level page by page. Each block is ascending and not empty; when reversed, later
 * blocks hold earlier rows. Every page is consistent in itself; writes between two pages are seen by
 * the pages after them.
 */
export async function* readBlocks(
  source: PageSource,
  request: RangeRequest,
  options: ReadOptions = {},
): AsyncGenerator<Block, void, undefined> {
  const {
    firstRowCount = FIRST_PAGE_ROW_COUNT,
    rowCountMax: pageRowCountMax = PAGE_ROW_COUNT_MAX,
    ...shape
  } = options;
  let rest: TimeRange | null = intersectRanges(request.range, ALL_TIME);
  let rowCountMax = firstRowCount;
  while (rest !== null && !isEmptyRange(rest)) {
    const page = await source.readPage({ ...request, ...shape, range: rest, rowCountMax });
    if (page.block.timestamps.length > 0) yield page.block;
    rest = restOfPage(rest, page);
    rowCountMax = Math.min(rowCountMax * PAGE_GROWTH, pageRowCountMax);
  }
}

/**
 * As `readBlocks`, forward and in the largest pages, until `visit` gives false: for whoever reads one short
 * range after the other, of which each would pay for a generator.
 * @returns false when it was stopped.
 */
export async function visitBlocks(
  source: PageSource,
  { streamId, granularity, range }: RangeRequest,
  visit: (block: Block) => boolean,
): Promise<boolean> {
  let rest: TimeRange | null = intersectRanges(range, ALL_TIME);
  const rowCountMax = PAGE_ROW_COUNT_MAX;
  while (rest !== null && !isEmptyRange(rest)) {
    const page = await source.readPage({ streamId, granularity, range: rest, rowCountMax });
    if (page.block.timestamps.length > 0 && !visit(page.block)) return false;
    rest = restOfPage(rest, page);
  }
  return true;
}

function restOfPage({ startMs, endMs }: TimeRange, { block, rest }: Page): TimeRange | null {
  const isSame = rest?.startMs === startMs && rest.endMs === endMs;
  assert(!isSame || block.timestamps.length > 0, 'a page without rows has passed over some time');
  return rest;
}
