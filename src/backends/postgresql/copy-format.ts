import type { ByteSlices } from '../sql/byte-slices.ts';
import type { NewBlock } from './block-table.ts';

/** PostgreSQL manual, COPY, "Binary Format": signature, flags, length of the header extension. */
const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const TRAILER = Buffer.from([0xff, 0xff]);
/** Field count; then length and content of ordinal, level, first_ms, last_ms, row_count; then a length. */
const FIXED_SIZE_BYTES = 2 + (4 + 8) + (4 + 2) + (4 + 8) + (4 + 8) + (4 + 4) + 4;

/** The blocks in the binary format of COPY, in pieces. Slice i has the bytes of block i. */
export function* copyChunks(
  blocks: readonly NewBlock[],
  slices: ByteSlices,
): Generator<Buffer, void, undefined> {
  const bytes = slices.bytes();
  yield HEADER;
  for (const [index, { place, rows }] of blocks.entries()) {
    const start = slices.offsets[index]! - 1;
    const size = slices.sizes[index]!;
    const fixed = Buffer.allocUnsafe(FIXED_SIZE_BYTES);
    let offset = fixed.writeInt16BE(6, 0);
    offset = writeBigint(fixed, offset, place.ordinal);
    offset = fixed.writeInt32BE(2, offset);
    offset = fixed.writeInt16BE(place.level, offset);
    offset = writeBigint(fixed, offset, rows.timestamps[0]!);
    offset = writeBigint(fixed, offset, rows.timestamps.at(-1)!);
    offset = fixed.writeInt32BE(4, offset);
    offset = fixed.writeInt32BE(rows.timestamps.length, offset);
    fixed.writeInt32BE(size, offset);
    yield fixed;
    yield bytes.subarray(start, start + size);
  }
  yield TRAILER;
}

function writeBigint(bytes: Buffer, offset: number, value: number): number {
  return bytes.writeBigInt64BE(BigInt(value), bytes.writeInt32BE(8, offset));
}
