import { BlockCorrupt } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';
import { type Block, EMPTY_BLOCK } from '../../model/block.ts';
import type { StreamId } from '../../model/stream.ts';
import type { TimeRange } from '../../model/time-range.ts';
import { decodeBlock, encodeBlock } from '../codec/block-codec.ts';

/** Raw rows of one stream, no timestamp twice. They go over rows that have their timestamps. */
export interface RowsChange {
  readonly kind: 'rows';
  readonly streamId: StreamId;
  /** Whether no row with one of their timestamps, and none in their midst, can be there. */
  readonly isFresh: boolean;
  readonly block: Block;
}

/** One number for each of many streams, at one instant. NaN is null, where no row is there yet. */
interface TickChange {
  readonly kind: 'tick';
  readonly timestampMs: number;
  readonly streamIds: readonly StreamId[];
  readonly values: Float64Array;
}

/** All rows of a range become those of the block, which has no timestamp twice. */
export interface ReplaceChange {
  readonly kind: 'replace';
  readonly streamId: StreamId;
  readonly range: TimeRange;
  readonly block: Block;
}

/** The stream is gone with all of its rows. */
interface DropChange {
  readonly kind: 'drop';
  readonly streamId: StreamId;
}

/** What PostgreSQL has decided and InfluxDB is still to follow. To do it again changes nothing. */
export type PendingChange = RowsChange | TickChange | ReplaceChange | DropChange;

interface Heading {
  readonly kind: PendingChange['kind'];
  readonly streamId?: StreamId;
  readonly isFresh?: boolean;
  readonly range?: TimeRange;
  readonly timestampMs?: number;
  /** Sizes of the parts that follow. */
  readonly idsSizeBytes?: number;
  readonly blockSizeBytes: number;
}

const UUID_PATTERN = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const UUID_SIZE_BYTES = 16;
const LENGTH_SIZE_BYTES = 4;
/** Rows of one encoded block; the codec has a limit, and a change may be larger. */
const BLOCK_ROW_COUNT_MAX = 1 << 17;

/**
 * Encodes changes in their order, as docs/format/influxdb.md says: for each a heading as JSON text after
 * its length, then the ids of a tick, then its block. Rows of a large block become several changes.
 */
export function encodeChanges(changes: readonly PendingChange[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const change of changes.flatMap(splitChange)) {
    const ids = change.kind === 'tick' ? packIds(change.streamIds) : null;
    const block = blockOf(change);
    const blockBytes = block.timestamps.length === 0 ? NO_BYTES : encodeBlock(block);
    const heading: Heading = {
      ...headingOf(change),
      ...(ids === null ? {} : { idsSizeBytes: ids.length }),
      blockSizeBytes: blockBytes.length,
    };
    const text = Buffer.from(JSON.stringify(heading));
    const length = Buffer.alloc(LENGTH_SIZE_BYTES);
    length.writeUInt32LE(text.length);
    parts.push(length, text, ids ?? NO_BYTES, blockBytes);
  }
  return Buffer.concat(parts);
}

/** @throws {BlockCorrupt} when the bytes are not as `encodeChanges` wrote them. */
export function decodeChanges(bytes: Buffer, location: string): readonly PendingChange[] {
  const changes: PendingChange[] = [];
  let offset = 0;
  const take = (sizeBytes: number): Buffer => {
    const end = offset + sizeBytes;
    if (!(end <= bytes.length)) throw new BlockCorrupt(`${location} is cut short.`);
    const part = bytes.subarray(offset, end);
    offset = end;
    return part;
  };
  while (offset < bytes.length) {
    const heading = parseHeading(take(take(LENGTH_SIZE_BYTES).readUInt32LE()), location);
    const ids = take(heading.idsSizeBytes ?? 0);
    const blockBytes = take(heading.blockSizeBytes);
    const block = blockBytes.length === 0 ? EMPTY_BLOCK : decodeBlock(blockBytes, location);
    changes.push(changeOf(heading, { ids, block }));
  }
  return changes;
}

