import { type Block, cutBlock, EMPTY_BLOCK } from '../model/block.ts';
import type { Granularity, GranularityName } from '../model/granularity.ts';
import { type Ladder, ladderOf } from '../model/ladder.ts';
import { clipRanges, type RangeSet, subtractRange } from '../model/staleness.ts';
import type { LevelState, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { isEmptyRange, TIME_MIN_MS, type TimeRange } from '../model/time-range.ts';
import { type PageSource, visitBlocks } from './block-reader.ts';
import { NearPages } from './near-pages.ts';
import type { PreparedChange } from './prepared-change.ts';
import { withLostBuckets, withStaleBuckets } from './stale-levels.ts';

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
  readonly ladder: Ladder;
  readonly #source: PageSource;
  readonly #pages: NearPages;
  readonly #levels: Partial<Record<GranularityName, LevelState>>;
  readonly #computed = new Map<GranularityName, ComputedRange[]>();

  constructor(source: PageSource, snapshot: StreamSnapshot) {
    this.#source = source;
    // What is committed has to be what was read: a draft whose stream has changed since is given up.
    this.#pages = new NearPages(source);
    this.snapshot = snapshot;
    this.ladder = ladderOf(snapshot.record);
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

  /** Takes a computed range, moves the watermark, and makes what is computed from it stale there. */
  put({ granularity, range, block }: ComputedRange): void {
    const ranges = this.#computed.get(granularity.name) ?? [];
    const isLast = (ranges.at(-1)?.range.startMs ?? TIME_MIN_MS) <= range.startMs;
    ranges.push({ granularity, range, block });
    if (!isLast) ranges.sort((a, b) => a.range.startMs - b.range.startMs);
    this.#computed.set(granularity.name, ranges);
    const { untilMs, stale } = this.level(granularity);
    this.#levels[granularity.name] = {
      untilMs: untilMs === null ? range.endMs : Math.max(untilMs, range.endMs),
      stale: subtractRange(stale, range),
    };
    for (const coarser of this.ladder.rung(granularity).coarser) {
      const level = this.level(coarser);
      const next = withStaleBuckets(level, coarser, range);
      // A level without buckets has no entry.
      if (next !== level) this.#levels[coarser.name] = next;
    }
  }

  /** Keeps stored rows of a range that were read as a whole: they are not read again. */
  remember(stored: ComputedRange): void {
    const { name } = stored.granularity;
    this.#computed.set(name, [...(this.#computed.get(name) ?? []), stored]);
  }

  /** Takes everything from a level, as if it had never been computed. */
  clear(granularity: Granularity): void {
    const { untilMs } = this.level(granularity);
    if (untilMs === null) return;
    const range = { startMs: TIME_MIN_MS, endMs: untilMs };
    this.#computed.set(granularity.name, [{ granularity, range, block: EMPTY_BLOCK }]);
    this.#levels[granularity.name] = EMPTY_LEVEL;
  }

  /**
   * Visits the rows of a level in order, computed ones where there are, stored ones everywhere else, until
   * `visit` gives false.
   */
  async visit(
    granularity: Granularity,
    range: TimeRange,
    visit: (block: Block) => boolean,
  ): Promise<void> {
    let startMs = range.startMs;
    for (const { range: covered, block } of this.#computedIn(granularity, range)) {
      const stored = { startMs, endMs: Math.min(covered.startMs, range.endMs) };
      if (!(await this.#visitStored(granularity, stored, visit))) return;
      const rows = cutBlock(block, range);
      if (rows.timestamps.length > 0 && !visit(rows)) return;
      startMs = Math.max(startMs, covered.endMs);
    }
    await this.#visitStored(granularity, { startMs, endMs: range.endMs }, visit);
  }

  /** The rows of a range of a level that has been computed as a whole; null for others. */
  computedRows(granularity: Granularity, range: TimeRange): Block | null {
    const [computed] = this.#computedIn(granularity, range);
    return computed !== undefined && contains(computed, range)
      ? cutBlock(computed.block, range)
      : null;
  }

  /** What has been computed of a range of a level, ascending. Ranges are many when data came late. */
  #computedIn(granularity: Granularity, { startMs, endMs }: TimeRange): readonly ComputedRange[] {
    const computed = this.#computed.get(granularity.name) ?? [];
    const from = firstIndex(computed, ({ range }) => range.endMs > startMs);
    let to = from;
    while (to < computed.length && computed[to]!.range.startMs < endMs) to++;
    return computed.slice(from, to);
  }

  async #visitStored(
    granularity: Granularity,
    range: TimeRange,
    visit: (block: Block) => boolean,
  ): Promise<boolean> {
    // Nothing lies between the computed ranges very often.
    if (isEmptyRange(range)) return true;
    const request = { streamId: this.snapshot.record.id, granularity, range };
    return visitBlocks(this.#pages, request, visit);
  }

  /** Whether the level's rows come from the server, which folds datapoints whenever it is asked. */
  get isServerComputed(): boolean {
    return this.#source.supports.levels === 'computed';
  }

  /** What the commit has to store: computed rows, and the record where it is more than watermarks that move. */
  change(): Pick<PreparedChange, 'update' | 'writes'> {
    const { record } = this.snapshot;
    const update = { ...filledRecord(record, this.#levels), levels: this.#levels };
    if (this.isServerComputed) return { update, writes: [] };
    const { computed } = this;
    const isAhead = this.#source.supports.liveLevels && this.#isAhead(computed);
    const streamId = record.id;
    if (!isAhead) {
      return { update, writes: computed.map((item) => ({ kind: 'replace', streamId, ...item })) };
    }
    return {
      update: null,
      writes: computed.map(({ granularity, range, block }) => ({
        kind: 'advance',
        streamId,
        granularity,
        block,
        untilMs: range.endMs,
      })),
    };
  }

  /** Whether all that was computed lies behind what the levels had, and nothing was stale or has become so. */
  #isAhead(computed: readonly ComputedRange[]): boolean {
    const { levels } = this.snapshot.record;
    return (
      computed.length === this.#computed.size &&
      computed.every(({ granularity, range }) => {
        const { untilMs } = levels[granularity.name] ?? EMPTY_LEVEL;
        return (
          this.level(granularity).untilMs !== null && range.startMs >= (untilMs ?? TIME_MIN_MS)
        );
      }) &&
      Object.entries(this.#levels).every(
        ([name, level = EMPTY_LEVEL]) =>
          level.stale.length === 0 &&
          (levels[name as GranularityName] ?? EMPTY_LEVEL).stale.length === 0,
      )
    );
  }

  /**
   * What of a level is stale or missing up to `endMs`, ascending.
   * @param range from where the level begins.
   */
  work(granularity: Granularity, range: TimeRange): readonly TimeRange[] {
    const { stale, missing } = this.#work(granularity, range);
    return [...stale, ...missing];
  }

  /** As `work`, with what lies between stale ranges that are dense: what is to be computed. */
  joinedWork(granularity: Granularity, range: TimeRange): readonly TimeRange[] {
    const { stale, missing } = this.#work(granularity, range);
    return [...joinDense(stale), ...missing];
  }

  #work(
    granularity: Granularity,
    { startMs, endMs }: TimeRange,
  ): { readonly stale: RangeSet; readonly missing: RangeSet } {
    const { untilMs, stale } = this.level(granularity);
    const missing = { startMs: untilMs ?? startMs, endMs };
    const known = { startMs: Number.NEGATIVE_INFINITY, endMs: missing.startMs };
    return {
      stale: clipRanges(withLostBuckets(stale, startMs), known),
      missing: isEmptyRange(missing) ? [] : [missing],
    };
  }
}

/** The record without the mark that rows of another kind are stale, once there are no stale ones. */
function filledRecord(record: StreamRecord, levels: StreamRecord['levels']): StreamRecord {
  if (!record.isRefilling) return record;
  if (Object.values(levels).some((level) => (level?.stale.length ?? 0) > 0)) return record;
  const { isRefilling: _isRefilling, ...filled } = record;
  return filled;
}

/**
 * Ranges with what lies between them where at least half of that is stale: one long range is read, folded
 * and written in a fraction of the time that many short ones take, and has at most twice their rows.
 */
function joinDense(ranges: RangeSet): readonly TimeRange[] {
  const joined: { startMs: number; endMs: number; staleMs: number }[] = [];
  for (const { startMs, endMs } of ranges) {
    const last = joined.at(-1);
    const staleMs = endMs - startMs;
    if (last !== undefined && (last.staleMs + staleMs) * 2 >= endMs - last.startMs) {
      last.endMs = endMs;
      last.staleMs += staleMs;
    } else {
      joined.push({ startMs, endMs, staleMs });
    }
  }
  return joined.map(({ startMs, endMs }) => ({ startMs, endMs }));
}

/** Index of the first item of which it holds, when it holds of all behind one of which it does. */
function firstIndex<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function contains({ range }: ComputedRange, { startMs, endMs }: TimeRange): boolean {
  return range.startMs <= startMs && endMs <= range.endMs;
}
