import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { ByteCursor, ByteWriter } from './byte-cursor.ts';

const JSON_TEXT = 8;
const JSON_DEFLATED = 9;

/** Shorter texts rarely win more than the time that deflating them costs. */
const DEFLATED_SIZE_BYTES_MIN = 256;
/** Deflate cannot expand more (RFC 1951: 258 bytes out of two bits, at best), so a larger claim is damage. */
const INFLATE_RATIO_MAX = 1032;

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Tells the encodings of a JSON column from those of a `Float64Array`. */
export function isJsonEncoding(encoding: number): boolean {
  return encoding === JSON_TEXT || encoding === JSON_DEFLATED;
}

/** Appends the values as the text of one JSON array and returns the encoding. */
export function encodeJsonColumn(writer: ByteWriter, column: readonly unknown[]): number {
  const text = textEncoder.encode(JSON.stringify(column));
  if (text.length > DEFLATED_SIZE_BYTES_MIN) {
    const deflated = deflateRawSync(text);
    if (deflated.length < text.length) {
      writer.uvarint(text.length);
      writer.raw(deflated);
      return JSON_DEFLATED;
    }
  }
  writer.raw(text);
  return JSON_TEXT;
}

/** Decodes the cursor's section, which must hold one value for each row. */
export function decodeJsonColumn(
  cursor: ByteCursor,
  encoding: number,
  rowCount: number,
): readonly unknown[] {
  const offset = cursor.position;
  const text = encoding === JSON_DEFLATED ? inflate(cursor) : takeRest(cursor);
  const values = parse(cursor, text, offset);
  if (!Array.isArray(values) || values.length !== rowCount) {
    throw cursor.corrupt('a JSON column is not an array of one value a row', offset);
  }
  return values;
}

function takeRest(cursor: ByteCursor): Uint8Array {
  const sizeBytes = cursor.end - cursor.position;
  const offset = cursor.take(sizeBytes);
  return cursor.bytes.subarray(offset, offset + sizeBytes);
}

function inflate(cursor: ByteCursor): Uint8Array {
  const offset = cursor.position;
  const textSizeBytes = cursor.uvarint();
  const deflated = takeRest(cursor);
  if (textSizeBytes === 0 || textSizeBytes > deflated.length * INFLATE_RATIO_MAX) {
    throw cursor.corrupt('a JSON column claims an impossible size', offset);
  }
  const text = tryInflate(deflated, textSizeBytes);
  if (text?.length !== textSizeBytes) {
    throw cursor.corrupt('a JSON column does not inflate to its size', offset);
  }
  return text;
}

function tryInflate(deflated: Uint8Array, sizeBytes: number): Uint8Array | null {
  try {
    return inflateRawSync(deflated, { maxOutputLength: sizeBytes });
  } catch {
    return null;
  }
}

function parse(cursor: ByteCursor, text: Uint8Array, offset: number): unknown {
  try {
    return JSON.parse(textDecoder.decode(text));
  } catch {
    throw cursor.corrupt('a JSON column is not JSON in UTF-8', offset);
  }
}
