import type { Collection, Filter } from 'mongodb';
import type { GranularityName } from '../../model/granularity.ts';
import type { StreamId, StreamRecord } from '../../model/stream.ts';
import { matchesTags, type Tags } from '../../model/tags.ts';
import { decodeBlock, encodeBlock } from '../codec/block-codec.ts';
import type { Connection, StoredDocument } from './connection.ts';
import { eachLimited } from './each-limited.ts';
import { bytesOfBinary } from './journal.ts';
import { isDuplicateKey } from './mongodb-errors.ts';
import { StreamState } from './stream-state.ts';
import { readableTags, termTexts } from './tag-terms.ts';
import { Tail } from './tail.ts';

export const STREAMS_COLLECTION = 'streams';
const CALL_COUNT_MAX = 8;

/** What a document says, and up to which entry it does. */
export interface AppliedState {
  readonly appliedSeq: number;
  readonly state: StreamState;
}

export interface StreamHead {
  readonly streamId: StreamId;
  readonly number: number;
  readonly appliedSeq: number;
}

interface CandidateOptions {
  readonly after: number | undefined;
  readonly isReverse: boolean;
  readonly limit: number;
}

interface StoredLevel {
  readonly a: number | null;
  readonly z: number | null;
  readonly d?: { readonly buffer: Uint8Array; readonly position: number };
}

/** The states to write are too old. Nothing is lost: the entries are still there. */
class TooLate extends Error {}

/** One document per stream: its record, and the tails of its levels, as of an entry of the journal. */
export class StreamDocuments {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** By id; without those that have no document. */
  async read(streamIds: readonly StreamId[]): Promise<ReadonlyMap<StreamId, AppliedState>> {
    const found = new Map<StreamId, AppliedState>();
    const note = (document: StoredDocument | null): void => {
      if (document !== null) found.set(document._id as StreamId, stateOf(document));
    };
    if (this.#connection.hasIdLookupOnly) {
      await eachLimited(streamIds, CALL_COUNT_MAX, async (id) => {
        note(await this.#run('streams.read', (streams) => streams.findOne({ _id: id })));
      });
      return found;
    }
    const documents = await this.#run('streams.read', (streams) =>
      streams.find({ _id: { $in: [...streamIds] } }).toArray(),
    );
    for (const document of documents) note(document);
    return found;
  }

