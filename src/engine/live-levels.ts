import { type LevelWrite, NO_ROW } from '../backends/backend.ts';
import { LevelSchema } from '../downsamplers/level-schema.ts';
import { OpenBuckets } from '../downsamplers/open-buckets.ts';
import { rawBlock, sliceBlock } from '../model/block.ts';
import { ladderOf } from '../model/ladder.ts';
import type { StreamId } from '../model/stream.ts';
import { advanceWrites, BucketBoard } from './bucket-board.ts';
import type { EngineContext } from './context.ts';
import { LevelChain } from './level-chain.ts';
import { BoardFollower, ChainFollower, NOBODY } from './level-follower.ts';
import {
  currentPlaces,
  fillChain,
  knownRowCount,
  type OpenStates,
  openRows,
  openRowsWith,
  reachesOpen,
  readOpenStates,
  type StreamLevels,
} from './level-restore.ts';
import type { LevelFollower, LiveStream } from './live-stream.ts';
import { PlanParts, type TickStreams } from './plan-parts.ts';
import { SparseBulk } from './sparse-bulk.ts';
import type { StagedStream } from './staged-stream.ts';

/** Streams that are restored from the store at a time. */
const RESTORE_CONCURRENCY = 64;
/** Streams outside boards whose open buckets stay in memory, at most. */
const CHAIN_COUNT_MAX = 4096;

interface LiveTick {
  readonly timestampMs: number;
  readonly plan: TickStreams;
  /** NaN = null, `NO_ROW` = nothing. In order for every stream that has a row. */
  readonly values: Float64Array;
}

/** What a commit appends: first the ticks, in their order, then what is staged. */
interface LiveBatch {
  readonly ticks: readonly LiveTick[];
  readonly stagedStreams: Iterable<StagedStream>;
}

/** What streams with the same levels share. */
interface LevelFamily extends StreamLevels {
  /** Null where bucket states are not plain numbers. */
  readonly board: BucketBoard | null;
}

/**
 * Lets levels follow appends: keeps the open buckets of streams in memory, and gives what the rows of a
 * batch complete, so that it becomes durable in the same commit. The open buckets are only a cache of what
 * is stored from the watermarks on, and are dropped whenever somebody else may have changed that.
 *
 * Left to maintenance are streams whose levels are far behind, until it has caught up, and, where that is asked for,
 * those that get history in bulk, nearly each row of which has a bucket for itself; those with a level from which
 * others derive, and those that have several levels which are computed from datapoints.
 */
export class LiveLevels {
  readonly #context: EngineContext;
  readonly #families = new Map<string, LevelFamily>();
  readonly #parts = new WeakMap<TickStreams, PlanParts>();
  readonly #chainStreams = new Set<LiveStream>();
  /** Null where history in bulk is followed, too. */
  readonly #bulk: SparseBulk | null;
  /** Changes whenever a stream begins to be followed, or ends. */
  #epoch = 0;
  /** Whose open buckets have moved on for a batch that is not committed yet. */
  #moved: (readonly LiveStream[])[] = [];
  /** Followed again from the next batch on. */
  #paused: LiveStream[] = [];

  constructor(context: EngineContext) {
    this.#context = context;
    this.#bulk = context.liveLevels === 'unless-bulk' ? new SparseBulk(context.nowMs) : null;
  }

