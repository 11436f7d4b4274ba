import { assert } from '../../model/assert.ts';
import { type Block, type Column, lowerBound } from '../../model/block.ts';
import type { TimeRange } from '../../model/time-range.ts';

/** Cells of one column that are allotted together. */
const CHUNK_CELL_COUNT = 65_536;
const CHUNK_TICK_COUNT_MAX = 256;
/** Streams whose columns are gathered in one walk: their cells of one tick fill a few cache lines. */
const TILE_STREAM_COUNT = 32;
/** Cells between the columns of a tile, so that they do not all fall into the same cache sets. */
const TILE_PADDING = 8;

/** Of one tick and column: the cell of each stream, or the one that all of them have. */
type Cells = Float64Array | number;

/** Who has an open column in a cohort. */
export interface CohortMember {
  /** The first tick of the column that is not in the member's tail or blocks. */
  from: number;
}

/** What cohorts are told apart by. */
interface CohortName {
  readonly level: number;
  readonly ordinals: Uint32Array;
  readonly columnNames: readonly string[];
}

export interface CohortKey extends CohortName {
  /** The column whose gap value says that a stream has no row in the tick; one of the names. */
  readonly gapColumn: string;
  readonly gapValue: number;
}

/**
 * Rows that many streams got together, tick after tick, for one level: stored as they came, a tick
 * after the other, and gathered by stream only when somebody reads or seals them. A stream's column
 * is open while the stream is a member: every tick adds a row to it without touching the stream. A
 * member that gets rows in another way leaves, and comes back with the next tick.
 */
export class Cohort {
  readonly level: number;
  readonly ordinals: Uint32Array;
  readonly columnNames: readonly string[];
  /** No row of a member is newer; ∞ while that is not known. */
  boundMs: number = Number.NEGATIVE_INFINITY;
  /** The watermark that the ticks gave to the level of each member; null where they give none. */
  untilMs: number | null = null;
  /** Whether the view has let go of it: nobody joins it any more. */
  isDisbanded = false;
  /** Ticks are counted from 0 on, also after earlier ones were released. */
  endTick = 0;
  readonly #gapColumn: number;
  readonly #gapValue: number;
  readonly #members: (CohortMember | null)[];
  readonly #strays: Set<number> = new Set();
  readonly #closedParts: Set<ColumnPart> = new Set();
  readonly #chunks: Chunk[];
  #firstTick = 0;
  #timestamps: Float64Array = new Float64Array(16);
  /** By column, then by tick. */
  readonly #cells: Cells[][];
  #hasGaps: boolean[] = [];

