import type { Block } from '../../model/block.ts';
import type { TimeRange } from '../../model/time-range.ts';
import type { Cohort, ColumnPart } from './cohort.ts';
import type { EncodedRows } from './encoded-rows.ts';
import type { LevelBounds } from './stored-blocks.ts';
import type { StreamNumbers } from './stream-numbers.ts';
import { partsIn, Tail, type TailPart } from './tail.ts';

/**
 * What a process knows about one level of one stream. Its newest rows, those behind the blocks, are
 * its tail and then, while it is a member of a cohort, its open column there.
 */
export class LevelState {
  /** Whether the first and the last timestamp of the blocks and the tail are known. */
  areBoundsKnown: boolean;
  cohort: Cohort | null = null;
  /** The first tick of the open column. */
  from = 0;
  #tail: Tail | null = null;
  /** Whether blocks may hold rows. */
  #mayHaveBlocks: boolean;
  #index = 0;
  /** Of blocks and tail; ∞ and −∞ while there are no rows. */
  #firstMs: number = Number.POSITIVE_INFINITY;
  #lastMs: number = Number.NEGATIVE_INFINITY;
  #untilMs: number | null = null;
  readonly #numbers: StreamNumbers;

  constructor(numbers: StreamNumbers, { areBoundsKnown }: { areBoundsKnown: boolean }) {
    this.#numbers = numbers;
    this.areBoundsKnown = areBoundsKnown;
    this.#mayHaveBlocks = !areBoundsKnown;
  }

  /** Null when it has no rows; the open column is apart from it. */
  get tail(): Tail | null {
    return this.#tail;
  }

  get isEmpty(): boolean {
    return this.lastMs === Number.NEGATIVE_INFINITY;
  }

  /** ∞ while the level is empty. Asked for when the bounds are known, as is `lastMs`. */
  get firstMs(): number {
    if (this.#firstMs !== Number.POSITIVE_INFINITY) return this.#firstMs;
    return this.openColumn()?.firstMs ?? this.#firstMs;
  }

  /** −∞ while the level is empty. */
  get lastMs(): number {
    return Math.max(this.#lastMs, this.openColumn()?.lastMs ?? Number.NEGATIVE_INFINITY);
  }

  /** The watermark, when it moved apart from the record. */
  get untilMs(): number | null {
    return this.cohort?.untilMs ?? this.#untilMs;
  }

  /** Whether rows are in no block yet. */
  get isPending(): boolean {
    return this.#tail !== null || (this.cohort !== null && this.from < this.cohort.endTick);
  }

  /** About how many rows sealing has to encode. */
  get looseRowCount(): number {
    const openCount = this.cohort === null ? 0 : this.cohort.endTick - this.from;
    return (this.#tail?.looseRowCount ?? 0) + openCount;
  }

  /** The rows in the cohort that are behind the tail; null when there are none. */
  openColumn(): ColumnPart | null {
    const { cohort, from } = this;
    if (cohort === null || from === cohort.endTick) return null;
    return cohort.part(this.#index, { from, to: cohort.endTick });
  }

  /** The rows behind the blocks that may lie in the range, ascending. */
  pendingParts(range: TimeRange): TailPart[] {
    const parts = [...partsIn(this.#tail?.parts ?? [], range)];
    const open = this.openColumn()?.cut(range) ?? null;
    if (open !== null) parts.push(open);
    return parts;
  }

  /** Whether blocks may hold rows from `startMs` on: none of them is newer than one behind them. */
  mayHaveBlocks(startMs: number): boolean {
    if (!this.#mayHaveBlocks) return false;
    const pending = this.#tail ?? this.openColumn();
    return pending === null || startMs <= pending.firstMs;
  }

  noteRows(firstMs: number, lastMs: number): void {
    this.#firstMs = Math.min(this.#firstMs, firstMs);
    this.#lastMs = Math.max(this.#lastMs, lastMs);
  }

  /** Sets the bounds of the blocks; those of the tail are added. */
  noteBlocks(bounds: LevelBounds | null): void {
    this.#firstMs = bounds?.firstMs ?? Number.POSITIVE_INFINITY;
    this.#lastMs = bounds?.lastMs ?? Number.NEGATIVE_INFINITY;
    this.#mayHaveBlocks = bounds !== null;
    if (this.#tail !== null) this.noteRows(this.#tail.firstMs, this.#tail.lastMs);
    this.areBoundsKnown = true;
  }

  /** Something about the blocks changed. */
  forgetBounds(): void {
    this.areBoundsKnown = false;
    this.#mayHaveBlocks = true;
    if (this.cohort !== null) this.cohort.boundMs = Number.POSITIVE_INFINITY;
  }

  setUntil(untilMs: number | null): void {
    this.leave();
    this.#untilMs = untilMs;
  }

  push(timestampMs: number, value: number): void {
    this.#growing().push(timestampMs, value);
    if (this.areBoundsKnown) this.noteRows(timestampMs, timestampMs);
  }

  append(block: Block): void {
    const { timestamps } = block;
    this.#growing().append(block);
    if (this.areBoundsKnown) this.noteRows(timestamps[0]!, timestamps.at(-1)!);
  }

  addEncoded(blocks: readonly EncodedRows[]): void {
    const tail = this.#growing();
    for (const block of blocks) tail.add(block);
    if (this.areBoundsKnown) this.noteRows(blocks[0]!.firstMs, blocks.at(-1)!.lastMs);
  }

  join(cohort: Cohort, index: number): void {
    this.leave();
    cohort.join(index, this);
    cohort.boundMs = this.areBoundsKnown
      ? Math.max(cohort.boundMs, this.lastMs)
      : Number.POSITIVE_INFINITY;
    this.cohort = cohort;
    this.#index = index;
    this.#numbers.memberCount++;
  }

  /** Closes the open column: what it has belongs to the tail now. */
  leave(): void {
    const { cohort } = this;
    if (cohort === null) return;
    const part = cohort.closedPart(this.#index, this.from);
    if (cohort.untilMs !== null) this.#untilMs = cohort.untilMs;
    cohort.leave(this.#index);
    this.cohort = null;
    this.#numbers.memberCount--;
    if (part === null) return;
    this.#ownTail().add(part);
    if (this.areBoundsKnown) this.noteRows(part.firstMs, part.lastMs);
  }

  /** The rows stay, in blocks: bounds and watermark do not change, nor does the membership. */
  dropPending(): void {
    const open = this.openColumn();
    if (open !== null && this.areBoundsKnown) this.noteRows(open.firstMs, open.lastMs);
    if (this.isPending) this.#mayHaveBlocks = true;
    if (this.cohort !== null) this.from = this.cohort.endTick;
    this.#dropTail();
  }

  /** Forgets the level. */
  drop(): void {
    this.leave();
    this.#mayHaveBlocks = true;
    this.#dropTail();
  }

  #growing(): Tail {
    this.leave();
    return this.#ownTail();
  }

  #ownTail(): Tail {
    if (this.#tail === null) {
      this.#tail = new Tail();
      this.#numbers.tailCount++;
    }
    return this.#tail;
  }

  #dropTail(): void {
    if (this.#tail === null) return;
    this.#tail.release();
    this.#tail = null;
    this.#numbers.tailCount--;
  }
}
