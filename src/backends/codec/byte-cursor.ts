import { BlockCorrupt } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';

/** Where stored bytes were found, for error messages; a function when naming it costs something. */
export type Location = string | (() => string);

/** Bytes of a varint: seven bits each, so that eight hold any safe integer. */
const VARINT_SIZE_BYTES_MAX = 8;
const TWO_POW_31 = 2 ** 31;

/** Size of the unsigned varint of a safe integer >= 0. */
export function uvarintSizeBytes(value: number): number {
  if (value < 2 ** 28) {
    if (value < 2 ** 14) return value < 2 ** 7 ? 1 : 2;
    return value < 2 ** 21 ? 3 : 4;
  }
  if (value < 2 ** 42) return value < 2 ** 35 ? 5 : 6;
  return value < 2 ** 49 ? 7 : 8;
}

/** Size of the signed varint of a safe integer: its first byte has six bits of the magnitude. */
export function svarintSizeBytes(value: number): number {
  return uvarintSizeBytes(Math.abs(value) * 2);
}

/**
 * Growing output buffer. `bytes` and `position` are open so that hot loops can keep them in locals:
 * `reserve` first, then write, then set `position`. `reserve` may replace `bytes` and `view`.
 */
export class ByteWriter {
  bytes: Uint8Array;
  view: DataView;
  position: number = 0;

  constructor(capacityBytes: number) {
    this.bytes = new Uint8Array(capacityBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  reserve(sizeBytes: number): void {
    const needed = this.position + sizeBytes;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    grown.set(this.written());
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  /** What stands so far, sharing memory with the writer. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.position);
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.position++] = value;
  }

  float64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.position, value, true);
    this.position += 8;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** Seven bits a byte, lowest first; the top bit says that more follow. Safe integers >= 0. */
  uvarint(value: number): void {
    assert(value >= 0 && value <= Number.MAX_SAFE_INTEGER, 'a varint is a safe integer');
    this.reserve(VARINT_SIZE_BYTES_MAX);
    let rest = value;
    while (rest >= TWO_POW_31) {
      this.bytes[this.position++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 128) {
      this.bytes[this.position++] = rest | 128;
      rest >>>= 7;
    }
    this.bytes[this.position++] = rest;
  }

  /**
   * Sign and magnitude: the first byte has the continuation bit, the sign bit and six bits; the others
   * are as in `uvarint`. Zigzag would need a 54th bit for the largest safe integers.
   */
  svarint(value: number): void {
    const magnitude = Math.abs(value);
    assert(magnitude <= Number.MAX_SAFE_INTEGER, 'a varint is a safe integer');
    const rest = Math.floor(magnitude / 64);
    this.u8((magnitude % 64) | (value < 0 ? 64 : 0) | (rest > 0 ? 128 : 0));
    if (rest > 0) this.uvarint(rest);
  }
}

/** Reads within the bounds of one section of stored bytes; reading past its end is a `BlockCorrupt`. */
export class ByteCursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  position: number = 0;
  end: number;
  readonly #location: Location;

  constructor(bytes: Uint8Array, location: Location) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#location = location;
    this.end = bytes.length;
  }

  /** Narrows reading to a section, which must lie inside the bytes. */
  open(offset: number, sizeBytes: number): void {
    assert(offset >= 0 && offset + sizeBytes <= this.bytes.length, 'a section lies in its block');
    this.position = offset;
    this.end = offset + sizeBytes;
  }

  locationName(): string {
    return typeof this.#location === 'string' ? this.#location : this.#location();
  }

  /** The error for bytes that do not decode. `offset` counts from the block's first byte. */
  corrupt(what: string, offset: number = this.position): BlockCorrupt {
    return new BlockCorrupt(`Corrupt block at ${this.locationName()}: ${what} (byte ${offset}).`);
  }

  expectEnd(): void {
    if (this.position !== this.end) throw this.corrupt('bytes are left over in a section');
  }

  /** Moves past the next bytes and returns where they start. */
  take(sizeBytes: number): number {
    const offset = this.position;
    if (sizeBytes > this.end - offset) throw this.corrupt('a section is cut short');
    this.position = offset + sizeBytes;
    return offset;
  }

  u8(): number {
    return this.bytes[this.take(1)]!;
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  float64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  /** Reads `count` doubles into `out`, from `at` on. */
  float64s(out: Float64Array, at: number, count: number): void {
    let offset = this.take(count * 8);
    for (let i = at; i < at + count; i++, offset += 8) out[i] = this.view.getFloat64(offset, true);
  }

  uvarint(): number {
    const byte = this.u8();
    return byte < 128 ? byte : this.#varintRest(byte & 127, 128);
  }

  svarint(): number {
    const byte = this.u8();
    const low = byte & 63;
    const magnitude = byte < 128 ? low : this.#varintRest(low, 64);
    // Subtracted and not negated, so that no -0 comes out.
    return (byte & 64) === 0 ? magnitude : 0 - magnitude;
  }

  #varintRest(low: number, firstFactor: number): number {
    const offset = this.position - 1;
    let value = low;
    let factor = firstFactor;
    for (let size = 1; size < VARINT_SIZE_BYTES_MAX; size++) {
      const byte = this.u8();
      value += (byte & 127) * factor;
      if (byte < 128) {
        if (value <= Number.MAX_SAFE_INTEGER) return value;
        break;
      }
      factor *= 128;
    }
    throw this.corrupt('a varint is larger than 2^53 - 1', offset);
  }
}
