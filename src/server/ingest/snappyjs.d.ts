declare module 'snappyjs' {
  /** @throws {Error} when it is no snappy block, or has more bytes than `maxLength`. */
  export function uncompress(compressed: Buffer, maxLength: number): Buffer;
  export function compress(uncompressed: Buffer): Buffer;
}
