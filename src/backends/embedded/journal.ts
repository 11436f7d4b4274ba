import { BlockCorrupt } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';
import { decodeJournalEntry, type JournalOp } from './journal-entry.ts';
import { parseSeqKey, SEQ_KEY_SIZE_BYTES, seqKey } from './keys.ts';
import type { StoreFiles } from './store-files.ts';

/** An entry as it stands in the journal. */
export interface JournalEntry {
  readonly seq: number;
  /** With what an entry costs beside its bytes. */
  readonly sizeBytes: number;
  readonly ops: readonly JournalOp[];
}

/**
 * An entry is stored in parts that fit a page of 4 KiB: LMDB finds single free pages at once, but
 * searches for neighbouring ones, which took a third of the time of a commit.
 */
const PART_SIZE_BYTES = 4064;

/** Many tiny entries take as long to read back as few large ones of this size more for each. */
const ENTRY_OVERHEAD_BYTES = 128;
const PART_KEY_SIZE_BYTES: number = SEQ_KEY_SIZE_BYTES + 2;
const SEALED_KEY: Uint8Array = Buffer.from('sealed');

/**
 * The newest commits, one entry each, without gaps in their numbers. The newest entry of all is
 * never removed: its number is that of the last commit.
 */
export class Journal {
  readonly #files: StoreFiles;

  constructor(files: StoreFiles) {
    this.#files = files;
  }

  /** Whether that is the number of the last commit; false when unsure. Two look-ups, no cursor. */
  isLast(seq: number): boolean {
    return !this.#has(seq + 1) && this.#has(seq);
  }

  /** Number of the last commit; 0 before the first. */
  lastSeq(): number {
    for (const key of this.#files.journal.getKeys({ reverse: true, limit: 1 })) {
      return parseSeqKey(key);
    }
    return 0;
  }

  /** Number of the oldest entry; 1 before the first. */
  firstSeq(): number {
    for (const key of this.#files.journal.getKeys({ limit: 1 })) return parseSeqKey(key);
    return 1;
  }

  /** The rows of all entries up to this one are in blocks; 0 before the first pass of sealing. */
  sealedSeq(): number {
    const stored = this.#files.meta.getBinary(SEALED_KEY);
    if (stored === undefined) return 0;
    if (stored.length !== SEQ_KEY_SIZE_BYTES) {
      throw new BlockCorrupt(`The sealed seq of the store ${this.#files.path} is damaged.`);
    }
    return parseSeqKey(stored);
  }

  /** Reads the entries from `seq` on, in order. @throws {BlockCorrupt} on reaching a broken one. */
  *entries(seq: number): Generator<JournalEntry> {
    let parts: Uint8Array[] = [];
    let partsSeq = seq;
    for (const { key, value } of this.#files.journal.getRange({ start: seqKey(seq) })) {
      const nextSeq = parseSeqKey(key);
      if (nextSeq !== partsSeq && parts.length > 0) {
        yield this.#decode(partsSeq, parts);
        parts = [];
      }
      partsSeq = nextSeq;
      parts.push(value);
    }
    if (parts.length > 0) yield this.#decode(partsSeq, parts);
  }

  /** Adds an entry and gives its size. */
  append(seq: number, entry: Uint8Array): number {
    const key = new Uint8Array(PART_KEY_SIZE_BYTES);
    key.set(seqKey(seq));
    const partCount = Math.ceil(entry.length / PART_SIZE_BYTES);
    assert(partCount <= 0xffff, 'a commit fits a journal entry of 65,535 parts');
    for (let part = 0; part < partCount; part++) {
      key[SEQ_KEY_SIZE_BYTES] = part >>> 8;
      key[SEQ_KEY_SIZE_BYTES + 1] = part & 0xff;
      const from = part * PART_SIZE_BYTES;
      this.#files.journal.put(key, entry.subarray(from, from + PART_SIZE_BYTES));
    }
    return entrySizeBytes(entry);
  }

  /** Notes that the rows of all entries up to this one are in blocks. */
  noteSealed(throughSeq: number): void {
    if (throughSeq > this.sealedSeq()) this.#files.meta.put(SEALED_KEY, seqKey(throughSeq));
  }

  /**
   * Removes the entries up to `throughSeq`, at most `countMax` of them; says whether more remain.
   */
  trim(throughSeq: number, countMax: number): boolean {
    const wantedSeq = Math.min(throughSeq, this.lastSeq() - 1);
    const trimmedSeq = Math.min(wantedSeq, this.firstSeq() + countMax - 1);
    const keys = [...this.#files.journal.getKeys({ end: seqKey(trimmedSeq + 1) })];
    for (const key of keys) this.#files.journal.remove(key);
    return trimmedSeq < wantedSeq;
  }

  #has(seq: number): boolean {
    const key = new Uint8Array(PART_KEY_SIZE_BYTES);
    key.set(seqKey(seq));
    return this.#files.journal.getBinaryFast(key) !== undefined;
  }

  #decode(seq: number, parts: readonly Uint8Array[]): JournalEntry {
    const bytes = parts.length === 1 ? parts[0]! : Uint8Array.from(Buffer.concat(parts));
    const location = `journal entry ${seq} of the store ${this.#files.path}`;
    return { seq, sizeBytes: entrySizeBytes(bytes), ops: decodeJournalEntry(bytes, location) };
  }
}

function entrySizeBytes(entry: Uint8Array): number {
  return entry.length + ENTRY_OVERHEAD_BYTES;
}
