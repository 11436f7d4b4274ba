/** Many byte strings as one parameter of a statement: far cheaper to send than an array of them. */
export class ByteSlices {
  readonly #parts: Uint8Array[] = [];
  #sizeBytes = 0;
  /** Positions in `bytes()`, counted from 1 as SQL does. */
  readonly offsets: number[] = [];
  /** -1 stands for no bytes at all. */
  readonly sizes: number[] = [];

  add(bytes: Uint8Array | null): void {
    this.offsets.push(this.#sizeBytes + 1);
    this.sizes.push(bytes === null ? -1 : bytes.length);
    if (bytes === null) return;
    this.#parts.push(bytes);
    this.#sizeBytes += bytes.length;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts, this.#sizeBytes);
  }
}
