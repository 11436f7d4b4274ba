import type { ByteCursor, ByteWriter } from './byte-cursor.ts';

/**
 * Names of columns that a stored block has without spelling them: those of raw values and of bucket
 * states, in the order in which they are usually stored. Part of the format: nothing here ever changes.
 */
const KNOWN_NAMES: readonly string[] = [
  ...['c', 's', 'l', 'u', 'q', 'mu', 'm2', 'n'],
  ...['f', 'ts', 'ta', 'tz', 'ic', 'il', 'iu', 'iq'],
];
const VALUE_NAME = 'v';
const VALUE_NAMES: readonly string[] = [VALUE_NAME];
const STATE_NAMES: readonly string[] = [
  ...['c', 's', 'l', 'u', 'ts', 'ta', 'tz', 'ic', 'il', 'iu', 'iq'],
];

/** How the names are told. */
const SPELLED = 0;
const VALUE_ALONE = 1;
const USUAL_STATES = 2;
const SOME_STATES = 3;

const COLUMN_COUNT_MAX = 2 ** 12;

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Appends the names of the columns in their order. */
export function writeNames(writer: ByteWriter, names: readonly string[]): void {
  if (names.length === 1 && names[0] === VALUE_NAME) {
    writer.u8(VALUE_ALONE);
    return;
  }
  if (isSame(names, STATE_NAMES)) {
    writer.u8(USUAL_STATES);
    return;
  }
  const set = knownSet(names);
  if (set !== 0) {
    writer.u8(SOME_STATES);
    writer.u8(set & 255);
    writer.u8(set >> 8);
    return;
  }
  writer.u8(SPELLED);
  writer.uvarint(names.length);
  for (const name of names) {
    const bytes = textEncoder.encode(name);
    writer.uvarint(bytes.length);
    writer.raw(bytes);
  }
}

function isSame(names: readonly string[], others: readonly string[]): boolean {
  if (names.length !== others.length) return false;
  for (let i = 0; i < names.length; i++) if (names[i] !== others[i]) return false;
  return true;
}

/** One bit for each known name; 0 when another is there, or the order is another. */
function knownSet(names: readonly string[]): number {
  let set = 0;
  let from = 0;
  for (const name of names) {
    const index = KNOWN_NAMES.indexOf(name, from);
    if (index < 0) return 0;
    set |= 1 << index;
    from = index + 1;
  }
  return set;
}

/** Reads the names, all different. */
export function readNames(cursor: ByteCursor): readonly string[] {
  const offset = cursor.position;
  const kind = cursor.u8();
  if (kind === VALUE_ALONE) return VALUE_NAMES;
  if (kind === USUAL_STATES) return STATE_NAMES;
  if (kind === SOME_STATES) {
    const set = cursor.u8() | (cursor.u8() << 8);
    return KNOWN_NAMES.filter((_name, index) => ((set >> index) & 1) === 1);
  }
  if (kind !== SPELLED) throw cursor.corrupt('the column names are told in no known way', offset);
  const count = cursor.uvarint();
  if (count > COLUMN_COUNT_MAX) throw cursor.corrupt('the block has too many columns', offset);
  const names: string[] = [];
  for (let i = 0; i < count; i++) names.push(readName(cursor));
  if (new Set(names).size < count) throw cursor.corrupt('two columns have the same name', offset);
  return names;
}

/** Reads the size and the text of one name. */
export function readName(cursor: ByteCursor): string {
  const sizeBytes = cursor.uvarint();
  const offset = cursor.take(sizeBytes);
  const first = cursor.bytes[offset]!;
  if (sizeBytes === 1 && first < 128) return String.fromCharCode(first);
  try {
    return textDecoder.decode(cursor.bytes.subarray(offset, offset + sizeBytes));
  } catch {
    throw cursor.corrupt('a column name is not UTF-8', offset);
  }
}
