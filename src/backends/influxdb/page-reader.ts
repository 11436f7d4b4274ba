import { assert } from '../../model/assert.ts';
import {
  type Block,
  concatBlocks,
  cutBlock,
  EMPTY_BLOCK,
  VALUE_COLUMN,
} from '../../model/block.ts';
import { bucketStartMs, Granularity } from '../../model/granularity.ts';
import { levelNumber } from '../../model/level-number.ts';
import type { StreamRecord, ValueType } from '../../model/stream.ts';
import { intersectRanges, isEmptyRange, type TimeRange } from '../../model/time-range.ts';
import type { Page, PageRequest } from '../backend.ts';
import type { SqlSession } from '../sql/sql-pool.ts';
import type { SqlStore } from '../sql/sql-store.ts';
import { escapeText } from '../sql/tag-json.ts';
import type { FlushQueue, Quiet } from './flush-queue.ts';
import { asUnavailable } from './influx-errors.ts';
import type { InfluxHttp } from './influx-http.ts';
import {
  alignedRange,
  type ChunkRow,
  chunkDurationMs,
  chunkStarts,
  chunksOf,
  closedEndMs,
  type LevelCache,
  type LevelChunk,
} from './level-cache.ts';
import { queryLevel } from './level-query.ts';
import { JSON_FIELD, NULL_FIELD, NUMBER_FIELD } from './line-protocol.ts';

export interface PageReaderOptions {
  readonly store: SqlStore;
  readonly http: InfluxHttp;
  readonly queue: FlushQueue;
  readonly cache: LevelCache;
  readonly location: string;
}

/** Reads that met a change of the past are repeated; after so many, changes have to wait for the reader. */
const FREE_TRY_COUNT = 4;
/** Rows of one answer, at most, whatever is asked for. */
const ROW_COUNT_MAX = 65_536;
const EMPTY_PAGE: Page = Object.freeze({ block: EMPTY_BLOCK, rest: null });

/** What PostgreSQL says about a stream, in one step. */
interface Situation {
  readonly record: StreamRecord;
  readonly ordinal: number;
  readonly extent: TimeRange;
  /** Bytes that change whenever the past does. */
  readonly tail: Buffer;
  /** Number of the stream's last change that InfluxDB lacks; null when it has them all. */
  readonly pendingSeq: string | null;
  readonly chunks: ReadonlyMap<number, LevelChunk>;
}

interface SituationRow extends ChunkRow {
  readonly record: string;
  readonly ordinal: string;
  readonly earliest_ms: string | null;
  readonly latest_ms: string | null;
  readonly tail: Buffer;
  readonly pending_seq: string | null;
}

/**
 * Reads pages as of one commit. PostgreSQL says how far the stream reached at that commit; InfluxDB is
 * brought up to it first, and rows that came after it in order lie outside. A change of the past that comes
 * between is noticed at the end, and the page is read again.
 */
export class PageReader {
  readonly #options: PageReaderOptions;

  constructor(options: PageReaderOptions) {
    this.#options = options;
  }

  async read(request: PageRequest): Promise<Page> {
    for (let tryCount = 0; tryCount < FREE_TRY_COUNT; tryCount++) {
      const page = await this.#tryRead(request);
      if (page !== null) return page;
    }
    return this.#options.queue.whileQuiet((quiet) => this.#readQuietly(request, quiet));
  }

  /** Null when the past has changed under the read. */
  async #tryRead(request: PageRequest): Promise<Page | null> {
    const { store, queue } = this.#options;
    const situation = await store.read(() => this.#situation(store.pool, request));
    if (situation === null) return EMPTY_PAGE;
    if (situation.pendingSeq !== null) await queue.flushFor(request.streamId);
    return this.#pageOf(request, situation, true);
  }

