import { assert } from '../../model/assert.ts';
import { parseSeqKey, SEQ_KEY_SIZE_BYTES, seqKey } from './keys.ts';
import type { StoreFiles } from './store-files.ts';

/**
 * An entry is stored in parts that fit a page of 4 KiB: LMDB finds single free pages at once, but
 * searches for neighbouring ones, which took a third of the time of a commit.
 */
const PART_SIZE_BYTES = 4064;
const PART_KEY_SIZE_BYTES: number = SEQ_KEY_SIZE_BYTES + 2;

/** An entry with its number. */
interface NumberedEntry {
  readonly seq: number;
  readonly entry: Uint8Array;
}

/**
 * The entries of the journal that stand in LMDB: those of the commits that wrote more there. The
 * newest of them is never removed, so that the number of the last commit is never lost.
 */
export class JournalDatabase {
  readonly #files: StoreFiles;
  readonly #key: Uint8Array = new Uint8Array(PART_KEY_SIZE_BYTES);

  constructor(files: StoreFiles) {
    this.#files = files;
  }

  /** One look-up, no cursor. */
  has(seq: number): boolean {
    this.#key.set(seqKey(seq));
    this.#key.fill(0, SEQ_KEY_SIZE_BYTES);
    return this.#files.journal.getBinaryFast(this.#key) !== undefined;
  }

  /** Number of the newest entry; 0 before the first. */
  lastSeq(): number {
    for (const key of this.#files.journal.getKeys({ reverse: true, limit: 1 })) {
      return parseSeqKey(key);
    }
    return 0;
  }

  /** The entries from `seq` on, as far as there is no gap between their numbers. */
  *entries(seq: number): Generator<NumberedEntry> {
    let parts: Uint8Array[] = [];
    let partsSeq = seq;
    for (const { key, value } of this.#files.journal.getRange({ start: seqKey(seq) })) {
      const nextSeq = parseSeqKey(key);
      if (nextSeq !== partsSeq) {
        if (parts.length > 0) yield { seq: partsSeq, entry: joined(parts) };
        if (parts.length === 0 || nextSeq !== partsSeq + 1) return;
        parts = [];
        partsSeq = nextSeq;
      }
      parts.push(value);
    }
    if (parts.length > 0) yield { seq: partsSeq, entry: joined(parts) };
  }

  put(seq: number, entry: Uint8Array): void {
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
  }

  /**
   * Removes the entries up to `throughSeq`, at most so many parts; says whether more remain.
   */
  trim(throughSeq: number, partCountMax: number): boolean {
    const end = seqKey(throughSeq + 1);
    const keys = [...this.#files.journal.getKeys({ end, limit: partCountMax })];
    for (const key of keys) this.#files.journal.remove(key);
    return keys.length === partCountMax;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Uint8Array.from(Buffer.concat(parts));
}
