import type { UpdateFilter } from 'mongodb';
import type { Block } from '../../model/block.ts';
import type { GranularityName } from '../../model/granularity.ts';
import { encodeBlock } from '../codec/block-codec.ts';
import type { Connection, StoredDocument } from './connection.ts';
import { DatapointCollections, datapointsCollection } from './datapoint-collections.ts';
import { eachLimited } from './each-limited.ts';
import type { BlockRef } from './entry.ts';
import { groupBy } from './group-by.ts';
import { bytesOfBinary } from './journal.ts';
import { isDuplicateKey } from './mongodb-errors.ts';

const CALL_COUNT_MAX = 8;
/** One insert carries about so much. */
const BATCH_SIZE_BYTES = 4 * 2 ** 20;

const DIRECTORY_FIELDS = { _id: 1, m: 1, t: 1, e: 1, n: 1, s: 1 } as const;

export interface NewBlock {
  readonly granularity: GranularityName;
  readonly number: number;
  readonly ref: BlockRef;
  readonly rows: Block;
}

export interface CountedRef {
  readonly number: number;
  readonly ref: BlockRef;
  /** Number of the entry from which the block counts. */
  readonly seq: number;
}

/** A block that may have been left by a writer that died. */
export interface PendingBlock {
  readonly id: string;
  readonly number: number;
  readonly collection: string;
}

export function blockId(number: number, firstMs: number, token: string): string {
  return `${number}:${firstMs}:${token}`;
}

/** Blocks of rows: documents that are written once, stamped when they count for good, and removed. */
export class BlockDocuments {
  readonly #connection: Connection;
  readonly #collections: DatapointCollections;

  constructor(connection: Connection, location: string) {
    this.#connection = connection;
    this.#collections = new DatapointCollections(connection, location);
  }

  /** The names of all collections that may hold blocks. */
  async collections(): Promise<readonly string[]> {
    return this.#collections.names();
  }