  /**
   * Nobody else changes InfluxDB. It is brought just as far as PostgreSQL was at one look, so that one look
   * is enough, whatever is committed after it.
   */
  async #readQuietly(request: PageRequest, { session, catchUp }: Quiet): Promise<Page> {
    const situation = await this.#situation(session, request);
    if (situation === null) return EMPTY_PAGE;
    if (situation.pendingSeq !== null) await catchUp(request.streamId, situation.pendingSeq);
    const page = await this.#pageOf(request, situation, false);
    assert(page !== null, 'nothing changes under a quiet read');
    return page;
  }

  /** Not `isShared`: nobody else changes InfluxDB. Null when the past has changed under the read. */
  async #pageOf(
    request: PageRequest,
    situation: Situation,
    isShared: boolean,
  ): Promise<Page | null> {
    try {
      const { highestGranularity } = situation.record;
      return request.granularity.name === highestGranularity
        ? await this.#readRaw(request, situation, isShared)
        : await this.#readLevel(request, situation, isShared);
    } catch (error) {
      throw asUnavailable(error, this.#options.location);
    }
  }

  /** Null for a stream that is not there, or has no rows. */
  async #situation(
    session: Pick<SqlSession, 'query'>,
    { streamId, granularity, range }: PageRequest,
  ): Promise<Situation | null> {
    const { store, location } = this.#options;
    const { schema } = store.target;
    const reachMs = chunkDurationMs(granularity) ?? 0;
    const { rows } = await session.query<SituationRow>(
      `SELECT s.record, s.ordinal, h.earliest_ms, h.latest_ms, h.tail,
        (SELECT max(p.seq) FROM ${schema}.pending_changes p WHERE h.ordinal = ANY(p.ordinals))
          AS pending_seq,
        c.start_ms, c.end_ms, c.body
      FROM ${schema}.streams s JOIN ${schema}.heads h USING (ordinal)
      LEFT JOIN ${schema}.level_chunks c ON c.ordinal = h.ordinal AND c.level = $2
        AND c.start_ms > $3 AND c.start_ms < $4
      WHERE s.id = $1`,
      [escapeText(streamId), levelNumber(granularity.name), range.startMs - reachMs, range.endMs],
    );
    const [first] = rows;
    if (first === undefined || first.earliest_ms === null) return null;
    return {
      record: JSON.parse(first.record) as StreamRecord,
      ordinal: Number(first.ordinal),
      extent: { startMs: Number(first.earliest_ms), endMs: Number(first.latest_ms) + 1 },
      tail: first.tail,
      pendingSeq: first.pending_seq,
      chunks: chunksOf(rows, location),
    };
  }

  async #readRaw(
    request: PageRequest,
    situation: Situation,
    isShared: boolean,
  ): Promise<Page | null> {
    const { record, extent } = situation;
    const { streamId, isReverse = false } = request;
    const range = intersectRanges(request.range, extent);
    if (isEmptyRange(range)) return EMPTY_PAGE;
    const limit = Math.min(request.rowCountMax, ROW_COUNT_MAX);
    const answer = await this.#options.http.rows(
      `SELECT ${fieldOf(record.valueType)}, ${NULL_FIELD} FROM ${this.#options.http.source(streamId)}
      WHERE time >= ${range.startMs}ms AND time < ${range.endMs}ms
      ${isReverse ? 'ORDER BY time DESC' : ''} LIMIT ${limit}`,
    );
    if (isShared && !(await this.#isUnchanged(situation))) return null;
    const block = rawBlockOf(answer.rows, record.valueType, isReverse);
    const hasMore = answer.isCut || answer.rows.length === limit;
    const rest = hasMore ? restOf(range, block, isReverse) : null;
    return { block, rest: rest === null ? null : restIn(request.range, rest, isReverse) };
  }

  async #readLevel(
    request: PageRequest,
    situation: Situation,
    isShared: boolean,
  ): Promise<Page | null> {
    const { granularity, isReverse = false } = request;
    const latestMs = situation.extent.endMs - 1;
    const range = alignedRange(
      intersectRanges(request.range, {
        startMs: bucketStartMs(situation.extent.startMs, granularity),
        endMs: bucketStartMs(latestMs, granularity) + granularity.durationMs,
      }),
      granularity,
    );
    const hasLevel =
      situation.record.valueDownsamplers.length > 0 && !isFiner(granularity, situation);
    if (isEmptyRange(range) || !hasLevel) return EMPTY_PAGE;
    const spanMs = Math.min(request.rowCountMax, ROW_COUNT_MAX) * granularity.durationMs;
    const window = isReverse
      ? { startMs: Math.max(range.startMs, range.endMs - spanMs), endMs: range.endMs }
      : { startMs: range.startMs, endMs: Math.min(range.endMs, range.startMs + spanMs) };
    const block = await this.#levelBlock({ granularity, window, situation, isShared });
    if (block === null) return null;
    const rest = isReverse
      ? { startMs: range.startMs, endMs: window.startMs }
      : { startMs: window.endMs, endMs: range.endMs };
    return {
      block: cutBlock(block, window),
      rest: isEmptyRange(rest) ? null : restIn(request.range, rest, isReverse),
    };
  }

  /** Buckets of the window, from what is kept and what the server computes. */
  async #levelBlock({
    granularity,
    window,
    situation,
    isShared,
  }: {
    readonly granularity: Granularity;
    readonly window: TimeRange;
    readonly situation: Situation;
    readonly isShared: boolean;
  }): Promise<Block | null> {
    const { record, chunks, extent } = situation;
    const { http } = this.#options;
    const openMs = Math.max(window.startMs, closedEndMs(granularity, extent.endMs - 1));
    const closed = { startMs: window.startMs, endMs: Math.min(window.endMs, openMs) };
    const starts = isEmptyRange(closed) ? [] : chunkStarts(granularity, closed);
    const missing = runsOf(
      starts.filter((startMs) => !chunks.has(startMs)),
      chunkDurationMs(granularity) ?? 0,
    );
    const blocks = starts.flatMap((startMs) => chunks.get(startMs)?.block ?? []);
    const computed: LevelChunk[] = [];
    for (const range of missing) {
      computed.push({ range, block: await queryLevel(http, { record, granularity, range }) });
    }
    blocks.push(...computed.map(({ block }) => block));
    if (openMs < window.endMs) {
      // Rows of later commits may be on their way already: they lie behind.
      const range = { startMs: openMs, endMs: Math.min(window.endMs, extent.endMs) };
      blocks.push(await queryLevel(http, { record, granularity, range }));
      computed.push({ range: { startMs: openMs, endMs: openMs }, block: EMPTY_BLOCK });
    }
    if (computed.length > 0 && isShared && !(await this.#isUnchanged(situation))) return null;
    if (missing.length > 0 && isShared) await this.#keep(granularity, situation, computed);
    const filled = blocks.filter(({ timestamps }) => timestamps.length > 0);
    return concatBlocks(filled.sort((a, b) => a.timestamps[0]! - b.timestamps[0]!));
  }

  async #keep(
    granularity: Granularity,
    { ordinal, tail }: Situation,
    computed: readonly LevelChunk[],
  ): Promise<void> {
    const durationMs = chunkDurationMs(granularity);
    const chunks = computed.flatMap(({ range, block }) =>
      isEmptyRange(range)
        ? []
        : chunkStarts(granularity, range).map((startMs): LevelChunk => {
            const part = { startMs, endMs: startMs + durationMs! };
            return { range: part, block: cutBlock(block, part) };
          }),
    );
    const { cache, store } = this.#options;
    // The page is right whether or not its buckets are kept.
    await cache.keep(store.pool, { ordinal, tail, granularity, chunks }).catch(() => {});
  }

  async #isUnchanged({ ordinal, tail }: Situation): Promise<boolean> {
    const { store } = this.#options;
    const { rowCount } = await store.read(() =>
      store.pool.query(
        `SELECT FROM ${store.target.schema}.heads WHERE ordinal = $1 AND tail = $2`,
        [ordinal, tail],
      ),
    );
    return rowCount === 1;
  }
}

