import type { AdvanceWrite, BucketWrite, LevelWrite } from '../backends/backend.ts';
import { advancesOf } from '../backends/grouped-commit.ts';
import type { LevelSchema } from '../downsamplers/level-schema.ts';
import { OpenBuckets } from '../downsamplers/open-buckets.ts';
import { type Block, VALUE_COLUMN } from '../model/block.ts';
import { bucketBeforeMs, bucketStartMs, type Granularity } from '../model/granularity.ts';
import type { Ladder } from '../model/ladder.ts';
import type { StreamId } from '../model/stream.ts';
import { type LevelAdvance, LevelChain, type LevelPlace } from './level-chain.ts';

/** Streams whose buckets become complete together are written as a group from this many on. */
const GROUP_STREAM_COUNT_MIN = 4;
/** Blocks of fewer rows are added row by row. */
const BLOCK_ROW_COUNT_MIN = 4;

/** Some streams of a board, in the order in which a tick has them. */
export interface BoardGroup {
  readonly rows: Int32Array;
  /** Where the tick has their values. */
  readonly positions: Int32Array;
  /** Frozen, so that a store may keep what it found out about them. */
  readonly streamIds: readonly StreamId[];
}

/** The streams of a group whose bucket of one level is closed now. */
interface Closing {
  readonly rows: Int32Array;
  readonly streamIds: readonly StreamId[];
}

interface BoardLevel {
  readonly granularity: Granularity;
  /** Indexes of the levels that are computed from it. */
  readonly coarser: readonly number[];
  readonly open: OpenBuckets;
  /** By row, as in a `LevelPlace`; NaN for none. */
  floorsMs: Float64Array;
  untilsMs: Float64Array;
}

/**
 * The open buckets of many plain numeric streams with the same levels, side by side, so that a tick is a few
 * loops over streams. The numbers are those of a `LevelChain`.
 */
export class BucketBoard {
  readonly #levels: readonly BoardLevel[];
  /** Takes blocks of many rows, for one stream after the other. */
  readonly #chain: LevelChain;
  /** The row whose buckets are in the chain at present: a stream that gets blocks gets many in a row. */
  #rowInChain: number | null = null;
  readonly #streamIds: (StreamId | null)[] = [];
  readonly #freeRows: number[] = [];
  /** Groups that were closed apart from the rest of their tick, the last one of each level. */
  readonly #partClosings: (Closing | undefined)[] = [];
  readonly #value = new Float64Array(1);

