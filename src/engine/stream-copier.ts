import type { AppendWrite, Backend, Page, ReplaceWrite } from '../backends/backend.ts';
import {
  InconsistentStreamConfiguration,
  NotSupported,
  StreamAppendContended,
} from '../exceptions/errors.ts';
import { type Block, concatBlocks, EMPTY_BLOCK } from '../model/block.ts';
import { Granularity } from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import { clipRanges, type RangeSet } from '../model/staleness.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import {
  ALL_TIME,
  isEmptyRange,
  TIME_END_MS,
  TIME_MIN_MS,
  type TimeRange,
} from '../model/time-range.ts';
import { compareBlocks } from './block-compare.ts';
import { PAGE_ROW_COUNT_MAX } from './block-reader.ts';
import { type CopyMarker, markerFor, markerOf, unfinishedRecord } from './copy-marker.ts';
import { copiesLevels } from './copy-record.ts';
import type { CopyRoute } from './copy-selection.ts';
import { missingForRows } from './copy-support.ts';
import { CopyWriter, TargetChanged } from './copy-writer.ts';
import { pause } from './pause.ts';

/** Tries in a row in which others change the target's stream before it is given up. */
const TRY_COUNT_MAX = 10;

/**
 * Which rows of the target are those of the source without looking: `all`; `settled`, those that no commit
 * can have changed without changing the record; or `none`.
 */
type Trust = 'all' | 'settled' | 'none';

/** One level on its way. */
interface LevelTask {
  readonly granularity: Granularity;
  readonly kind: 'append' | 'replace';
}

/** Makes the rows of one stream in the target those that the source has, again after each change there. */
export class StreamCopier {
  readonly streamId: StreamId;
  readonly #route: CopyRoute;
  readonly #signal: AbortSignal;
  readonly #onRows: (rowCount: number) => void;
  /** The target's version while nothing was written after the creation in this run. */
  readonly #freshVersion: number | string | null;
  /** Of the source, when the target got its rows. */
  #held: Pick<StreamSnapshot, 'revision' | 'version'> | null = null;
  #targetVersion: number | string | null = null;
  /** Somebody else was at the target: no row in it can be trusted. */
  #isDoubtful = false;

  constructor(
    route: CopyRoute,
    {
      streamId,
      freshVersion,
      signal,
      onRows,
    }: {
      readonly streamId: StreamId;
      readonly freshVersion: number | string | null;
      readonly signal: AbortSignal;
      readonly onRows: (rowCount: number) => void;
    },
  ) {
    this.#route = route;
    this.streamId = streamId;
    this.#freshVersion = freshVersion;
    this.#signal = signal;
    this.#onRows = onRows;
  }

  /** The target's version since its rows are those of the snapshot; null when they may not be. */
  targetVersion(source: StreamSnapshot): number | string | null {
    return this.#held?.version === source.version ? this.#targetVersion : null;
  }

  /** Forgets what it holds: somebody else has changed the target. */
  forget(): void {
    this.#held = null;
    this.#targetVersion = null;
    this.#isDoubtful = true;
  }

  /**
   * Copies what is missing or may have changed. Rows that the source gets while this goes on may be among
   * them: only a source that still has the snapshot's version afterwards is held exactly.
   * @throws {StreamAppendContended} when somebody else changes the target's stream all the time.
   * @throws {NotSupported} when the target cannot hold a row.
   */
  async sync(source: StreamSnapshot): Promise<void> {
    for (let tryCount = 0; tryCount < TRY_COUNT_MAX; tryCount++) {
      const target = await this.#readTarget();
      try {
        this.#targetVersion = await this.#attempt(source, target);
        this.#held = { revision: source.revision, version: source.version };
        this.#isDoubtful = false;
        return;
      } catch (error) {
        if (!(error instanceof TargetChanged)) throw error;
        this.forget();
        await pause(tryCount);
      }
    }
    throw new StreamAppendContended(
      `Others changed stream ${this.streamId} of ${this.#route.to.location} on each of ` +
        `${TRY_COUNT_MAX} tries to copy to it.`,
    );
  }

