import { BlockCorrupt } from '../../exceptions/errors.ts';

/** A file of the journal. */
export interface Segment {
  /** 16 hexadecimal digits, part of its name. */
  readonly id: string;
  /** Its entries have this number or a greater one. */
  readonly startSeq: number;
  /** With all the zeros that wait for entries. */
  readonly sizeBytes: number;
}

/** What `meta` says about the journal. */
export interface JournalIndex {
  /** The rows of all entries up to this one are in blocks; 0 before the first pass of sealing. */
  readonly sealedSeq: number;
  /** The last segment has no entry of this number or a greater one; 0 while it takes entries. */
  readonly endSeq: number;
  /** In the order of their entries. */
  readonly segments: readonly Segment[];
}

export const EMPTY_INDEX: JournalIndex = { sealedSeq: 0, endSeq: 0, segments: [] };

const HEADER_SIZE_BYTES = 16;
const SEGMENT_SIZE_BYTES = 24;
const ID_SIZE_BYTES = 8;

/** `[sealed seq:u64][end seq:u64]`, then `[id:8][start seq:u64][size:u64]` for each segment. */
export function encodeJournalIndex({ sealedSeq, endSeq, segments }: JournalIndex): Uint8Array {
  const bytes = Buffer.alloc(HEADER_SIZE_BYTES + segments.length * SEGMENT_SIZE_BYTES);
  bytes.writeBigUInt64LE(BigInt(sealedSeq), 0);
  bytes.writeBigUInt64LE(BigInt(endSeq), 8);
  segments.forEach(({ id, startSeq, sizeBytes }, i) => {
    const at = HEADER_SIZE_BYTES + i * SEGMENT_SIZE_BYTES;
    bytes.write(id, at, ID_SIZE_BYTES, 'hex');
    bytes.writeBigUInt64LE(BigInt(startSeq), at + 8);
    bytes.writeBigUInt64LE(BigInt(sizeBytes), at + 16);
  });
  return bytes;
}

/** @throws {BlockCorrupt} when the bytes are no index; `path` is that of the store. */
export function parseJournalIndex(stored: Uint8Array, path: string): JournalIndex {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  const segmentsSize = bytes.length - HEADER_SIZE_BYTES;
  if (segmentsSize < 0 || segmentsSize % SEGMENT_SIZE_BYTES !== 0) {
    throw new BlockCorrupt(`The list of the journal's files of the store ${path} is damaged.`);
  }
  const segments: Segment[] = [];
  for (let at = HEADER_SIZE_BYTES; at < bytes.length; at += SEGMENT_SIZE_BYTES) {
    segments.push({
      id: bytes.toString('hex', at, at + ID_SIZE_BYTES),
      startSeq: Number(bytes.readBigUInt64LE(at + 8)),
      sizeBytes: Number(bytes.readBigUInt64LE(at + 16)),
    });
  }
  return {
    sealedSeq: Number(bytes.readBigUInt64LE(0)),
    endSeq: Number(bytes.readBigUInt64LE(8)),
    segments,
  };
}

/** Whether its last segment takes entries. */
export function isOpen({ endSeq, segments }: JournalIndex): boolean {
  return endSeq === 0 && segments.length > 0;
}

/** The index without the segments whose entries all have numbers up to `throughSeq`. */
export function withoutSegments(index: JournalIndex, throughSeq: number): JournalIndex {
  const { segments, endSeq } = index;
  const kept = segments.filter((_segment, i) => {
    const nextSeq = segments[i + 1]?.startSeq ?? (endSeq === 0 ? Number.POSITIVE_INFINITY : endSeq);
    return nextSeq - 1 > throughSeq;
  });
  return { ...index, segments: kept, endSeq: kept.length === 0 ? 0 : endSeq };
}
