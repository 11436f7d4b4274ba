import type { ItemBlock } from './item-block.ts';

/**
 * Gives the items of blocks one by one. What an async generator would do, without its three turns of the
 * event loop's queue for an item: one that is there already is given at once.
 */
export class SequenceIterator<Item> implements AsyncIterableIterator<Item, undefined, undefined> {
  readonly #blocks: AsyncIterator<ItemBlock<Item>>;
  #block: ItemBlock<Item> = [];
  #position = 0;
  #isDone = false;
  /** The last of the calls that wait for a block; calls are answered in their order. */
  #waiting: Promise<unknown> | null = null;

  constructor(blocks: AsyncIterable<ItemBlock<Item>>) {
    this.#blocks = blocks[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    if (this.#waiting === null && this.#position < this.#block.length) {
      return Promise.resolve({ done: false, value: this.#block.at(this.#position++)! });
    }
    return this.#inTurn(() => this.#nextFromBlocks());
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    return this.#inTurn(async () => {
      this.#finish();
      await this.#blocks.return?.();
      return { done: true, value: undefined };
    });
  }

  async #nextFromBlocks(): Promise<IteratorResult<Item, undefined>> {
    while (this.#position >= this.#block.length) {
      if (this.#isDone) return { done: true, value: undefined };
      await this.#readBlock();
    }
    return { done: false, value: this.#block.at(this.#position++)! };
  }

  async #readBlock(): Promise<void> {
    // Whatever happens, there are no items until the next block is there, and none after a failure.
    this.#finish();
    const next = await this.#blocks.next();
    if (next.done) return;
    this.#block = next.value;
    this.#isDone = false;
  }

  #finish(): void {
    this.#isDone = true;
    this.#block = [];
    this.#position = 0;
  }

  /** Runs the action when the calls before have their answers. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#waiting === null ? action() : this.#waiting.then(action, action);
    this.#waiting = result;
    const forget = (): void => {
      if (this.#waiting === result) this.#waiting = null;
    };
    result.then(forget, forget);
    return result;
  }
}