  async #readTarget(): Promise<StreamSnapshot & { readonly marker: CopyMarker }> {
    const { from, to } = this.#route;
    const [target] = await to.readStreams([this.streamId]);
    const marker = target && markerOf(target.record);
    if (target && marker?.from === from.location) return { ...target, marker };
    throw new InconsistentStreamConfiguration(
      `Stream ${this.streamId} of ${to.location} was changed while it was being copied.`,
    );
  }

  async #attempt(
    source: StreamSnapshot,
    target: StreamSnapshot & { readonly marker: CopyMarker },
  ): Promise<number | string> {
    const { from, to } = this.#route;
    const writer = new CopyWriter(to, target, this.#onRows);
    const isFresh = target.version === this.#freshVersion;
    const trust = isFresh ? 'all' : this.#trust(source, target.marker);
    const isMarked =
      target.marker.revision === source.revision && target.marker.version === source.version;
    const record = unfinishedRecord(source.record, markerFor(from.location, source));
    // An empty copy begins anew, with what it is begun from.
    if (isFresh && !isMarked) writer.update(record);
    await this.#copyRaw(writer, source, { trust, latestMs: target.latestMs });
    await this.#copyLevels(writer, source, { trust, isFresh });
    if (trust === 'none') writer.update(record);
    await writer.flush();
    return writer.version;
  }

  #trust(source: StreamSnapshot, marker: CopyMarker): Trust {
    if (this.#isDoubtful) return 'none';
    const { supports } = this.#route.from;
    // Versions of a store that lives in its process alone may return in another one.
    const held = this.#held ?? (supports.durable ? marker : { revision: null, version: null });
    if (held.version === source.version) return 'all';
    // Where levels are not stored, no watermark says which raw rows are settled.
    return supports.levels === 'stored' && held.revision === source.revision ? 'settled' : 'none';
  }

  async #copyRaw(
    writer: CopyWriter,
    { record }: StreamSnapshot,
    { trust, latestMs }: { trust: Trust; latestMs: number | null },
  ): Promise<void> {
    const granularity = Granularity.byName(record.highestGranularity);
    const restMs = latestMs === null ? TIME_MIN_MS : latestMs + 1;
    const doubtful = trust === 'all' ? [] : trust === 'settled' ? unsettled(record) : [ALL_TIME];
    for (const range of clipRanges(doubtful, { startMs: TIME_MIN_MS, endMs: restMs })) {
      await this.#mirror(writer, { record, granularity, range });
    }
    const range = { startMs: restMs, endMs: TIME_END_MS };
    await this.#extend(writer, { record, granularity, range, kind: 'append' });
  }

  async #copyLevels(
    writer: CopyWriter,
    { record }: StreamSnapshot,
    { trust, isFresh }: { trust: Trust; isFresh: boolean },
  ): Promise<void> {
    if (this.#route.to.supports.levels !== 'stored') return;
    for (const granularity of ladderOf(record).levels) {
      const stored = copiesLevels(this.#route) ? record.levels[granularity.name] : undefined;
      const untilMs = stored?.untilMs ?? TIME_MIN_MS;
      if (untilMs === TIME_MIN_MS && trust !== 'none') continue;
      const latestMs = isFresh ? null : await this.#targetLatestMs(granularity);
      const heldMs = latestMs === null ? TIME_MIN_MS : latestMs + 1;
      if (trust === 'none') {
        const range = { startMs: TIME_MIN_MS, endMs: Math.min(heldMs, untilMs) };
        await this.#mirror(writer, { record, granularity, range });
        await clear(writer, record.id, granularity, { startMs: untilMs, endMs: heldMs });
      }
      const range = { startMs: heldMs, endMs: untilMs };
      await this.#extend(writer, { record, granularity, range, kind: 'replace' });
    }
  }

  /** Copies the rows of a range in which the target has none. */
  async #extend(writer: CopyWriter, task: LevelTask & RangeTask): Promise<void> {
    const { record, granularity, kind } = task;
    for await (const { block, range } of this.#pages(task)) {
      if (block.timestamps.length === 0) continue;
      const place = { streamId: record.id, granularity, block };
      const write: AppendWrite | ReplaceWrite =
        kind === 'append' ? { kind, ...place } : { kind, ...place, range };
      await writer.add(write);
    }
  }

  /** Puts the source's rows of a range in the place of the target's, where they differ. */
  async #mirror(writer: CopyWriter, task: RangeTask): Promise<void> {
    const { record, granularity } = task;
    for await (const { block, range } of this.#pages(task)) {
      const held = await this.#readTargetRange(granularity, range, block.timestamps.length);
      if (held !== null && compareBlocks(held, block).next().done === true) continue;
      await writer.add({ kind: 'replace', streamId: record.id, granularity, range, block });
    }
  }

  /** Pages of the source, each with the part of the range that it stands for; together they are all of it. */
  async *#pages({
    record,
    granularity,
    range,
  }: RangeTask): AsyncGenerator<{ readonly block: Block; readonly range: TimeRange }> {
    const { from, to } = this.#route;
    const isRaw = granularity.name === record.highestGranularity;
    let rest: TimeRange | null = isEmptyRange(range) ? null : range;
    while (rest !== null) {
      this.#signal.throwIfAborted();
      const { startMs }: TimeRange = rest;
      const page: Page = await from.readPage({
        streamId: record.id,
        granularity,
        range: rest,
        rowCountMax: PAGE_ROW_COUNT_MAX,
      });
      if (isRaw) assertHolds(to, record, page.block);
      yield { block: page.block, range: { startMs, endMs: page.rest?.startMs ?? range.endMs } };
      rest = page.rest;
    }
  }

  /** The target's rows of a range; null when there are more than so many. */
  async #readTargetRange(
    granularity: Granularity,
    range: TimeRange,
    rowCountMax: number,
  ): Promise<Block | null> {
    const blocks: Block[] = [];
    let rowCount = 0;
    for (let rest: TimeRange | null = range; rest !== null; ) {
      const page: Page = await this.#route.to.readPage({
        streamId: this.streamId,
        granularity,
        range: rest,
        rowCountMax: rowCountMax + 1,
      });
      blocks.push(page.block);
      rowCount += page.block.timestamps.length;
      if (rowCount > rowCountMax) return null;
      rest = page.rest;
    }
    return concatBlocks(blocks);
  }

  async #targetLatestMs(granularity: Granularity): Promise<number | null> {
    const { block } = await this.#route.to.readPage({
      streamId: this.streamId,
      granularity,
      range: ALL_TIME,
      rowCountMax: 1,
      isReverse: true,
    });
    return block.timestamps.at(-1) ?? null;
  }
}

