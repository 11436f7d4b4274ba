import { type Block, cutBlock, lowerBound, sliceBlock, upperBound } from '../model/block.ts';
import { isEmptyRange, type TimeRange } from '../model/time-range.ts';
import type { Page, PageRequest } from './backend.ts';

/** Cuts a page out of rows that hold at least the asked range, without splitting a timestamp. */
export function pageOf(rows: Block, request: PageRequest): Page {
  const { range, rowCountMax, isReverse = false } = request;
  const block = cutBlock(rows, range);
  const { timestamps } = block;
  if (timestamps.length <= rowCountMax) return { block, rest: null };
  if (isReverse) {
    const from = lowerBound(timestamps, timestamps[timestamps.length - rowCountMax]!);
    const rest = { startMs: range.startMs, endMs: timestamps[from]! };
    return { block: sliceBlock(block, from, timestamps.length), rest: restOf(rest) };
  }
  const to = upperBound(timestamps, timestamps[rowCountMax - 1]!);
  const rest = { startMs: timestamps[to - 1]! + 1, endMs: range.endMs };
  return { block: sliceBlock(block, 0, to), rest: restOf(rest) };
}

function restOf(range: TimeRange): TimeRange | null {
  return isEmptyRange(range) ? null : range;
}