  async heads(numbers: readonly number[]): Promise<readonly StreamHead[]> {
    const documents = await this.#run('streams.heads', (streams) =>
      streams.find({ m: { $in: [...numbers] } }, { projection: { m: 1, s: 1 } }).toArray(),
    );
    return documents.map(headOf);
  }

  /** Streams whose documents match, in the order of their numbers. Documents may be behind the journal. */
  async candidates(
    tags: Tags,
    { after, isReverse, limit }: CandidateOptions,
  ): Promise<ReadonlyMap<StreamId, AppliedState>> {
    const filter: Filter<StoredDocument> = {
      ...termFilter(tags),
      ...(after === undefined ? {} : { m: isReverse ? { $lt: after } : { $gt: after } }),
    };
    return this.#run('streams.candidates', async (streams) => {
      const found = new Map<StreamId, AppliedState>();
      for await (const document of streams.find(filter).sort({ m: isReverse ? -1 : 1 })) {
        const record = JSON.parse(document['r']) as StreamRecord;
        if (!matchesTags(record.tags, tags)) continue;
        found.set(document._id as StreamId, stateOf(document));
        if (found.size >= limit) break;
      }
      return found;
    });
  }

  /** All streams whose documents match, in no order. */
  async matchingHeads(tags: Tags): Promise<readonly StreamHead[]> {
    const options = { projection: { m: 1, s: 1, r: 1 } };
    return this.#run('streams.matching', async (streams) => {
      const heads: StreamHead[] = [];
      for await (const document of streams.find(termFilter(tags), options)) {
        const record = JSON.parse(document['r']) as StreamRecord;
        if (matchesTags(record.tags, tags)) heads.push(headOf(document));
      }
      return heads;
    });
  }

  /**
   * Stores states as of an entry, except where a document says more already. Documents of streams that had
   * one of the ids before and are gone give way.
   * @throws {TooLate} when it is not in time any more: much later than the states were taken, the journal
   * could not mend what is set back.
   */
  async write(
    documents: readonly StoredDocument[],
    { appliedSeq, isInTime }: { readonly appliedSeq: number; isInTime(): boolean },
  ): Promise<void> {
    const numbers = new Map(documents.map((document) => [document._id, document['m'] as number]));
    const present = new Map<string, number>();
    for (const { streamId, appliedSeq: seq } of await this.heads([...numbers.values()])) {
      present.set(streamId, seq);
    }
    const stale = documents.filter(({ _id }) => (present.get(_id) ?? -1) < appliedSeq);
    await eachLimited(stale, CALL_COUNT_MAX, async (document) => {
      if (!isInTime()) throw new TooLate();
      if (await this.#replace(document, appliedSeq)) return;
      if (!isInTime()) throw new TooLate();
      if (!(await this.#insert(document)) || isInTime()) return;
      // Before entries go, the documents of their streams are there: this stream has been deleted, or its
      // entries still say everything.
      await this.#takeBack(document, appliedSeq);
      throw new TooLate();
    });
  }

  /** Whether there is a document that says less. */
  async #replace(document: StoredDocument, appliedSeq: number): Promise<boolean> {
    const { _id } = document;
    // With another condition FerretDB would look at every document, and still not do both in one step.
    const filter: Filter<StoredDocument> = this.#connection.hasIdLookupOnly
      ? { _id }
      : { _id, s: { $lt: appliedSeq } };
    const { matchedCount } = await this.#run('streams.replace', (streams) =>
      streams.replaceOne(filter, document),
    );
    return matchedCount > 0;
  }

  /** False when somebody who applies the same entries was quicker. */
  async #insert(document: StoredDocument): Promise<boolean> {
    let isRepeated = false;
    return this.#run('streams.insert', async (streams) => {
      try {
        await streams.insertOne(document);
        return true;
      } catch (error) {
        if (!isDuplicateKey(error)) {
          isRepeated = true;
          throw error;
        }
      }
      return isRepeated;
    });
  }

  async #takeBack({ _id, ...fields }: StoredDocument, appliedSeq: number): Promise<void> {
    await this.#run('streams.takeBack', (streams) =>
      streams.deleteOne({ _id, m: fields['m'], s: appliedSeq }),
    );
  }

  /** Removes the documents of deleted streams, not of new ones with their ids. */
  async remove(streamIds: readonly StreamId[], numbers: readonly number[]): Promise<void> {
    if (streamIds.length === 0) return;
    await this.#run('streams.remove', (streams) =>
      streams.deleteMany({ _id: { $in: [...streamIds] }, m: { $in: [...numbers] } }),
    );
  }

  #run<T>(name: string, work: (streams: Collection<StoredDocument>) => Promise<T>): Promise<T> {
    return this.#connection.run(name, STREAMS_COLLECTION, work);
  }
}

function termFilter(tags: Tags): Filter<StoredDocument> {
  const terms = termTexts(tags);
  return terms.length > 0 ? { w: { $all: [...terms] } } : {};
}

function headOf(document: StoredDocument): StreamHead {
  const streamId = document._id as StreamId;
  return { streamId, number: document['m'], appliedSeq: document['s'] };
}

/** The document of a state as of an entry. Format: docs/format/mongodb.md. */
export function documentOf(state: StreamState, appliedSeq: number): StoredDocument {
  const { number, record, revision, version } = state;
  const { earliestMs, latestMs } = state.snapshot();
  const levels: Record<string, object> = {};
  for (const [name, { firstMs, lastMs, tail }] of state.levels) {
    if (firstMs === null && tail.rowCount === 0) continue;
    const rows = tail.rowCount === 0 ? {} : { d: Buffer.from(encodeBlock(tail.block())) };
    levels[name] = { a: firstMs, z: lastMs, ...rows };
  }
  const tags = readableTags(record.tags);
  return {
    _id: record.id,
    m: number,
    s: appliedSeq,
    r: JSON.stringify(record),
    ...(tags === null ? {} : { tags }),
    w: [...termTexts(record.tags)],
    v: version,
    k: revision,
    earliest: earliestMs === null ? null : new Date(earliestMs),
    latest: latestMs === null ? null : new Date(latestMs),
    levels,
  };
}

function stateOf(document: StoredDocument): AppliedState {
  const record = JSON.parse(document['r']) as StreamRecord;
  const state = new StreamState(document['m'], record, document['v']);
  state.revision = document['k'];
  for (const [name, stored] of Object.entries<StoredLevel>(document['levels'])) {
    const tail = new Tail();
    if (stored.d !== undefined) {
      tail.append(decodeBlock(bytesOfBinary(stored.d), `tail ${name} of stream ${document._id}`));
    }
    const directory = stored.a === null ? [] : null;
    state.levels.set(name as GranularityName, {
      firstMs: stored.a,
      lastMs: stored.z,
      tail,
      directory,
    });
  }
  return { appliedSeq: document['s'], state };
}
