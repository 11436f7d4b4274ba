/**
 * The layout of journal entries, little-endian: `[magic:u16][version:u8][flags:u8][crc:u32]`, then
 * the ops; docs/format/embedded-store.md.
 */
export const MAGIC = 0x4a44;
/** The version of the entries that this code writes. It reads those of versions 1 and 2 too. */
export const JOURNAL_ENTRY_VERSION = 3;
/** The flag that says that the entry has no checksum, as the frame that holds it has one. */
export const UNCHECKED = 1;
export const FLAGS_OFFSET = 3;
export const CHECKSUM_OFFSET = 4;
export const HEADER_SIZE_BYTES = 8;
/** `[kind:u32][payload size:u32]`, then the payload, padded to 8 bytes. */
export const OP_HEADER_SIZE_BYTES = 8;
export const TICK_HEADER_SIZE_BYTES = 16;
export const RUN_HEADER_SIZE_BYTES = 24;
export const PLACE_SIZE_BYTES = 8;
export const BLOCKS_HEADER_SIZE_BYTES = 16;
export const ADVANCE_SIZE_BYTES = 16;
export const BUCKET_HEADER_SIZE_BYTES = 32;
export const PLAIN_HEADER_SIZE_BYTES = 24;

export const TICK = 1;
export const ROWS = 2;
export const SEALED = 3;
export const RECORD = 4;
export const TOUCH = 5;
export const DELETED = 6;
/** A tick of streams whose ordinals follow each other. */
export const RUN = 7;
export const BLOCKS = 8;
export const ADVANCE = 9;
export const BUCKET = 10;
/** Rows of numbers as they are. */
export const PLAIN_ROWS = 11;

/** Payloads start on multiples of 8, so that typed arrays can stand over them. */
export function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 8) * 8;
}