  /** @param ladder nested, with one level that is computed from raw rows. */
  constructor(schema: LevelSchema, ladder: Ladder) {
    this.#chain = new LevelChain(schema, ladder);
    this.#levels = ladder.rungs.map(({ granularity, coarser }) => ({
      granularity,
      coarser: coarser.map((level) => ladder.levels.indexOf(level)),
      open: new OpenBuckets(schema.columns),
      floorsMs: new Float64Array(0),
      untilsMs: new Float64Array(0),
    }));
  }

  /** Takes over what a chain of the stream holds, from which everything complete was taken; gives its row. */
  add(streamId: StreamId, chain: LevelChain): number {
    const row = this.#freeRows.pop() ?? this.#streamIds.length;
    this.#streamIds[row] = streamId;
    this.#extend(row + 1);
    this.put(row, chain);
    return row;
  }

  remove(row: number): void {
    if (row === this.#rowInChain) this.#leaveChain();
    this.#streamIds[row] = null;
    this.#freeRows.push(row);
  }

  place(row: number, levelIndex: number): LevelPlace {
    if (row === this.#rowInChain) return this.#chain.place(levelIndex);
    const { floorsMs, untilsMs } = this.#levels[levelIndex]!;
    const untilMs = untilsMs[row]!;
    return { floorMs: floorsMs[row]!, untilMs: Number.isNaN(untilMs) ? null : untilMs };
  }

  /** A chain to fill for `add` or `put`, which empties it: there is no other one in the meantime. */
  get emptyChain(): LevelChain {
    this.#leaveChain();
    return this.#chain;
  }

  /** The stream's buckets as a chain, to be put back before the next one is asked for. */
  chainOf(row: number): LevelChain {
    this.#leaveChain();
    this.#fillChain(row);
    return this.#chain;
  }

  #fillChain(row: number): void {
    for (const [index, { open }] of this.#levels.entries()) {
      const place = this.place(row, index);
      this.#chain.setPlace(index, place);
      this.#chain.addStates(index, open.block(row, place.floorMs));
    }
  }

  #leaveChain(): void {
    if (this.#rowInChain === null) return;
    const row = this.#rowInChain;
    this.#rowInChain = null;
    this.put(row, this.#chain);
  }

  /** Adds raw rows in order to a stream, and gives what they complete. */
  addBlock(row: number, rows: Block): readonly LevelWrite[] {
    const { timestamps, columns } = rows;
    const values = columns[VALUE_COLUMN];
    if (timestamps.length >= BLOCK_ROW_COUNT_MIN || !(values instanceof Float64Array)) {
      if (row !== this.#rowInChain) {
        this.#leaveChain();
        this.#fillChain(row);
        this.#rowInChain = row;
      }
      this.#chain.addRaw(rows);
      const advances = this.#chain.advance(timestamps.at(-1)!);
      return advanceWrites(this.#streamIds[row]!, advances);
    }
    const writes: LevelWrite[] = [];
    const group: BoardGroup = {
      rows: Int32Array.of(row),
      positions: FIRST,
      streamIds: [this.#streamIds[row]!],
    };
    for (let index = 0; index < values.length; index++) {
      this.#value[0] = values[index]!;
      this.addTick(group, { timestampMs: timestamps[index]!, values: this.#value }, writes);
    }
    return writes;
  }

  /** Takes back what a chain of the stream holds, from which everything complete was taken. */
  put(row: number, chain: LevelChain): void {
    for (const [index, level] of this.#levels.entries()) {
      const { floorMs, untilMs } = chain.place(index);
      level.floorsMs[row] = floorMs;
      level.untilsMs[row] = untilMs ?? Number.NaN;
      level.open.put(row, chain.takeOpen(index));
    }
  }

  /**
   * Adds a tick in order to the streams of a group (NaN = null, infinity = no row), and what it completes
   * to `writes`.
   */
  addTick(
    group: BoardGroup,
    { timestampMs, values }: { readonly timestampMs: number; readonly values: Float64Array },
    writes: LevelWrite[],
  ): void {
    this.#leaveChain();
    const { rows, positions } = group;
    const { granularity, open, floorsMs } = this.#levels[0]!;
    const startMs = bucketStartMs(timestampMs, granularity);
    let movedCount = 0;
    for (let index = 0; index < rows.length; index++) {
      // The negated form also catches NaN, of streams without data.
      if (floorsMs[rows[index]!]! >= startMs) continue;
      if (values[positions[index]!] !== Number.POSITIVE_INFINITY) movedCount++;
    }
    if (movedCount > 0) this.#closeFinest(group, { timestampMs, values, movedCount }, writes);
    open.addValues(rows, { values, positions, offsetMs: timestampMs - startMs });
  }

  #closeFinest(
    { rows, positions, streamIds }: BoardGroup,
    tick: { readonly timestampMs: number; readonly values: Float64Array; movedCount: number },
    writes: LevelWrite[],
  ): void {
    const { granularity, floorsMs } = this.#levels[0]!;
    const untilMs = bucketStartMs(tick.timestampMs, granularity);
    let moved: Closing = { rows, streamIds };
    if (tick.movedCount < rows.length) {
      moved = this.#part(0, moved, (index) => {
        const hasRow = tick.values[positions[index]!] !== Number.POSITIVE_INFINITY;
        return hasRow && !(floorsMs[rows[index]!]! >= untilMs);
      });
    }
    this.#start(moved.rows, tick.timestampMs);
    this.#close(0, moved, untilMs, writes);
  }

  /** Streams without data have all their first buckets begin where the tick lies. */
  #start(rows: Int32Array, timestampMs: number): void {
    const [finest] = this.#levels;
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      if (!Number.isNaN(finest!.floorsMs[row]!)) continue;
      for (const { granularity, floorsMs } of this.#levels) {
        floorsMs[row] = bucketStartMs(timestampMs, granularity);
      }
    }
  }

  /** Closes the open buckets of a level and moves the watermarks, where they are not yet at `untilMs`. */
  #close(levelIndex: number, closing: Closing, untilMs: number, writes: LevelWrite[]): void {
    const { floorsMs } = this.#levels[levelIndex]!;
    const { rows } = closing;
    const floorMs = floorsMs[rows[0]!]!;
    if (areAlike(rows, floorsMs)) {
      if (floorMs < untilMs) this.#closeAlike(levelIndex, closing, untilMs, writes);
      return;
    }
    for (const floor of new Set(Array.from(rows, (row) => floorsMs[row]!))) {
      if (!(floor < untilMs)) continue;
      const part = this.#part(levelIndex, closing, (index) => floorsMs[rows[index]!] === floor);
      this.#closeAlike(levelIndex, part, untilMs, writes);
    }
  }

  /** As `#close`, of streams whose open buckets begin at the same instant. */
  #closeAlike(levelIndex: number, closing: Closing, untilMs: number, writes: LevelWrite[]): void {
    const { granularity, open, floorsMs, untilsMs } = this.#levels[levelIndex]!;
    const { rows, streamIds } = closing;
    const startMs = floorsMs[rows[0]!]!;
    const columns = open.columns(rows);
    writes.push(
      ...groupedWrites({ kind: 'bucket', granularity, streamIds, startMs, untilMs, columns }),
    );
    for (let index = 0; index < rows.length; index++) {
      floorsMs[rows[index]!] = untilMs;
      untilsMs[rows[index]!] = untilMs;
    }
    for (const coarserIndex of this.#levels[levelIndex]!.coarser) {
      const coarser = this.#levels[coarserIndex]!;
      const bucketMs = bucketStartMs(startMs, coarser.granularity);
      this.#close(coarserIndex, closing, bucketMs, writes);
      coarser.open.addBuckets(rows, open, startMs - bucketMs);
      // Complete is what no finer bucket can change any more: one that has begun may still get data.
      const latestMs = bucketBeforeMs(untilMs, granularity);
      const coarserUntilMs = bucketStartMs(latestMs, coarser.granularity);
      this.#close(coarserIndex, closing, coarserUntilMs, writes);
    }
    open.clear(rows);
  }

  /** Some streams of a closing; the same object as last time when they are the same streams. */
  #part(levelIndex: number, whole: Closing, isIn: (index: number) => boolean): Closing {
    const indexes = Int32Array.from(whole.rows.keys()).filter(isIn);
    const rows = indexes.map((index) => whole.rows[index]!);
    const last = this.#partClosings[levelIndex];
    const isSame = (other: Closing): boolean =>
      other.rows.length === rows.length &&
      rows.every((row, index) => other.rows[index] === row) &&
      other.streamIds.every((id, index) => id === whole.streamIds[indexes[index]!]);
    if (last !== undefined && isSame(last)) return last;
    const streamIds = Array.from(indexes, (index) => whole.streamIds[index]!);
    const part = { rows, streamIds: Object.freeze(streamIds) };
    this.#partClosings[levelIndex] = part;
    return part;
  }

  #extend(rowCount: number): void {
    for (const level of this.#levels) {
      level.open.extend(rowCount);
      level.floorsMs = extended(level.floorsMs, rowCount);
      level.untilsMs = extended(level.untilsMs, rowCount);
    }
  }
}

const FIRST = Int32Array.of(0);

function areAlike(rows: Int32Array, column: Float64Array): boolean {
  const first = column[rows[0]!];
  for (let index = 1; index < rows.length; index++) {
    if (column[rows[index]!] !== first) return false;
  }
  return true;
}

/** What became complete of one stream, as a store takes it. */
export function advanceWrites(
  streamId: StreamId,
  advances: readonly LevelAdvance[],
): readonly AdvanceWrite[] {
  return advances.map((advance) => ({ kind: 'advance', streamId, ...advance }));
}

function groupedWrites(write: BucketWrite): readonly LevelWrite[] {
  return write.streamIds.length < GROUP_STREAM_COUNT_MIN ? advancesOf(write) : [write];
}

function extended(column: Float64Array, rowCount: number): Float64Array {
  if (rowCount <= column.length) return column;
  const longer = new Float64Array(Math.max(rowCount, column.length * 2));
  longer.set(column);
  return longer;
}