interface RangeTask {
  readonly record: StreamRecord;
  readonly granularity: Granularity;
  readonly range: TimeRange;
}

/**
 * Where raw rows may have changed while the record has not: in order behind the watermark of a level that is
 * computed from them, and where each such level is stale already.
 */
function unsettled(record: StreamRecord): RangeSet {
  const [finest] = ladderOf(record).fromRaw;
  const level = finest && record.levels[finest.name];
  if (level === undefined || level.untilMs === null) return [ALL_TIME];
  return [...level.stale, { startMs: level.untilMs, endMs: TIME_END_MS }];
}

async function clear(
  writer: CopyWriter,
  streamId: StreamId,
  granularity: Granularity,
  range: TimeRange,
): Promise<void> {
  if (isEmptyRange(range)) return;
  await writer.add({ kind: 'replace', streamId, granularity, range, block: EMPTY_BLOCK });
}

/** @throws {NotSupported} for rows that came after the streams were looked through. */
function assertHolds(to: Backend, record: StreamRecord, block: Block): void {
  const missing = missingForRows(record, block, to.supports);
  if (missing.length === 0) return;
  throw new NotSupported(
    `${to.location} cannot hold stream ${record.id} ${JSON.stringify(record.tags)}: ` +
      `it lacks ${missing.join(' and ')}.`,
  );
}
