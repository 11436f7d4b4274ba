/** Items that follow each other; a list is such a block. Each use may make the item anew. */
export interface ItemBlock<Item> {
  readonly length: number;
  /** The item at a position from 0 on. */
  at(index: number): Item | undefined;
}
