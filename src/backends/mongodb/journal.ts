import { StreamAppendFailed } from '../../exceptions/errors.ts';
import type { Connection, StoredDocument } from './connection.ts';
import {
  type Changes,
  decodeChanges,
  type EncodedChanges,
  type Entry,
  type EntryHeader,
  entryId,
} from './entry.ts';
import { isDuplicateKey } from './mongodb-errors.ts';

const COLLECTION = 'journal';
/** Of the 16 MiB that a document may have, with room for a third more as base64. */
const ENTRY_SIZE_MAX_BYTES = 11 * 2 ** 20;

interface EntryDocument extends StoredDocument {
  readonly c: string;
  readonly p: string;
  readonly f: number;
  readonly g: number;
  readonly z: number;
  readonly m: number;
  readonly a: Date | null;
  readonly o: string;
  readonly u: BinaryLike;
  readonly d?: BinaryLike;
}

/** How the driver gives bytes back. */
interface BinaryLike {
  readonly buffer: Uint8Array;
  readonly position: number;
}

export function bytesOfBinary({ buffer, position }: BinaryLike): Uint8Array {
  return buffer.subarray(0, position);
}

/** A commit may be stored or not, and nothing is left to tell: to repeat it could double it. */
export class OutcomeUnknown extends StreamAppendFailed {
  constructor() {
    super(
      'The commit took so long that others removed what could tell its outcome. ' +
        'It is not known whether the commit was stored.',
    );
  }
}

export interface Insertion {
  /** Whether this very entry has got its number. */
  readonly isInserted: boolean;
  /** Whether it was sent more than once: an earlier time may have gone in as well. */
  readonly isRepeated: boolean;
}

/** The commits of the store, by consecutive numbers: inserting the next number is the commit. */
export class Journal {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Puts an entry under its number. A repeat after a lost connection is harmless: the number is taken once,
   * and the token tells by whom.
   * @throws {OutcomeUnknown} when the number was taken, after a repeat, and is free again.
   */
  async insert(header: EntryHeader, changes: EncodedChanges): Promise<Insertion> {
    const id = entryId(header.seq);
    const document = {
      _id: id,
      c: header.token,
      p: header.previousToken,
      f: header.floor,
      g: header.trimmed,
      z: header.cleared,
      m: header.streamCount,
      a: header.checkpointMs === null ? null : new Date(header.checkpointMs),
      o: changes.text,
      u: Buffer.from(changes.touched),
      d: Buffer.from(changes.rows),
    };
    let sendCount = 0;
    return this.#connection.run('journal.insert', COLLECTION, async (documents) => {
      const isRepeated = sendCount++ > 0;
      try {
        await documents.insertOne(document);
        return { isInserted: true, isRepeated };
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        if (!isRepeated) return { isInserted: false, isRepeated };
      }
      const present = await documents.findOne({ _id: id }, { projection: { c: 1 } });
      if (present === null && isRepeated) throw new OutcomeUnknown();
      return { isInserted: present?.['c'] === header.token, isRepeated };
    });
  }

  async read(seq: number): Promise<Entry | null> {
    const document = await this.#connection.run('journal.read', COLLECTION, (documents) =>
      documents.findOne({ _id: entryId(seq) }),
    );
    return document === null ? null : decode(document as EntryDocument);
  }

  async newest(): Promise<EntryHeader | null> {
    const [document] = await this.#connection.run('journal.newest', COLLECTION, (documents) =>
      documents
        .find({}, { projection: { o: 0, u: 0, d: 0 } })
        .sort({ _id: -1 })
        .limit(1)
        .toArray(),
    );
    return document === undefined ? null : headerOf(document as EntryDocument);
  }

  /** Ascending entries of the numbers `(after, until]`; `isLight` leaves out rows. */
  async readRange(
    after: number,
    until: number,
    { isLight = false }: { readonly isLight?: boolean } = {},
  ): Promise<readonly Entry[]> {
    if (until <= after) return [];
    const range = { _id: { $gt: entryId(after), $lte: entryId(until) } };
    const documents = await this.#connection.run('journal.range', COLLECTION, (journal) =>
      journal
        .find(range, isLight ? { projection: { d: 0 } } : {})
        .sort({ _id: 1 })
        .toArray(),
    );
    return documents.map((document) => decode(document as EntryDocument));
  }

  /** Whether the entry was there, and has been removed. */
  async remove({ seq, token }: EntryHeader): Promise<boolean> {
    const { deletedCount } = await this.#connection.run('journal.remove', COLLECTION, (documents) =>
      documents.deleteOne({ _id: entryId(seq), c: token }),
    );
    return deletedCount > 0;
  }

  async removeUntil(seq: number): Promise<void> {
    await this.#connection.run('journal.removeUntil', COLLECTION, (documents) =>
      documents.deleteMany({ _id: { $lte: entryId(seq) } }),
    );
  }
}

export function isTooLarge(changes: EncodedChanges): boolean {
  const { text, touched, rows } = changes;
  return text.length * 1.5 + touched.length + rows.length > ENTRY_SIZE_MAX_BYTES;
}

function headerOf(document: EntryDocument): EntryHeader {
  return {
    seq: Number(document._id),
    token: document.c,
    previousToken: document.p,
    floor: document.f,
    trimmed: document.g,
    cleared: document.z,
    streamCount: document.m,
    checkpointMs: document.a === null ? null : document.a.getTime(),
  };
}

function decode(document: EntryDocument): Entry {
  const rows = document.d === undefined ? null : bytesOfBinary(document.d);
  const encoded = { text: document.o, touched: bytesOfBinary(document.u), rows };
  const changes = decodeChanges(encoded, `journal entry ${document._id}`);
  return entryOf(headerOf(document), changes, document.o.length + (rows?.length ?? 0));
}

export function entryOf(header: EntryHeader, changes: Changes, sizeBytes: number): Entry {
  return { ...header, ...changes, sizeBytes };
}
