import { assert } from '../../model/assert.ts';
import type { ValueType } from '../../model/stream.ts';

/** What the backend keeps with the head of a stream that has been written to. */
export interface StreamTail {
  readonly valueType: ValueType;
  /**
   * How often stored rows were changed, or rows were put among them. What was read of the past belongs
   * together when this number was the same before and after.
   */
  readonly rewriteCount: number;
}

const SIZE_BYTES = 9;
const VALUE_TYPES: readonly ValueType[] = ['numeric', 'nominal', 'graph'];

/** `[value type:u8][rewrite count:u64]`, little-endian; docs/format/influxdb.md. */
export function encodeTail({ valueType, rewriteCount }: StreamTail): Buffer {
  const bytes = Buffer.alloc(SIZE_BYTES);
  bytes.writeUInt8(VALUE_TYPES.indexOf(valueType));
  bytes.writeBigUInt64LE(BigInt(rewriteCount), 1);
  return bytes;
}

/** Null for a stream that was never written to. */
export function decodeTail(bytes: Uint8Array): StreamTail | null {
  if (bytes.length === 0) return null;
  assert(bytes.length === SIZE_BYTES, 'the tail of a head has one size');
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const valueType = VALUE_TYPES[view.readUInt8()];
  assert(valueType !== undefined, 'the tail of a head names a value type');
  return { valueType, rewriteCount: Number(view.readBigUInt64LE(1)) };
}