function fieldOf(valueType: ValueType): string {
  return valueType === 'numeric' ? NUMBER_FIELD : JSON_FIELD;
}

function isFiner({ durationMs }: Granularity, { record }: Situation): boolean {
  return durationMs < Granularity.byName(record.highestGranularity).durationMs;
}

function rawBlockOf(
  rows: readonly (readonly unknown[])[],
  valueType: ValueType,
  isReverse: boolean,
): Block {
  const ascending = isReverse ? rows.toReversed() : rows;
  if (ascending.length === 0) return EMPTY_BLOCK;
  const timestamps = Float64Array.from(ascending, ([timestampMs]) => timestampMs as number);
  const values =
    valueType === 'numeric'
      ? Float64Array.from(ascending, ([, value]) => (value as number | null) ?? Number.NaN)
      : ascending.map(([, text]) => (text === null ? null : JSON.parse(text as string)));
  return { timestamps, columns: { [VALUE_COLUMN]: values } };
}

/** What of a range is still to be read after the rows of a page. */
function restOf(range: TimeRange, { timestamps }: Block, isReverse: boolean): TimeRange | null {
  const rest = isReverse
    ? { startMs: range.startMs, endMs: timestamps[0] ?? range.startMs }
    : { startMs: (timestamps.at(-1) ?? range.endMs) + 1, endMs: range.endMs };
  return isEmptyRange(rest) ? null : rest;
}

/** The same within the range that was asked for, which keeps its far end. */
function restIn(asked: TimeRange, rest: TimeRange, isReverse: boolean): TimeRange {
  return isReverse
    ? { startMs: asked.startMs, endMs: rest.endMs }
    : { startMs: rest.startMs, endMs: asked.endMs };
}

/** Neighbouring chunks as one range each. */
function runsOf(starts: readonly number[], durationMs: number): readonly TimeRange[] {
  const runs: { startMs: number; endMs: number }[] = [];
  for (const startMs of starts) {
    const last = runs.at(-1);
    if (last?.endMs === startMs) last.endMs = startMs + durationMs;
    else runs.push({ startMs, endMs: startMs + durationMs });
  }
  return runs;
}