const NO_BYTES = new Uint8Array(0);

function splitChange(change: PendingChange): readonly PendingChange[] {
  const rowCount = blockOf(change).timestamps.length;
  if (rowCount <= BLOCK_ROW_COUNT_MAX || change.kind === 'tick') return [change];
  assert(change.kind !== 'drop', 'a drop has no rows');
  const pieces: PendingChange[] = [];
  for (let from = 0; from < rowCount; from += BLOCK_ROW_COUNT_MAX) {
    const to = Math.min(from + BLOCK_ROW_COUNT_MAX, rowCount);
    pieces.push(pieceOf(change, from, to));
  }
  return pieces;
}

function pieceOf(change: RowsChange | ReplaceChange, from: number, to: number): PendingChange {
  const { timestamps, columns } = change.block;
  const v = columns['v']!;
  const block = {
    timestamps: timestamps.slice(from, to),
    columns: { v: v.slice(from, to) },
  };
  if (change.kind === 'rows') return { ...change, block };
  const { startMs, endMs } = change.range;
  // The pieces of a range meet at the first row of the later one.
  const range = {
    startMs: from === 0 ? startMs : timestamps[from]!,
    endMs: to === timestamps.length ? endMs : timestamps[to]!,
  };
  return { ...change, range, block };
}

function headingOf(change: PendingChange): Omit<Heading, 'blockSizeBytes'> {
  switch (change.kind) {
    case 'rows':
      return { kind: 'rows', streamId: change.streamId, isFresh: change.isFresh };
    case 'tick':
      return { kind: 'tick', timestampMs: change.timestampMs };
    case 'replace':
      return { kind: 'replace', streamId: change.streamId, range: change.range };
    case 'drop':
      return { kind: 'drop', streamId: change.streamId };
  }
}

function blockOf(change: PendingChange): Block {
  if (change.kind === 'drop') return EMPTY_BLOCK;
  if (change.kind !== 'tick') return change.block;
  // The values of a tick as a column: their places stand for the ids.
  const timestamps = Float64Array.from(change.values, (_value, index) => index);
  return { timestamps, columns: { v: change.values } };
}

function changeOf(
  { kind, streamId, isFresh, range, timestampMs }: Heading,
  { ids, block }: { readonly ids: Buffer; readonly block: Block },
): PendingChange {
  if (kind === 'drop') return { kind, streamId: streamId! };
  if (kind === 'replace') return { kind, streamId: streamId!, range: range!, block };
  if (kind === 'rows') return { kind, streamId: streamId!, isFresh: isFresh!, block };
  const values = (block.columns['v'] as Float64Array | undefined) ?? new Float64Array(0);
  return { kind, timestampMs: timestampMs!, streamIds: unpackIds(ids), values };
}

function parseHeading(bytes: Buffer, location: string): Heading {
  try {
    return JSON.parse(bytes.toString('utf8')) as Heading;
  } catch (error) {
    throw new BlockCorrupt(`${location} has a heading that is no JSON.`, { cause: error });
  }
}

/** UUIDs as 16 bytes each, so that a tick of many streams stays small. */
function packIds(streamIds: readonly StreamId[]): Buffer {
  const hex = streamIds.map((id) => {
    assert(UUID_PATTERN.test(id), 'a stream id is a UUID in lower case');
    return id.replaceAll('-', '');
  });
  return Buffer.from(hex.join(''), 'hex');
}

function unpackIds(bytes: Buffer): readonly StreamId[] {
  const hex = bytes.toString('hex');
  const ids: StreamId[] = [];
  for (let from = 0; from < hex.length; from += 2 * UUID_SIZE_BYTES) {
    const part = (start: number, end: number): string => hex.slice(from + start, from + end);
    const text = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join('-');
    ids.push(text as StreamId);
  }
  return ids;
}