  constructor({ level, ordinals, columnNames, gapColumn, gapValue }: CohortKey) {
    this.level = level;
    this.ordinals = ordinals;
    this.columnNames = columnNames;
    this.#gapColumn = columnNames.indexOf(gapColumn);
    assert(this.#gapColumn >= 0, 'the column that tells gaps is there');
    this.#gapValue = gapValue;
    this.#members = new Array<CohortMember | null>(ordinals.length).fill(null);
    this.#chunks = columnNames.map(() => ({ cells: new Float64Array(0), usedCount: 0 }));
    this.#cells = columnNames.map(() => []);
    for (let index = 0; index < ordinals.length; index++) this.#strays.add(index);
  }

  /** Streams of the list that are no members at present, by their index in it. */
  get strays(): ReadonlySet<number> {
    return this.#strays;
  }

  get memberCount(): number {
    return this.ordinals.length - this.#strays.size;
  }

  /** Ticks that were not released. */
  get tickCount(): number {
    return this.endTick - this.#firstTick;
  }

  is(key: CohortKey): boolean {
    return isSameCohort(key, this);
  }

  /** Opens a column, from the next tick on. */
  join(index: number, member: CohortMember): void {
    assert(this.#strays.delete(index), 'a stream joins once');
    this.#members[index] = member;
    member.from = this.endTick;
  }

  leave(index: number): void {
    assert(this.#members[index] !== null, 'only members leave');
    this.#members[index] = null;
    this.#strays.add(index);
  }

  /** Adds a row to the column of each member, by copy. The columns are in the order of the names. */
  push(timestampMs: number, columns: readonly Cells[], hasGaps: boolean): void {
    const row = this.tickCount;
    if (row === this.#timestamps.length) {
      const timestamps = new Float64Array(row * 2);
      timestamps.set(this.#timestamps);
      this.#timestamps = timestamps;
    }
    this.#timestamps[row] = timestampMs;
    for (let i = 0; i < columns.length; i++) {
      const cells = columns[i]!;
      this.#cells[i]!.push(typeof cells === 'number' ? cells : this.#copied(i, cells));
    }
    this.#hasGaps.push(hasGaps);
    this.boundMs = Math.max(this.boundMs, timestampMs);
    this.endTick++;
  }

  /** A stretch of a column that outlives the membership of its stream, until it is released. */
  closedPart(index: number, from: number): ColumnPart | null {
    const part = this.part(index, { from, to: this.endTick });
    if (part !== null) this.#closedParts.add(part);
    return part;
  }

  /** A stretch of a column; null when it has no rows. */
  part(index: number, { from, to }: { from: number; to: number }): ColumnPart | null {
    let first = from;
    let last = to - 1;
    while (first <= last && this.#isGap(index, first)) first++;
    while (last >= first && this.#isGap(index, last)) last--;
    if (first > last) return null;
    return new ColumnPart(this, { index, from: first, to: last + 1 });
  }

  /** The tick's timestamp. */
  timestampMs(tick: number): number {
    return this.#timestamps[tick - this.#firstTick]!;
  }

  /** The ticks among `[from, to)` that lie in the range of time. */
  ticksIn({ startMs, endMs }: TimeRange, { from, to }: { from: number; to: number }): TickRange {
    const times = this.#timestamps.subarray(from - this.#firstTick, to - this.#firstTick);
    return { from: from + lowerBound(times, startMs), to: from + lowerBound(times, endMs) };
  }

  release(part: ColumnPart): void {
    this.#closedParts.delete(part);
  }

  /** Gives back the ticks that no member and no stretch needs any more. */
  trim(): void {
    let needed = this.endTick;
    for (const member of this.#members) {
      if (member !== null && member.from < needed) needed = member.from;
    }
    for (const { from } of this.#closedParts) if (from < needed) needed = from;
    const count = needed - this.#firstTick;
    if (count === 0) return;
    for (const cells of this.#cells) cells.splice(0, count);
    this.#hasGaps.splice(0, count);
    // Blocks that were handed out may share the old array.
    this.#timestamps = this.#timestamps.slice(count);
    if (this.#timestamps.length === 0) this.#timestamps = new Float64Array(16);
    this.#firstTick = needed;
  }

  /** The rows of several columns in the same ticks. */
  gather(indexes: readonly number[], { from, to }: TickRange, names?: readonly string[]): Block[] {
    const blocks: Block[] = [];
    for (let start = 0; start < indexes.length; start += TILE_STREAM_COUNT) {
      const tile = indexes.slice(start, start + TILE_STREAM_COUNT);
      blocks.push(...this.#gatherTile(tile, { from, to }, names));
    }
    return blocks;
  }

  #gatherTile(
    indexes: readonly number[],
    { from, to }: TickRange,
    names: readonly string[] | undefined,
  ): Block[] {
    const start = from - this.#firstTick;
    const end = to - this.#firstTick;
    const timestamps = this.#timestamps.slice(start, end);
    const firstGap = this.#hasGaps.indexOf(true, start);
    const hasGaps = firstGap >= 0 && firstGap < end;
    const kept = hasGaps ? this.#rowsOf(indexes, { start, end }) : null;
    const blocks = indexes.map((_index, i) => ({
      timestamps:
        kept === null ? timestamps : Float64Array.from(kept[i]!, (row) => timestamps[row]!),
      columns: {} as Record<string, Column>,
    }));
    for (const [column, name] of this.columnNames.entries()) {
      if (names !== undefined && !names.includes(name)) continue;
      const tile = transposed(this.#cells[column]!, indexes, { start, end });
      for (let i = 0; i < indexes.length; i++) {
        const values = tile[i]!;
        blocks[i]!.columns[name] =
          kept === null ? values : Float64Array.from(kept[i]!, (row) => values[row]!);
      }
    }
    return blocks;
  }

  /** Of each stream: the ticks, counted from `start` on, in which it has a row. */
  #rowsOf(indexes: readonly number[], { start, end }: { start: number; end: number }): number[][] {
    return transposed(this.#cells[this.#gapColumn]!, indexes, { start, end }).map((values) => {
      const rows: number[] = [];
      for (let row = 0; row < values.length; row++) {
        if (values[row] !== this.#gapValue) rows.push(row);
      }
      return rows;
    });
  }

  #isGap(index: number, tick: number): boolean {
    const row = tick - this.#firstTick;
    if (!this.#hasGaps[row]) return false;
    const cells = this.#cells[this.#gapColumn]![row]!;
    return (typeof cells === 'number' ? cells : cells[index]) === this.#gapValue;
  }

  #copied(column: number, cells: Float64Array): Float64Array {
    const chunk = this.#chunks[column]!;
    const count = cells.length;
    if (chunk.usedCount + count > chunk.cells.length) {
      const tickCount = Math.ceil(CHUNK_CELL_COUNT / count);
      // A cohort that is new may stay small.
      const wanted = Math.max(4, Math.min(tickCount, CHUNK_TICK_COUNT_MAX, this.tickCount));
      chunk.cells = new Float64Array(wanted * count);
      chunk.usedCount = 0;
    }
    const copy = chunk.cells.subarray(chunk.usedCount, chunk.usedCount + count);
    copy.set(cells);
    chunk.usedCount += count;
    return copy;
  }
}

interface Chunk {
  cells: Float64Array;
  usedCount: number;
}

export interface TickRange {
  readonly from: number;
  readonly to: number;
}

/** A stretch of one stream's column in a cohort. Its first and its last tick have a row. */
export class ColumnPart {
  readonly cohort: Cohort;
  readonly index: number;
  readonly from: number;
  readonly to: number;

  constructor(cohort: Cohort, { index, from, to }: TickRange & { index: number }) {
    this.cohort = cohort;
    this.index = index;
    this.from = from;
    this.to = to;
  }

  get firstMs(): number {
    return this.cohort.timestampMs(this.from);
  }

  get lastMs(): number {
    return this.cohort.timestampMs(this.to - 1);
  }

  /** At most so many rows: ticks without one count too. */
  get rowCount(): number {
    return this.to - this.from;
  }

  /** The part of it inside the range; null when it has no rows there. */
  cut(range: TimeRange): ColumnPart | null {
    if (range.startMs <= this.firstMs && this.lastMs < range.endMs) return this;
    return this.cohort.part(this.index, this.cohort.ticksIn(range, this));
  }

  block(names?: readonly string[]): Block {
    return this.cohort.gather([this.index], this, names)[0]!;
  }
}

/** The columns of some streams out of cells that stand by tick. */
function transposed(
  rows: readonly Cells[],
  indexes: readonly number[],
  { start, end }: { start: number; end: number },
): Float64Array[] {
  const tickCount = end - start;
  const stride = tickCount + TILE_PADDING;
  const tile = new Float64Array(indexes.length * stride);
  for (let tick = 0; tick < tickCount; tick++) {
    const cells = rows[start + tick]!;
    let at = tick;
    if (typeof cells === 'number') {
      for (let i = 0; i < indexes.length; i++, at += stride) tile[at] = cells;
    } else {
      for (let i = 0; i < indexes.length; i++, at += stride) tile[at] = cells[indexes[i]!]!;
    }
  }
  return indexes.map((_index, i) => tile.subarray(i * stride, i * stride + tickCount));
}

export function isSameCohort(a: CohortName, b: CohortName): boolean {
  return (
    a.level === b.level &&
    hasSameItems(a.ordinals, b.ordinals) &&
    hasSameItems(a.columnNames, b.columnNames)
  );
}

function hasSameItems<T>(a: ArrayLike<T>, b: ArrayLike<T>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
