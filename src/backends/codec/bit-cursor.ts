import type { ByteCursor } from './byte-cursor.ts';

/** Bits that one read of 32 has for sure, wherever in a byte it starts. */
export const READ_BITS_MAX = 25;

/**
 * Reads bits, lowest first, from where the cursor stands to the end of its section. A read may look at
 * the three bytes after the section's last one: in a block, the checksum at least follows.
 */
export class BitCursor {
  readonly cursor: ByteCursor;
  /** Of the next bit, from the block's first byte. Open so that hot loops can keep it in a local. */
  position: number;
  readonly end: number;

  /** `sizeBytes` at most are read: by default, all that is left of the section. */
  constructor(cursor: ByteCursor, sizeBytes: number = cursor.end - cursor.position) {
    this.cursor = cursor;
    this.position = cursor.position * 8;
    this.end = this.position + sizeBytes * 8;
  }

  /** The next `width` <= 25 bits. */
  bits(width: number): number {
    const { position } = this;
    this.position = position + width;
    if (this.position > this.end) throw this.cutShort();
    const word = this.cursor.view.getInt32(position >>> 3, true) >>> (position & 7);
    return word & ((1 << width) - 1);
  }

  /** Goes on with whole bytes. The bits that fill up the last one must be 0. */
  close(): void {
    if (this.position > this.end) throw this.cutShort();
    const rest = -this.position & 7;
    if (rest > 0 && this.bits(rest) !== 0) throw this.cursor.corrupt('padding bits are not 0');
    this.cursor.position = this.position / 8;
  }

  cutShort(): Error {
    return this.cursor.corrupt('a bit stream is cut short');
  }
}
