import type { Write } from '../backends/backend.ts';
import { type Block, cutBlock, EMPTY_BLOCK } from '../model/block.ts';
import type { Granularity, GranularityName } from '../model/granularity.ts';
import { clipRanges, subtractRange } from '../model/staleness.ts';
import type { LevelState, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { isEmptyRange, TIME_MIN_MS, type TimeRange } from '../model/time-range.ts';
import { PAGE_ROW_COUNT_MAX, type PageSource, readBlocks } from './block-reader.ts';
import { withStaleBuckets } from './stale-levels.ts';

/** A range of a level that has been computed anew, with all buckets in it that have data. */
export interface ComputedRange {
  readonly granularity: Granularity;
  readonly range: TimeRange;
  readonly block: Block;
}

const EMPTY_LEVEL: LevelState = { untilMs: null, stale: [] };

/**
 * Levels of one stream as they will be after the next commit: computed ranges lie over what is stored,
 * so that a coarser level can be folded from a finer one before either is written.
 */
export class LevelDraft {
  readonly snapshot: StreamSnapshot;
  readonly #source: PageSource;
  readonly #levels: Partial<Record<GranularityName, LevelState>>;
  readonly #computed = new Map<GranularityName, ComputedRange[]>();

  constructor(source: PageSource, snapshot: StreamSnapshot) {
    this.#source = source;
    this.snapshot = snapshot;
    this.#levels = { ...snapshot.record.levels };
  }

  get hasChanges(): boolean {
    return this.#computed.size > 0;
  }

  get computed(): readonly ComputedRange[] {
    return [...this.#computed.values()].flat();
  }

  level(granularity: Granularity): LevelState {
    return this.#levels[granularity.name] ?? EMPTY_LEVEL;
  }

  /** Takes a computed range, moves the watermark, and makes the next coarser level stale there. */
  put({ granularity, range, block }: ComputedRange, coarser: Granularity | undefined): void {
    const ranges = this.#computed.get(granularity.name) ?? [];
    ranges.push({ granularity, range, block });
    ranges.sort((a, b) => a.range.startMs - b.range.startMs);
    this.#computed.set(granularity.name, ranges);
    const { untilMs, stale } = this.level(granularity);
    this.#levels[granularity.name] = {
      untilMs: untilMs === null ? range.endMs : Math.max(untilMs, range.endMs),
      stale: subtractRange(stale, range),
    };
    if (coarser === undefined) return;
    this.#levels[coarser.name] = withStaleBuckets(this.level(coarser), coarser, range);
  }

  /** Takes everything from a level, as if it had never been computed. */
  clear(granularity: Granularity): void {
    const { untilMs } = this.level(granularity);
    if (untilMs === null) return;
    const range = { startMs: TIME_MIN_MS, endMs: untilMs };
    this.#computed.set(granularity.name, [{ granularity, range, block: EMPTY_BLOCK }]);
    this.#levels[granularity.name] = EMPTY_LEVEL;
  }

  /** Rows of a level in order: computed ones where there are, stored ones everywhere else. */
  async *read(granularity: Granularity, range: TimeRange): AsyncGenerator<Block, void, undefined> {
    let startMs = range.startMs;
    for (const { range: covered, block } of this.#computed.get(granularity.name) ?? []) {
      const endMs = Math.min(covered.startMs, range.endMs);
      yield* this.#readStored(granularity, { startMs, endMs });
      const rows = cutBlock(block, range);
      if (rows.timestamps.length > 0) yield rows;
      startMs = Math.max(startMs, covered.endMs);
    }
    yield* this.#readStored(granularity, { startMs, endMs: range.endMs });
  }

  #readStored(granularity: Granularity, range: TimeRange): AsyncGenerator<Block, void, undefined> {
    const request = { streamId: this.snapshot.record.id, granularity, range };
    // Nothing lies between the computed ranges very often.
    if (isEmptyRange(range)) return noBlocks();
    return readBlocks(this.#source, request, { firstRowCount: PAGE_ROW_COUNT_MAX });
  }

  /** The stream's record as the commit leaves it. */
  record(): StreamRecord {
    return { ...this.snapshot.record, levels: this.#levels };
  }

  /** Whether the level's rows come from the server, which folds datapoints whenever it is asked. */
  get isServerComputed(): boolean {
    return this.#source.supports.levels === 'computed';
  }

  writes(): readonly Write[] {
    if (this.isServerComputed) return [];
    return this.computed.map(({ granularity, range, block }) => ({
      kind: 'replace',
      streamId: this.snapshot.record.id,
      granularity,
      range,
      block,
    }));
  }

  /** What of a level is stale or missing up to `endMs`, ascending. */
  work(granularity: Granularity, { startMs, endMs }: TimeRange): readonly TimeRange[] {
    const { untilMs, stale } = this.level(granularity);
    const missing = { startMs: untilMs ?? startMs, endMs };
    const known = clipRanges(stale, { startMs: Number.NEGATIVE_INFINITY, endMs: missing.startMs });
    return isEmptyRange(missing) ? known : [...known, missing];
  }
}

async function* noBlocks(): AsyncGenerator<Block, void, undefined> {}
