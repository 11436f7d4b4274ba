/** A page of 4 KiB without its header. */
const PAGE_ROOM_BYTES = 4072;
/** Of a value in a page: its offset, the header of its node, and the key of a block. */
const NODE_SIZE_BYTES = 2 + 8 + 15;
/** Two values of up to this size share a page; a larger one takes pages of its own. */
export const SHARED_SIZE_MAX_BYTES = 2011;
/** Less room than this is left alone: a block has its own costs. */
const ROOM_MIN_BYTES = 320;
/** What the node of a value with pages of its own has in its place. */
const PAGE_NUMBER_SIZE_BYTES = 8;

/** What is left of LMDB's last leaf page while blocks are appended behind all others. */
export class LeafRoom {
  #freeBytes = 0;

  /** The largest value to be put next: one that fits, or one for a new page. */
  get valueSizeMaxBytes(): number {
    const sizeBytes = this.#freeBytes - NODE_SIZE_BYTES;
    return sizeBytes < ROOM_MIN_BYTES
      ? SHARED_SIZE_MAX_BYTES
      : Math.min(sizeBytes, SHARED_SIZE_MAX_BYTES);
  }

  /** Whether a value that does not fit leaves room behind it that another one would have used. */
  isWastedBy(sizeBytes: number): boolean {
    return sizeBytes <= SHARED_SIZE_MAX_BYTES && sizeBytes > this.valueSizeMaxBytes;
  }

  /** Notes a value behind those before. */
  take(sizeBytes: number): void {
    const inPage = sizeBytes > SHARED_SIZE_MAX_BYTES ? PAGE_NUMBER_SIZE_BYTES : sizeBytes;
    // Nodes begin at even offsets.
    const taken = (NODE_SIZE_BYTES + inPage + 1) & ~1;
    if (taken > this.#freeBytes) this.#freeBytes = PAGE_ROOM_BYTES;
    this.#freeBytes -= taken;
  }

  /** Nothing is known about the last page: a new one is begun as soon as possible. */
  forget(): void {
    this.#freeBytes = 0;
  }
}
