import { crc32 } from 'node:zlib';
import { assert } from '../../model/assert.ts';
import type { StreamId, StreamRecord } from '../../model/stream.ts';
import type { Tags } from '../../model/tags.ts';
import { idKey } from './keys.ts';
import { fullBody, type LeanBody, leanBody, type RecordBody } from './lean-record.ts';

/** `[revision:f64][crc of what follows:u32]`, little-endian. */
const HEADER_SIZE_BYTES = 12;
/** Of the first byte behind the header; a record of layout 1 is JSON, so it has a brace there. */
const FORM_UUID_WHOLE = 1;
const FORM_OTHER_ID_WHOLE = 2;
const FORM_UUID = 3;
const FORM_OTHER_ID = 4;
const FORMS: ReadonlySet<number> = new Set([
  FORM_UUID_WHOLE,
  FORM_OTHER_ID_WHOLE,
  FORM_UUID,
  FORM_OTHER_ID,
]);
const BRACE = 0x7b;
const UUID_SIZE_BYTES = 16;
/** The number that says how long the text before it is. */
const LENGTH_SIZE_BYTES = 3;
const BODY_COUNT_MAX = 256;
/** How the stale ranges of a record begin. */
const STALE_RANGES: Buffer = Buffer.from('"s":[');

/** A record as it is stored. */
interface StoredRecord {
  readonly record: StreamRecord;
  readonly revision: number;
}

/** Forms 1 and 2, in one piece. The id is there if it is no UUID. */
interface WholeRecord extends LeanBody {
  readonly i?: StreamId;
  readonly t: Tags;
}

/**
 * Most streams say the same beside their id and their tags: what was parsed is shared by all of
 * them, which saves time and half of the memory of a record.
 */
const bodies = new Map<string, RecordBody>();

export function encodeStreamRecord({ record, revision }: StoredRecord): Uint8Array {
  const key = idKey(record.id);
  // Of any other id, the key is longer, and does not tell the id.
  const hasUuid = key.length === UUID_SIZE_BYTES;
  const id = hasUuid ? key : Buffer.from(JSON.stringify(record.id));
  const tags = Buffer.from(JSON.stringify(record.tags));
  const parts = [
    new Uint8Array(HEADER_SIZE_BYTES),
    Uint8Array.of(hasUuid ? FORM_UUID : FORM_OTHER_ID),
    ...(hasUuid ? [id] : [lengthOf(id), id]),
    lengthOf(tags),
    tags,
    Buffer.from(JSON.stringify(leanBody(record))),
  ];
  const bytes = Buffer.concat(parts);
  bytes.writeDoubleLE(revision, 0);
  bytes.writeUInt32LE(crc32(bytes.subarray(HEADER_SIZE_BYTES)), 8);
  return bytes;
}

/** Null when the checksum is wrong, or the form is not known. */
export function decodeStreamRecord(bytes: Buffer): StoredRecord | null {
  if (bytes.length <= HEADER_SIZE_BYTES) return null;
  const content = bytes.subarray(HEADER_SIZE_BYTES);
  if (bytes.readUInt32LE(8) !== crc32(content)) return null;
  const record = decodedContent(content);
  return record === null ? null : { record, revision: bytes.readDoubleLE(0) };
}

function decodedContent(content: Buffer): StreamRecord | null {
  const uuidEnd = 1 + UUID_SIZE_BYTES;
  switch (content[0]) {
    case FORM_UUID:
      return decodedParts(content, { id: uuidText(content), tagsAt: uuidEnd });
    case FORM_OTHER_ID: {
      const start = 1 + LENGTH_SIZE_BYTES;
      const end = start + content.readUIntLE(1, LENGTH_SIZE_BYTES);
      const id = JSON.parse(content.toString('utf8', start, end)) as StreamId;
      return decodedParts(content, { id, tagsAt: end });
    }
    case FORM_UUID_WHOLE: {
      const stored = JSON.parse(content.toString('utf8', uuidEnd)) as WholeRecord;
      return { id: uuidText(content), tags: stored.t, ...fullBody(stored) };
    }
    case FORM_OTHER_ID_WHOLE: {
      const stored = JSON.parse(content.toString('utf8', 1)) as WholeRecord;
      return { id: stored.i!, tags: stored.t, ...fullBody(stored) };
    }
    case BRACE:
      return JSON.parse(content.toString()) as StreamRecord;
    default:
      return null;
  }
}

/** Whether decoding may give a record with stale ranges, or fail: told in a fraction of the time. */
export function mayHaveStaleRanges(bytes: Buffer): boolean {
  const form = bytes[HEADER_SIZE_BYTES];
  if (form === undefined || !FORMS.has(form)) return true;
  if (bytes.includes(STALE_RANGES)) return true;
  return bytes.readUInt32LE(8) !== crc32(bytes.subarray(HEADER_SIZE_BYTES));
}

function decodedParts(
  content: Buffer,
  { id, tagsAt }: { id: StreamId; tagsAt: number },
): StreamRecord {
  const start = tagsAt + LENGTH_SIZE_BYTES;
  const end = start + content.readUIntLE(tagsAt, LENGTH_SIZE_BYTES);
  const body = sharedBody(content.toString('utf8', end));
  return {
    id,
    tags: JSON.parse(content.toString('utf8', start, end)) as Tags,
    valueType: body.valueType,
    valueTypeOptions: body.valueTypeOptions,
    valueDownsamplers: body.valueDownsamplers,
    highestGranularity: body.highestGranularity,
    ...(body.timeZone !== undefined && { timeZone: body.timeZone }),
    ...(body.extraLevels !== undefined && { extraLevels: body.extraLevels }),
    derivation: body.derivation,
    dependents: body.dependents,
    stale: body.stale,
    levels: body.levels,
    ...(body.isRefilling && { isRefilling: true }),
    ...(body.retention && { retention: body.retention }),
    ...(body.expiry && { expiry: body.expiry }),
    ...(body.edits && { edits: body.edits }),
  };
}

function sharedBody(text: string): RecordBody {
  let body = bodies.get(text);
  if (body === undefined) {
    body = frozen(fullBody(JSON.parse(text) as LeanBody));
    if (bodies.size >= BODY_COUNT_MAX) bodies.clear();
    bodies.set(text, body);
  }
  return body;
}

/** With everything in it: many records share it. */
function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) frozen(part);
  }
  return Object.freeze(value);
}

function lengthOf(text: Uint8Array): Uint8Array {
  const { length } = text;
  assert(length < 2 ** (8 * LENGTH_SIZE_BYTES), 'an id or the tags of a stream take below 16 MiB');
  return Uint8Array.of(length, length >>> 8, length >>> 16);
}

function uuidText(content: Buffer): StreamId {
  const hex = content.toString('hex', 1, 1 + UUID_SIZE_BYTES);
  const [first, second, third] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16)];
  return `${first}-${second}-${third}-${hex.slice(16, 20)}-${hex.slice(20)}` as StreamId;
}