  async write(blocks: readonly NewBlock[]): Promise<void> {
    for (const [granularity, group] of groupBy(blocks, (block) => block.granularity)) {
      await this.#collections.prepare(granularity);
      const name = datapointsCollection(granularity);
      const writtenAt = new Date();
      for (const batch of batches(group.map((block) => documentOf(block, writtenAt)))) {
        let isFirstTry = true;
        await this.#connection.run('blocks.write', name, async (documents) => {
          if (isFirstTry) {
            isFirstTry = false;
            await documents.insertMany(batch, { ordered: false });
            return;
          }
          // Some of them may be there from the try before.
          for (const document of batch) {
            await documents.insertOne(document).catch(ignoreDuplicate);
          }
        });
      }
    }
  }

  /** The encoded blocks in the order of the refs; null where one is gone. */
  async read(
    number: number,
    granularity: GranularityName,
    refs: readonly BlockRef[],
  ): Promise<readonly (Uint8Array | null)[]> {
    const name = datapointsCollection(granularity);
    const found = new Map<string, Uint8Array>();
    const note = (document: StoredDocument): void => {
      found.set(document._id, bytesOfBinary(document['d']));
    };
    if (this.#connection.hasIdLookupOnly) {
      await eachLimited(refs, CALL_COUNT_MAX, async ({ id }) => {
        const document = await this.#connection.run('blocks.read', name, (documents) =>
          documents.findOne({ _id: id }),
        );
        if (document !== null) note(document);
      });
    } else if (refs.length > 0) {
      const [first, last] = [refs[0]!.firstMs, refs.at(-1)!.firstMs];
      const filter = {
        m: number,
        t: { $gte: new Date(first), $lte: new Date(last) },
        _id: { $in: refs.map(({ id }) => id) },
      };
      const documents = await this.#connection.run('blocks.read', name, (collection) =>
        collection.find(filter, { projection: { d: 1 } }).toArray(),
      );
      for (const document of documents) note(document);
    }
    return refs.map(({ id }) => found.get(id) ?? null);
  }

  /** Whether the directory of one stream costs as much as that of all. */
  get readsAllAtOnce(): boolean {
    return this.#connection.hasIdLookupOnly;
  }

  /** Blocks of a level, of one stream or of all, that have been stamped: read from the index alone. */
  async directory(
    granularity: GranularityName,
    number: number | 'all',
  ): Promise<readonly CountedRef[]> {
    const documents = await this.#connection.run(
      'blocks.directory',
      datapointsCollection(granularity),
      (collection) =>
        collection
          .find(number === 'all' ? {} : { m: number }, { projection: DIRECTORY_FIELDS })
          .toArray(),
    );
    return documents.filter((document) => typeof document['s'] === 'number').map(countedRefOf);
  }

  async stamp(granularity: GranularityName, refs: readonly CountedRef[]): Promise<void> {
    const name = datapointsCollection(granularity);
    if (this.#connection.hasIdLookupOnly) {
      await eachLimited(refs, CALL_COUNT_MAX, async ({ ref, seq }) => {
        await this.#connection.run('blocks.stamp', name, (documents) =>
          documents.updateOne({ _id: ref.id }, stamped(seq)),
        );
      });
      return;
    }
    if (refs.length === 0) return;
    const updates = refs.map(({ number, ref, seq }) => ({
      updateOne: {
        filter: { _id: ref.id, m: number, t: new Date(ref.firstMs) },
        update: stamped(seq),
      },
    }));
    await this.#connection.run('blocks.stamp', name, (documents) =>
      documents.bulkWrite(updates, { ordered: false }),
    );
  }

  /** Blocks without a stamp that were written before an instant, by the clocks of their writers. */
  async pending(collection: string, writtenBefore: Date): Promise<readonly PendingBlock[]> {
    const found = await this.#connection.run('blocks.pending', collection, (documents) =>
      documents.find({ p: { $lt: writtenBefore } }, { projection: { m: 1 } }).toArray(),
    );
    return found.map(({ _id, ...fields }) => ({ id: _id, number: fields['m'], collection }));
  }

  /** Removes those of the blocks that have no stamp even now. */
  async removePending(collection: string, ids: readonly string[]): Promise<void> {
    await eachLimited(ids, CALL_COUNT_MAX, async (id) => {
      await this.#connection.run('blocks.removePending', collection, (documents) =>
        documents.deleteOne({ _id: id, p: { $exists: true } }),
      );
    });
  }

  async remove(granularity: GranularityName, ids: readonly string[]): Promise<void> {
    const name = datapointsCollection(granularity);
    if (this.#connection.hasIdLookupOnly) {
      await eachLimited(ids, CALL_COUNT_MAX, async (id) => {
        await this.#connection.run('blocks.remove', name, (documents) =>
          documents.deleteOne({ _id: id }),
        );
      });
      return;
    }
    if (ids.length === 0) return;
    await this.#connection.run('blocks.remove', name, (documents) =>
      documents.deleteMany({ _id: { $in: [...ids] } }),
    );
  }

  async removeStreams(collection: string, numbers: readonly number[]): Promise<void> {
    await this.#connection.run('blocks.removeStreams', collection, (documents) =>
      documents.deleteMany({ m: { $in: [...numbers] } }),
    );
  }
}

/** The update that makes a block count for good, and no block that waits for its entry. */
function stamped(seq: number): UpdateFilter<StoredDocument> {
  return { $set: { s: seq }, $unset: { p: 1 } };
}

function countedRefOf(document: StoredDocument): CountedRef {
  const firstMs = (document['t'] as Date).getTime();
  const lastMs = (document['e'] as Date).getTime();
  const ref = { id: document._id, firstMs, lastMs, rowCount: document['n'] as number };
  return { number: document['m'], ref, seq: document['s'] };
}

function documentOf({ number, ref, rows }: NewBlock, writtenAt: Date): StoredDocument {
  return {
    _id: ref.id,
    m: number,
    t: new Date(ref.firstMs),
    e: new Date(ref.lastMs),
    n: ref.rowCount,
    p: writtenAt,
    d: Buffer.from(encodeBlock(rows)),
  };
}

function* batches(documents: readonly StoredDocument[]): Generator<StoredDocument[]> {
  let batch: StoredDocument[] = [];
  let sizeBytes = 0;
  for (const document of documents) {
    batch.push(document);
    sizeBytes += (document['d'] as Buffer).length;
    if (sizeBytes < BATCH_SIZE_BYTES) continue;
    yield batch;
    batch = [];
    sizeBytes = 0;
  }
  if (batch.length > 0) yield batch;
}

function ignoreDuplicate(error: unknown): void {
  if (!isDuplicateKey(error)) throw error;
}
