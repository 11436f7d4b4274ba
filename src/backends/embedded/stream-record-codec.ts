import { crc32 } from 'node:zlib';
import type { GranularityName } from '../../model/granularity.ts';
import type { RangeSet } from '../../model/staleness.ts';
import type {
  Dependent,
  Derivation,
  LevelState,
  StreamId,
  StreamRecord,
  ValueType,
  ValueTypeOptions,
} from '../../model/stream.ts';
import type { Tags } from '../../model/tags.ts';
import { idKey } from './keys.ts';

/** `[revision:f64][crc of what follows:u32]`, little-endian. */
const HEADER_SIZE_BYTES = 12;
/** Of the first byte behind the header; a record of layout 1 is JSON, so it has a brace there. */
const FORM_UUID = 1;
const FORM_OTHER_ID = 2;
const BRACE = 0x7b;
const UUID_SIZE_BYTES = 16;

/** A record as it is stored. */
interface StoredRecord {
  readonly record: StreamRecord;
  readonly revision: number;
}

/** A record without its id if that is a UUID, and without what most records have. */
interface LeanRecord {
  readonly i?: StreamId;
  readonly t: Tags;
  /** Absent: numeric. */
  readonly v?: ValueType;
  readonly o?: ValueTypeOptions;
  readonly d?: readonly string[];
  readonly g: GranularityName;
  readonly f?: Derivation;
  readonly p?: readonly LeanDependent[];
  readonly s?: RangeSet;
  readonly l?: LeanLevels;
}

type LeanDependent = readonly [
  StreamId,
  Dependent['op'],
  GranularityName,
  ...(readonly [] | readonly [Dependent['args']]),
];

/** Of each level its watermark, and the stale ranges if there are any. */
type LeanLevels = {
  readonly [name in GranularityName]?: number | null | readonly [number | null, RangeSet];
};

export function encodeStreamRecord({ record, revision }: StoredRecord): Uint8Array {
  const key = idKey(record.id);
  // Of any other id, the key is longer, and does not tell the id.
  const hasUuid = key.length === UUID_SIZE_BYTES;
  const json = Buffer.from(JSON.stringify(lean(record, hasUuid)));
  const start = HEADER_SIZE_BYTES + 1 + (hasUuid ? UUID_SIZE_BYTES : 0);
  const bytes = new Uint8Array(start + json.length);
  bytes[HEADER_SIZE_BYTES] = hasUuid ? FORM_UUID : FORM_OTHER_ID;
  if (hasUuid) bytes.set(key, HEADER_SIZE_BYTES + 1);
  bytes.set(json, start);
  const header = new DataView(bytes.buffer);
  header.setFloat64(0, revision, true);
  header.setUint32(8, crc32(bytes.subarray(HEADER_SIZE_BYTES)), true);
  return bytes;
}

/** Null when the checksum is wrong, or the form is not known. */
export function decodeStreamRecord(bytes: Buffer): StoredRecord | null {
  if (bytes.length <= HEADER_SIZE_BYTES) return null;
  const content = bytes.subarray(HEADER_SIZE_BYTES);
  if (bytes.readUInt32LE(8) !== crc32(content)) return null;
  const revision = bytes.readDoubleLE(0);
  const form = content[0];
  if (form === BRACE) return { record: JSON.parse(content.toString()) as StreamRecord, revision };
  if (form === FORM_OTHER_ID) {
    const stored = JSON.parse(content.toString('utf8', 1)) as LeanRecord;
    return { record: full(stored, stored.i!), revision };
  }
  if (form !== FORM_UUID) return null;
  const start = 1 + UUID_SIZE_BYTES;
  const id = uuidText(content.toString('hex', 1, start)) as StreamId;
  return { record: full(JSON.parse(content.toString('utf8', start)) as LeanRecord, id), revision };
}

function lean(record: StreamRecord, hasUuid: boolean): LeanRecord {
  const { valueType, valueTypeOptions, valueDownsamplers, derivation, dependents } = record;
  return {
    ...(!hasUuid && { i: record.id }),
    t: record.tags,
    ...(valueType !== 'numeric' && { v: valueType }),
    ...(!isEmpty(valueTypeOptions) && { o: valueTypeOptions }),
    ...(valueDownsamplers.length > 0 && { d: valueDownsamplers }),
    g: record.highestGranularity,
    ...(derivation !== null && { f: derivation }),
    ...(dependents.length > 0 && { p: dependents.map(leanDependent) }),
    ...(record.stale.length > 0 && { s: record.stale }),
    ...(!isEmpty(record.levels) && { l: leanLevels(record.levels) }),
  };
}

function full(stored: LeanRecord, id: StreamId): StreamRecord {
  return {
    id,
    tags: stored.t,
    valueType: stored.v ?? 'numeric',
    valueTypeOptions: stored.o ?? {},
    valueDownsamplers: stored.d ?? [],
    highestGranularity: stored.g,
    derivation: stored.f ?? null,
    dependents: (stored.p ?? []).map(fullDependent),
    stale: stored.s ?? [],
    levels: fullLevels(stored.l ?? {}),
  };
}

function leanDependent({ streamId, op, granularity, args }: Dependent): LeanDependent {
  return isEmpty(args) ? [streamId, op, granularity] : [streamId, op, granularity, args];
}

function fullDependent([streamId, op, granularity, args = {}]: LeanDependent): Dependent {
  return { streamId, op, args, granularity };
}

function leanLevels(levels: StreamRecord['levels']): LeanLevels {
  return mapped(levels, ({ untilMs, stale }) => (stale.length === 0 ? untilMs : [untilMs, stale]));
}

function fullLevels(levels: LeanLevels): StreamRecord['levels'] {
  return mapped(levels, (level): LevelState => {
    if (level === null || typeof level === 'number') return { untilMs: level, stale: [] };
    const [untilMs, stale] = level;
    return { untilMs, stale };
  });
}

function mapped<From, To>(
  levels: { readonly [name in GranularityName]?: From },
  map: (level: From) => To,
): { readonly [name in GranularityName]?: To } {
  const names = Object.keys(levels) as GranularityName[];
  return Object.fromEntries(names.map((name) => [name, map(levels[name]!)])) as {
    readonly [name in GranularityName]?: To;
  };
}

function isEmpty(value: object): boolean {
  for (const _name in value) return false;
  return true;
}

function uuidText(hex: string): string {
  const [first, second, third] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16)];
  return `${first}-${second}-${third}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
