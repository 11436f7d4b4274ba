import {
  type Block,
  concatBlocks,
  cutBlock,
  EMPTY_BLOCK,
  insertRows,
  lowerBound,
  replaceRows,
  sliceBlock,
} from '../../model/block.ts';
import type { StreamId } from '../../model/stream.ts';
import type { TimeRange } from '../../model/time-range.ts';
import type { StreamHead } from '../sql/sql-commit.ts';
import type { LevelPlace } from './block-table.ts';
import { decodeTail, encodeEntries } from './tail-codec.ts';

/** What one write to one level asks for. */
export type LevelOperation =
  | { readonly kind: 'append'; readonly rows: Block }
  | { readonly kind: 'replace'; readonly range: TimeRange; readonly rows: Block };

/** Rows that go in the place of all rows of blocks in the range; without one, behind those of all blocks. */
export interface Replacement {
  readonly range: TimeRange | null;
  readonly rows: Block;
}

/** What remains of an operation for the blocks of the level, after its tail has taken its part. */
export interface BlockOperations {
  readonly replace: Replacement | null;
  /** Rows that belong between, or into, stored blocks. Done after `replace`. */
  readonly late: Block;
}

/** The state of one level while a commit writes to it. A tail holds the newest raw rows, in order. */
export class LevelChange {
  readonly place: LevelPlace;
  readonly streamId: StreamId;
  readonly isRaw: boolean;
  readonly operations: LevelOperation[] = [];
  readonly #location: string;
  readonly #tailSizeMaxBytes: number;
  #earliestMs: number | null;
  #latestMs: number | null;
  #tail: Uint8Array;
  #isTailChanged = false;
  #areBoundsUnknown = false;

  constructor(
    head: StreamHead,
    options: {
      readonly level: number;
      /** Names the level in messages. */
      readonly location: string;
      readonly tailSizeMaxBytes: number;
    },
  ) {
    const { level } = options;
    this.place = { ordinal: head.ordinal, level };
    this.streamId = head.streamId;
    this.isRaw = level === head.rawLevel;
    this.#location = options.location;
    this.#tailSizeMaxBytes = options.tailSizeMaxBytes;
    this.#earliestMs = head.earliestMs;
    this.#latestMs = head.latestMs;
    this.#tail = this.isRaw ? head.tail : new Uint8Array(0);
  }

  get earliestMs(): number | null {
    return this.#earliestMs;
  }

  get latestMs(): number | null {
    return this.#latestMs;
  }

  /** The tail, if it is not what it was. */
  get changedTail(): Uint8Array | null {
    return this.#isTailChanged ? this.#tail : null;
  }

  /** After rows were removed only the blocks know the bounds: `setBounds` has to be called. */
  get areBoundsUnknown(): boolean {
    return this.#areBoundsUnknown;
  }

  /** Takes the bounds of the level's blocks. */
  setBounds({ firstMs, lastMs }: { firstMs: number | null; lastMs: number | null }): void {
    const { timestamps } = this.#tailRows();
    this.#earliestMs = firstMs ?? timestamps[0] ?? null;
    this.#latestMs = timestamps.at(-1) ?? lastMs;
    this.#areBoundsUnknown = false;
  }

  /** Adds an operation; appends that follow each other in order become one. */
  add(operation: LevelOperation): void {
    const previous = this.operations.at(-1);
    const isContinued =
      operation.kind === 'append' &&
      previous?.kind === 'append' &&
      operation.rows.timestamps[0]! >= previous.rows.timestamps.at(-1)!;
    if (!isContinued) {
      this.operations.push(operation);
      return;
    }
    const rows = concatBlocks([previous.rows, operation.rows]);
    this.operations[this.operations.length - 1] = { kind: 'append', rows };
  }

  /** Applies the next operation to the tail and the bounds. */
  next(): BlockOperations {
    const operation = this.operations.shift()!;
    return operation.kind === 'append'
      ? this.#append(operation.rows)
      : this.#replace(operation.range, operation.rows);
  }

  #append(rows: Block): BlockOperations {
    if (!this.isRaw) return { replace: null, late: rows };
    const firstMs = rows.timestamps[0]!;
    const isInOrder = this.#latestMs === null || firstMs >= this.#latestMs;
    this.#earliestMs = Math.min(this.#earliestMs ?? firstMs, firstMs);
    this.#latestMs = Math.max(this.#latestMs ?? firstMs, rows.timestamps.at(-1)!);
    if (isInOrder) return this.#appendInOrder(rows);
    const tail = this.#tailRows();
    const from = lowerBound(rows.timestamps, tail.timestamps[0] ?? Number.POSITIVE_INFINITY);
    const late = sliceBlock(rows, 0, from);
    if (from === rows.timestamps.length) return { replace: null, late };
    const later = sliceBlock(rows, from, rows.timestamps.length);
    return { replace: this.#setTail(insertRows(tail, later)), late };
  }

  #appendInOrder(rows: Block): BlockOperations {
    const isSmall = rows.timestamps.length < this.#tailSizeMaxBytes;
    const entries = isSmall ? encodeEntries(rows) : null;
    if (entries !== null && this.#tail.length + entries.length <= this.#tailSizeMaxBytes) {
      this.#tail = Buffer.concat([this.#tail, entries]);
      this.#isTailChanged = true;
      return { replace: null, late: EMPTY_BLOCK };
    }
    const replace = this.#sealed(concatBlocks([this.#tailRows(), rows]));
    return { replace, late: EMPTY_BLOCK };
  }

  #replace(range: TimeRange, rows: Block): BlockOperations {
    if (!this.isRaw) return { replace: { range, rows }, late: EMPTY_BLOCK };
    this.#areBoundsUnknown = true;
    const tail = this.#tailRows();
    const tailFirstMs = tail.timestamps[0] ?? Number.POSITIVE_INFINITY;
    // The last block may end with rows of the instant with which the tail begins.
    if (range.startMs > tailFirstMs) {
      return { replace: this.#setTail(replaceRows(tail, range, rows)), late: EMPTY_BLOCK };
    }
    if (range.endMs > tailFirstMs) {
      this.#setTail(cutBlock(tail, { startMs: range.endMs, endMs: Number.POSITIVE_INFINITY }));
    }
    return { replace: { range, rows }, late: EMPTY_BLOCK };
  }

  /** Makes the rows the tail; those of one that would be too long are for the blocks. */
  #setTail(rows: Block): Replacement | null {
    const entries = rows.timestamps.length > 0 ? encodeEntries(rows) : new Uint8Array(0);
    if (entries.length > this.#tailSizeMaxBytes) return this.#sealed(rows);
    this.#tail = entries;
    this.#isTailChanged = true;
    return null;
  }

  /** Leaves the tail empty: its rows go behind those of all blocks. */
  #sealed(rows: Block): Replacement {
    this.#isTailChanged ||= this.#tail.length > 0;
    this.#tail = new Uint8Array(0);
    return { range: null, rows };
  }

  #tailRows(): Block {
    return decodeTail(this.#tail, this.#location);
  }
}
