import type { ByteWriter } from './byte-cursor.ts';

/**
 * Appends bits to a writer, lowest first. `pending` and `pendingBits` (under 32) are open so that hot
 * loops can keep them in locals. Nobody else may write to the writer before `flush`.
 */
export class BitWriter {
  readonly writer: ByteWriter;
  pending: number = 0;
  pendingBits: number = 0;

  constructor(writer: ByteWriter) {
    this.writer = writer;
  }

  /** Appends the lowest `width` <= 32 bits; the bits above them must be 0. */
  bits(value: number, width: number): void {
    this.pending |= value << this.pendingBits;
    this.pendingBits += width;
    if (this.pendingBits < 32) return;
    this.writer.reserve(4);
    this.writer.view.setInt32(this.writer.position, this.pending, true);
    this.writer.position += 4;
    this.pendingBits -= 32;
    // A shift by 32 would be a shift by none.
    this.pending = this.pendingBits === 0 ? 0 : value >>> (width - this.pendingBits);
  }

  /** Writes the whole bytes of what is pending, so that seven bits at most are. */
  flushBytes(): void {
    for (; this.pendingBits >= 8; this.pendingBits -= 8) {
      this.writer.u8(this.pending & 255);
      this.pending >>>= 8;
    }
  }

  /** Writes everything; the last byte is filled up with zeros. */
  flush(): void {
    this.flushBytes();
    if (this.pendingBits > 0) this.writer.u8(this.pending);
    this.pending = 0;
    this.pendingBits = 0;
  }
}
