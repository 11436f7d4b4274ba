import { type Block, concatBlocks, EMPTY_BLOCK } from '../../model/block.ts';
import type { TimeRange } from '../../model/time-range.ts';
import type { Page, PageRequest } from '../backend.ts';
import { pageOf } from '../page.ts';
import { BlockGone, type BlockReader } from './block-reader.ts';
import type { BlockRef } from './entry.ts';
import type { Follower } from './follower.ts';
import type { LoadedLevel, StreamLoader } from './stream-loader.ts';
import type { View } from './view.ts';

export interface PageReaderParts {
  readonly view: View;
  readonly follower: Follower;
  readonly loader: StreamLoader;
  readonly blocks: BlockReader;
}

/** What of a level a page is cut from: whole blocks, the tail perhaps, and the range that they cover. */
interface Selection {
  readonly refs: readonly BlockRef[];
  readonly tail: Block;
  readonly range: TimeRange;
}

/** Reads pages of levels: only the blocks that a page needs, and the tail from memory. */
export class PageReader {
  readonly #parts: PageReaderParts;

  constructor(parts: PageReaderParts) {
    this.#parts = parts;
  }

  async read(request: PageRequest): Promise<Page> {
    const { follower, loader, blocks } = this.#parts;
    const { streamId, granularity } = request;
    await follower.follow();
    for (let tryCount = 1; ; tryCount++) {
      const level = await loader.level(streamId, granularity.name);
      if (level === null) return { block: EMPTY_BLOCK, rest: null };
      const { refs, tail, range } = select(level, request);
      try {
        const place = { number: level.number, granularity: granularity.name };
        const stored = await blocks.read(place, refs, request.columns);
        return pageWithin(concatBlocks([stored, tail]), request, range);
      } catch (error) {
        if (!(error instanceof BlockGone)) throw error;
        await error.follow(this.#parts, tryCount);
      }
    }
  }
}

function select(level: LoadedLevel, request: PageRequest): Selection {
  const { range, rowCountMax, isReverse = false } = request;
  const inside = level.directory.filter(
    ({ firstMs, lastMs }) => lastMs >= range.startMs && firstMs < range.endMs,
  );
  const { timestamps } = level.tail;
  const hasTail =
    timestamps.length > 0 && timestamps.at(-1)! >= range.startMs && timestamps[0]! < range.endMs;
  return isReverse
    ? selectBackward(inside, { range, rowCountMax, tail: hasTail ? level.tail : EMPTY_BLOCK })
    : selectForward(inside, { range, rowCountMax, tail: hasTail ? level.tail : EMPTY_BLOCK });
}

interface Wanted {
  readonly range: TimeRange;
  readonly rowCountMax: number;
  readonly tail: Block;
}

function selectForward(
  inside: readonly BlockRef[],
  { range, rowCountMax, tail }: Wanted,
): Selection {
  let rowCount = 0;
  for (const [i, ref] of inside.entries()) {
    rowCount += certainRowCount(ref, range);
    if (rowCount < rowCountMax) continue;
    const nextMs = inside[i + 1]?.firstMs ?? tail.timestamps[0] ?? range.endMs;
    const endMs = Math.min(nextMs, range.endMs);
    return {
      refs: inside.slice(0, i + 1),
      tail: EMPTY_BLOCK,
      range: { startMs: range.startMs, endMs },
    };
  }
  return { refs: inside, tail, range };
}

function selectBackward(
  inside: readonly BlockRef[],
  { range, rowCountMax, tail }: Wanted,
): Selection {
  const { timestamps } = tail;
  const isTailInside =
    timestamps.length > 0 && timestamps.at(-1)! < range.endMs && timestamps[0]! >= range.startMs;
  let rowCount = isTailInside ? timestamps.length : 0;
  for (let from = inside.length; from >= 0; from--) {
    if (from < inside.length) rowCount += certainRowCount(inside[from]!, range);
    if (rowCount < rowCountMax || from === 0) continue;
    const startMs = Math.max(inside[from - 1]!.lastMs + 1, range.startMs);
    return { refs: inside.slice(from), tail, range: { startMs, endMs: range.endMs } };
  }
  return { refs: inside, tail, range };
}

/** Rows of a block that lie in the range for sure: of one that goes beyond it, nobody knows yet. */
function certainRowCount({ firstMs, lastMs, rowCount }: BlockRef, range: TimeRange): number {
  return firstMs >= range.startMs && lastMs < range.endMs ? rowCount : 0;
}

/** A page of rows that cover a part of the asked range from the side where reading starts. */
function pageWithin(rows: Block, request: PageRequest, covered: TimeRange): Page {
  const { range, isReverse = false } = request;
  const page = pageOf(rows, { ...request, range: covered });
  if (isReverse) {
    const endMs = page.rest?.endMs ?? covered.startMs;
    return {
      block: page.block,
      rest: endMs > range.startMs ? { startMs: range.startMs, endMs } : null,
    };
  }
  const startMs = page.rest?.startMs ?? covered.endMs;
  return {
    block: page.block,
    rest: startMs < range.endMs ? { startMs, endMs: range.endMs } : null,
  };
}