  /** What the batch makes complete, in the order in which a commit takes it. Its streams are loaded. */
  async follow({ ticks, stagedStreams }: LiveBatch): Promise<readonly LevelWrite[]> {
    const staged = [...stagedStreams].filter(hasRows);
    for (const stream of this.#bulk?.take({ ticks, staged }) ?? []) this.#leave(stream);
    this.#pauseMixed(ticks, staged);
    const reaching = new Set(staged.filter(reachesOpen));
    const inOrder = staged.filter((item) => !reaching.has(item)).map(({ stream }) => stream);
    const writes: LevelWrite[] = [];
    await this.#restore([...this.#unfollowed(ticks), ...inOrder], writes);
    for (const tick of ticks) this.#followTick(tick, writes);
    for (const item of staged) {
      if (reaching.has(item)) await this.#followAnew(item, writes);
      else this.#followStaged(item, writes);
    }
    return writes;
  }

  /** Drops the open buckets of a stream whose stored rows may be others than was known. */
  forget(stream: LiveStream): void {
    const { follower } = stream;
    if (follower === null) return;
    if (follower instanceof BoardFollower) follower.board.remove(follower.row);
    this.#chainStreams.delete(stream);
    stream.follower = null;
    // With the watermarks gone the record is not that of its revision any more.
    stream.revision = Number.NaN;
    this.#epoch++;
  }

  /** Says that the batch has become durable. */
  settle(): void {
    this.#moved = [];
    this.#resume();
    for (const stream of this.#chainStreams) {
      if (this.#chainStreams.size <= CHAIN_COUNT_MAX) break;
      this.#pause(stream);
    }
  }

  /**
   * Drops what moved on for a batch that did not become durable.
   * @returns the streams concerned: what was known of their watermarks is gone, they must be read again.
   */
  rollBack(): readonly StreamId[] {
    const streams = new Set(this.#moved.flat());
    for (const stream of streams) this.forget(stream);
    this.#moved = [];
    this.#resume();
    return Array.from(streams, ({ streamId }) => streamId);
  }

  /**
   * Lets go of streams that have rows in ticks and, older or in between, staged ones: what a tick completes
   * would depend on them. The next batch finds all of them in the store.
   */
  #pauseMixed(ticks: readonly LiveTick[], staged: readonly StagedStream[]): void {
    if (ticks.length === 0) return;
    for (const item of staged) {
      const { stream, lateRowCount, replacements } = item;
      if (stream.follower === NOBODY) continue;
      const last = ticks.findLast(({ plan }) => this.#partsOf(plan).has(stream));
      if (last === undefined) continue;
      const isInOrder = lateRowCount === 0 && replacements.length === 0;
      if (isInOrder && item.rows().timestamps[0]! >= last.timestampMs) continue;
      this.#leave(stream);
      this.#paused.push(stream);
    }
  }

  /** Leaves a stream to maintenance, until it is read again. */
  #leave(stream: LiveStream): void {
    if (stream.follower === NOBODY) return;
    this.#pause(stream);
    stream.follower = NOBODY;
    this.#epoch++;
  }

  /** Lets go of a stream that nothing has moved since the last commit. */
  #pause(stream: LiveStream): void {
    // The watermarks would go with the follower.
    stream.currentRecord();
    this.forget(stream);
  }

  #resume(): void {
    for (const stream of this.#paused) this.forget(stream);
    this.#paused = [];
  }

  #unfollowed(ticks: readonly LiveTick[]): readonly LiveStream[] {
    return ticks.flatMap(({ plan }) =>
      this.#partsOf(plan).isCurrent(this.#epoch)
        ? []
        : plan.streams.filter(({ follower }) => follower === null),
    );
  }

  async #restore(streams: readonly LiveStream[], writes: LevelWrite[]): Promise<void> {
    const missing = [...new Set(streams)].filter(({ follower }) => follower === null);
    for (let from = 0; from < missing.length; from += RESTORE_CONCURRENCY) {
      const some = missing.slice(from, from + RESTORE_CONCURRENCY);
      await Promise.all(some.map((stream) => this.#restoreStream(stream, writes)));
    }
  }

  async #restoreStream(stream: LiveStream, writes: LevelWrite[]): Promise<void> {
    const open = await this.#openStates(stream);
    if (open === null) return;
    const rows = await openRows(this.#context.backend, stream);
    const chain = this.#filledChain(stream, open);
    chain.addRaw(rows);
    // What others have appended without regard to levels is complete, too.
    const advances = stream.latestMs === null ? [] : chain.advance(stream.latestMs);
    writes.push(...advanceWrites(stream.streamId, advances));
    this.#adopt(stream, chain);
    this.#moved.push([stream]);
  }

  /** What is stored of the levels of a stream but for the open finest bucket; null when it is not followed. */
  async #openStates(stream: LiveStream): Promise<OpenStates | null> {
    const { schema, ladder } = this.#familyOf(stream);
    const places = currentPlaces(stream, { schema, ladder });
    if (places === null) {
      stream.follower = NOBODY;
      this.#epoch++;
      return null;
    }
    const { backend } = this.#context;
    return readOpenStates(backend, stream.streamId, { places, ladder });
  }

