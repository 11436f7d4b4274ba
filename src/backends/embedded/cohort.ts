import { assert } from '../../model/assert.ts';
import { type Block, type Column, lowerBound } from '../../model/block.ts';
import type { TimeRange } from '../../model/time-range.ts';
import { type Cells, CohortCells, SLAB_TICK_COUNT } from './cohort-cells.ts';
import type { ScratchMemory } from './scratch-memory.ts';

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
 * Rows that many streams got together, tick after tick, for one level. A stream's column is open
 * while the stream is a member: every tick adds a row to it without touching the stream. A member
 * that gets rows in another way leaves, and comes back with the next tick.
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
  /** The first tick that is kept: where a slab begins. */
  #firstTick = 0;
  /** The first tick that somebody needs, in the first slab. */
  #neededTick = 0;
  #timestamps: Float64Array = new Float64Array(16);
  /** By column. */
  readonly #cells: readonly CohortCells[];
  #hasGaps: boolean[] = [];

  constructor({ level, ordinals, columnNames, gapColumn, gapValue }: CohortKey) {
    this.level = level;
    this.ordinals = ordinals;
    this.columnNames = columnNames;
    this.#gapColumn = columnNames.indexOf(gapColumn);
    assert(this.#gapColumn >= 0, 'the column that tells gaps is there');
    this.#gapValue = gapValue;
    this.#members = new Array<CohortMember | null>(ordinals.length).fill(null);
    this.#cells = columnNames.map(() => new CohortCells(ordinals.length));
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
    return this.endTick - this.#neededTick;
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
    const row = this.endTick - this.#firstTick;
    if (row === this.#timestamps.length) {
      const timestamps = new Float64Array(row * 2);
      timestamps.set(this.#timestamps);
      this.#timestamps = timestamps;
    }
    this.#timestamps[row] = timestampMs;
    for (let i = 0; i < columns.length; i++) this.#cells[i]!.push(columns[i]!);
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
    this.#neededTick = needed;
    if (needed === this.endTick) this.#clear();
    else this.#release(Math.floor((needed - this.#firstTick) / SLAB_TICK_COUNT));
  }

  /** The rows of one stream in some ticks; the timestamps may share memory with the cohort. */
  rows(index: number, { from, to }: TickRange, names?: readonly string[]): Block {
    const start = from - this.#firstTick;
    const end = to - this.#firstTick;
    const timestamps = this.#timestamps.subarray(start, end);
    const firstGap = this.#hasGaps.indexOf(true, start);
    const kept =
      firstGap >= 0 && firstGap < end ? this.#keptRows(index, { from: start, to: end }) : null;
    const columns: Record<string, Column> = {};
    const rowCount = end - start;
    const columnCount = names?.length ?? this.columnNames.length;
    // One piece for all: to ask for many small ones takes as long as to fill them.
    const memory = new Float64Array(columnCount * rowCount);
    let at = 0;
    for (const [column, name] of this.columnNames.entries()) {
      if (names !== undefined && !names.includes(name)) continue;
      const values = memory.subarray(at, at + rowCount);
      at += rowCount;
      this.#cells[column]!.read(index, start, values);
      columns[name] = kept === null ? values : picked(values, kept);
    }
    return { timestamps: kept === null ? timestamps : picked(timestamps, kept), columns };
  }

  /**
   * As `rows` for each of many streams, whose timestamps are the same array; null when one of them
   * may lack a row in one of the ticks.
   */
  alignedRows(
    indexes: readonly number[],
    { from, to }: TickRange,
    { names, scratch }: { names: readonly string[] | undefined; scratch: ScratchMemory },
  ): Block[] | null {
    const ticks = { from: from - this.#firstTick, to: to - this.#firstTick };
    const firstGap = this.#hasGaps.indexOf(true, ticks.from);
    if (firstGap >= 0 && firstGap < ticks.to) return null;
    const timestamps = this.#timestamps.subarray(ticks.from, ticks.to);
    const blocks = indexes.map(() => ({ timestamps, columns: {} as Record<string, Column> }));
    for (const [column, name] of this.columnNames.entries()) {
      if (names !== undefined && !names.includes(name)) continue;
      const memory = scratch.take(indexes.length * (to - from));
      const values = this.#cells[column]!.columns(indexes, ticks, memory);
      for (let i = 0; i < blocks.length; i++) blocks[i]!.columns[name] = values[i]!;
    }
    return blocks;
  }

  #clear(): void {
    this.#firstTick = this.endTick;
    for (const cells of this.#cells) cells.clear();
    this.#hasGaps = [];
    this.#timestamps = new Float64Array(16);
  }

  #release(slabCount: number): void {
    if (slabCount === 0) return;
    const tickCount = slabCount * SLAB_TICK_COUNT;
    for (const cells of this.#cells) cells.release(slabCount);
    this.#hasGaps.splice(0, tickCount);
    // Blocks that were handed out may share the old array.
    this.#timestamps = this.#timestamps.slice(tickCount);
    this.#firstTick += tickCount;
  }

  /** The ticks, counted from the first of the range, in which the stream has a row. */
  #keptRows(index: number, ticks: TickRange): readonly number[] {
    const values = this.#cells[this.#gapColumn]!.column(index, ticks);
    const rows: number[] = [];
    for (let row = 0; row < values.length; row++) {
      if (values[row] !== this.#gapValue) rows.push(row);
    }
    return rows;
  }

  #isGap(index: number, tick: number): boolean {
    const row = tick - this.#firstTick;
    return (
      this.#hasGaps[row] === true &&
      this.#cells[this.#gapColumn]!.cell(index, row) === this.#gapValue
    );
  }
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
    return this.cohort.rows(this.index, this, names);
  }
}

function picked(values: Float64Array, rows: readonly number[]): Float64Array {
  const result = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) result[i] = values[rows[i]!]!;
  return result;
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
