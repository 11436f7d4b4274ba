import { assert } from '../model/assert.ts';
import type { ItemBlock } from './item-block.ts';
import { SequenceIterator } from './sequence-iterator.ts';

/** Items that exist as objects at once, at most about so many: what is larger outlives its use. */
export const OBJECT_COUNT_MAX = 4096;

/** Where a sequence gets its items from. Positions count from 0. */
export interface SequenceSource<Item> {
  /** Items at the positions `[from, to)`, as far as there are any, in order, in blocks. */
  blocks(from: number, to: number): AsyncIterable<ItemBlock<Item>>;
  /** How many items there are. */
  count(): Promise<number>;
}

/**
 * A lazy sequence: nothing is read before it is asked for, and each use reads anew. Iterating holds a
 * bounded part of it in memory.
 */
export abstract class Sequence<Item> implements AsyncIterable<Item> {
  protected abstract readonly source: SequenceSource<Item>;
  protected readonly from: number;
  protected readonly to: number;

  protected constructor({ from, to }: { from: number; to: number }) {
    assert(from >= 0 && to >= from, 'a slice lies within its sequence');
    this.from = from;
    this.to = to;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Item, undefined, undefined> {
    return new SequenceIterator(this.source.blocks(this.from, this.to));
  }

  async count(): Promise<number> {
    const total = await this.source.count();
    return Math.max(0, Math.min(total, this.to) - this.from);
  }

  /** The item at a position, from the end when negative; undefined when there is none. */
  async at(index: number): Promise<Item | undefined> {
    checkIndex(index);
    const position = index >= 0 ? this.from + index : this.from + (await this.count()) + index;
    if (position < this.from || position >= this.to) return undefined;
    for await (const block of this.source.blocks(position, position + 1)) {
      if (block.length > 0) return block.at(0);
    }
    return undefined;
  }

  async toArray(): Promise<Item[]> {
    const items: Item[] = [];
    for await (const block of this.source.blocks(this.from, this.to)) {
      for (let i = 0; i < block.length; i++) items.push(block.at(i)!);
    }
    return items;
  }

  /** The bounds of a slice of this slice. @throws {RangeError} for a negative or fractional position. */
  protected sliced(from: number, to: number): { from: number; to: number } {
    if (from < 0 || to < 0) throw new RangeError('A slice takes positions from 0 on.');
    checkIndex(from);
    if (to !== Number.POSITIVE_INFINITY) checkIndex(to);
    const start = Math.min(this.from + from, this.to);
    return { from: start, to: Math.max(start, Math.min(this.from + to, this.to)) };
  }
}

/** @throws {RangeError} */
export function checkIndex(index: number): void {
  if (!Number.isInteger(index))
    throw new RangeError(`${index} is not a position: expected a whole number.`);
}