  /** To be adopted before the next one is filled: streams of a board take turns with its chain. */
  #filledChain(stream: LiveStream, open: OpenStates): LevelChain {
    const { board, schema, ladder } = this.#familyOf(stream);
    const chain = board === null ? new LevelChain(schema, ladder) : board.emptyChain;
    fillChain(chain, open);
    return chain;
  }

  #adopt(stream: LiveStream, chain: LevelChain): void {
    const { board } = this.#familyOf(stream);
    if (board === null) this.#chainStreams.add(stream);
    stream.follower =
      board === null
        ? new ChainFollower(chain)
        : new BoardFollower(board, board.add(stream.streamId, chain));
    this.#epoch++;
  }

  #followTick({ timestampMs, plan, values }: LiveTick, writes: LevelWrite[]): void {
    const { boards, chains } = this.#partsOf(plan).at(this.#epoch);
    this.#moved.push(plan.streams);
    for (const part of boards) part.board.addTick(part, { timestampMs, values }, writes);
    for (const { streamId, chain, position } of chains) {
      if (values[position] === NO_ROW) continue;
      const value = values.subarray(position, position + 1);
      chain.addRaw(rawBlock(Float64Array.of(timestampMs), value));
      writes.push(...advanceWrites(streamId, chain.advance(timestampMs)));
    }
  }

  #followStaged(staged: StagedStream, writes: LevelWrite[]): void {
    const { stream } = staged;
    const all = staged.rows();
    const rows = sliceBlock(all, knownRowCount(staged), all.timestamps.length);
    if (rows.timestamps.length === 0) return;
    const { follower } = stream;
    if (follower instanceof BoardFollower) {
      writes.push(...follower.board.addBlock(follower.row, rows));
    } else if (follower instanceof ChainFollower) {
      follower.chain.addRaw(rows);
      const advances = follower.chain.advance(rows.timestamps.at(-1)!);
      writes.push(...advanceWrites(stream.streamId, advances));
    } else return;
    this.#moved.push([stream]);
  }

  /** Takes rows that change the open finest bucket: it is filled anew with all that it holds then. */
  async #followAnew(staged: StagedStream, writes: LevelWrite[]): Promise<void> {
    const { stream } = staged;
    if (stream.follower === NOBODY) return;
    const rows = await openRowsWith(this.#context.backend, staged);
    const open = stream.follower === null ? await this.#openStates(stream) : null;
    if (stream.follower === NOBODY) return;
    this.#moved.push([stream]);
    const chain = open === null ? chainOf(stream.follower!) : this.#filledChain(stream, open);
    chain.clearFinest();
    chain.addRaw(rows);
    const lastMs = rows.timestamps.at(-1) ?? Number.NEGATIVE_INFINITY;
    const latestMs = Math.max(stream.latestMs ?? Number.NEGATIVE_INFINITY, lastMs);
    writes.push(...advanceWrites(stream.streamId, chain.advance(latestMs)));
    if (open !== null) this.#adopt(stream, chain);
    else if (stream.follower instanceof BoardFollower) {
      stream.follower.board.put(stream.follower.row, chain);
    }
  }

  #partsOf(plan: TickStreams): PlanParts {
    let parts = this.#parts.get(plan);
    if (parts === undefined) {
      parts = new PlanParts(plan);
      this.#parts.set(plan, parts);
    }
    return parts;
  }

  #familyOf({ record }: LiveStream): LevelFamily {
    const { valueType, valueTypeOptions, valueDownsamplers, highestGranularity } = record;
    const { timeZone, extraLevels } = record;
    const parts = [valueType, valueTypeOptions, valueDownsamplers, highestGranularity];
    const key = JSON.stringify([...parts, timeZone, extraLevels]);
    let family = this.#families.get(key);
    if (family === undefined) {
      const schema = LevelSchema.of(record);
      const ladder = ladderOf(record);
      // A board has the buckets of all of its streams begin, and end, as those of the finer levels do.
      const hasBoard =
        !schema.isEmpty &&
        OpenBuckets.supports(schema) &&
        ladder.isNested &&
        ladder.fromRaw.length === 1;
      family = { schema, ladder, board: hasBoard ? new BucketBoard(schema, ladder) : null };
      this.#families.set(key, family);
    }
    return family;
  }
}

function hasRows(staged: StagedStream): boolean {
  return staged.rows().timestamps.length > 0 || staged.replacements.length > 0;
}

/** The open buckets of a stream as a chain; those on a board must be put back. */
function chainOf(follower: LevelFollower): LevelChain {
  if (follower instanceof BoardFollower) return follower.board.chainOf(follower.row);
  return (follower as ChainFollower).chain;
}
