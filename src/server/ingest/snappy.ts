/** Literals up to this length have it in the tag itself. */
const TAG_LENGTH_MAX = 60;

/**
 * Decompresses a block of Snappy (without frames).
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 * @throws {RangeError} when it is none, or would have more than `sizeMaxBytes` bytes. Takes time in proportion to
 * the sizes, whatever the bytes are.
 */
export function uncompressSnappy(block: Buffer, sizeMaxBytes: number): Buffer {
  const { size, at: firstAt } = readSize(block);
  if (size > sizeMaxBytes) {
    throw new RangeError(`it has ${size} bytes: expected at most ${sizeMaxBytes}`);
  }
  const output = Buffer.alloc(size);
  let at = firstAt;
  let outputAt = 0;
  while (at < block.length) {
    const tag = block[at++]!;
    const kind = tag & 3;
    let length = (tag >>> 2) + 1;
    if (kind === 0) {
      if (length > TAG_LENGTH_MAX) {
        const lengthSize = length - TAG_LENGTH_MAX;
        length = readLittleEndian(block, at, lengthSize) + 1;
        at += lengthSize;
      }
      if (length > block.length - at) throw damaged();
      if (length > size - outputAt) throw damaged();
      block.copy(output, outputAt, at, at + length);
      at += length;
    } else {
      const offsetSize = kind === 3 ? 4 : kind;
      let offset = readLittleEndian(block, at, offsetSize);
      at += offsetSize;
      if (kind === 1) {
        length = ((tag >>> 2) & 7) + 4;
        offset += (tag >>> 5) << 8;
      }
      if (offset === 0 || offset > outputAt || length > size - outputAt) throw damaged();
      copyWithin(output, outputAt, { offset, length });
    }
    outputAt += length;
  }
  if (outputAt !== size) throw damaged();
  return output;
}

/** The size of the output, a varint of 32 bits, and where it ends. */
function readSize(block: Buffer): { readonly size: number; readonly at: number } {
  let size = 0;
  let factor = 1;
  for (let at = 0; at < 5; at++) {
    const byte = block[at];
    if (byte === undefined) throw damaged();
    size += (byte & 0x7f) * factor;
    if (byte < 0x80) return { size, at: at + 1 };
    factor *= 0x80;
  }
  throw damaged();
}

function readLittleEndian(block: Buffer, at: number, sizeBytes: number): number {
  if (at + sizeBytes > block.length) throw damaged();
  return block.readUIntLE(at, sizeBytes);
}

/** What is copied may reach into what the copy writes: then it repeats. */
function copyWithin(
  output: Buffer,
  at: number,
  { offset, length }: { readonly offset: number; readonly length: number },
): void {
  if (offset >= length) output.copyWithin(at, at - offset, at - offset + length);
  else for (let i = 0; i < length; i++) output[at + i] = output[at + i - offset]!;
}

function damaged(): RangeError {
  return new RangeError('it is no block of Snappy');
}
