import type { Page, PageRequest } from '../backends/backend.ts';
import { type Block, cutBlock } from '../model/block.ts';
import type { GranularityName } from '../model/granularity.ts';
import { TIME_END_MS, type TimeRange } from '../model/time-range.ts';
import type { PageSource } from './block-reader.ts';

/** So many short ranges of a level are read one by one; what follows the next ones is read with them. */
const ALONE_COUNT_MAX = 8;
/** Rows that are read together, at most: about those of a block, which stores decode as a whole anyway. */
const ROW_COUNT_MAX = 512;

/**
 * Reads many short ranges of a level, close behind each other, in a few pages. Whoever uses it makes sure that what was
 * read some time ago still holds.
 */
export class NearPages implements PageSource {
  readonly #source: PageSource;
  #name: GranularityName | null = null;
  /** The latest range that was asked for, and how many there were that close to each other. */
  #asked: TimeRange = { startMs: Number.POSITIVE_INFINITY, endMs: Number.POSITIVE_INFINITY };
  #nearCount = 0;
  /** All rows of a range, of the level of the latest request. */
  #read: { readonly range: TimeRange; readonly block: Block } | null = null;

  constructor(source: PageSource) {
    this.#source = source;
  }

  get supports(): PageSource['supports'] {
    return this.#source.supports;
  }

  /** @param request forward, of all columns. */
  async readPage(request: PageRequest): Promise<Page> {
    const { range, granularity } = request;
    const spanMs = ROW_COUNT_MAX * granularity.durationMs;
    this.#note(request, spanMs);
    const { startMs } = range;
    const isRead = this.#read !== null && isIn(this.#read.range, startMs);
    if (!isRead) {
      if (this.#nearCount <= ALONE_COUNT_MAX) return this.#source.readPage(request);
      const endMs = Math.min(startMs + spanMs, TIME_END_MS);
      const ahead = { startMs, endMs: Math.max(endMs, range.endMs) };
      const rowCountMax = Math.min(ROW_COUNT_MAX, request.rowCountMax);
      const { block, rest } = await this.#source.readPage({
        ...request,
        range: ahead,
        rowCountMax,
      });
      this.#read = { range: { startMs, endMs: rest?.startMs ?? ahead.endMs }, block };
    }
    const { range: known, block } = this.#read!;
    return {
      block: cutBlock(block, range),
      rest: known.endMs < range.endMs ? { startMs: known.endMs, endMs: range.endMs } : null,
    };
  }

  /** Counts the requests of one level that follow each other closely. */
  #note({ granularity, range }: PageRequest, spanMs: number): void {
    const isNear =
      granularity.name === this.#name &&
      // What is left of a range that was not read to its end begins inside of it.
      range.startMs >= this.#asked.startMs &&
      range.startMs - this.#asked.endMs <= spanMs &&
      range.endMs - range.startMs <= spanMs;
    if (granularity.name !== this.#name) this.#read = null;
    this.#nearCount = isNear ? this.#nearCount + 1 : 0;
    this.#name = granularity.name;
    this.#asked = range;
  }
}

function isIn({ startMs, endMs }: TimeRange, timestampMs: number): boolean {
  return startMs <= timestampMs && timestampMs < endMs;
}
