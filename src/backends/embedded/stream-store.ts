import { BlockCorrupt } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';
import type { StreamId, StreamRecord } from '../../model/stream.ts';
import { isTagObject, matchesTags, type Tags } from '../../model/tags.ts';
import type { StreamQuery } from './../backend.ts';
import { idKey, ordinalKey, readUint32 } from './keys.ts';
import type { StoreFiles } from './store-files.ts';
import {
  decodeStreamRecord,
  encodeStreamRecord,
  mayHaveStaleRanges,
} from './stream-record-codec.ts';
import type { StreamState } from './stream-state.ts';
import { TagIndex } from './tag-index.ts';
import type { View } from './view.ts';

const NEXT_ORDINAL_KEY: Uint8Array = Buffer.from('ordinal');

/** Stream records, by id, by ordinal and by tags. Called inside a transaction, with its view. */
export class StreamStore {
  readonly #files: StoreFiles;
  readonly #tagIndex: TagIndex;
  readonly #recordCountMax: number;
  /** Streams whose record is kept parsed, the least recently used first. */
  readonly #parsed: Map<number, StreamState> = new Map();

  constructor(files: StoreFiles, { recordCountMax }: { recordCountMax: number }) {
    this.#files = files;
    this.#tagIndex = new TagIndex(files);
    this.#recordCountMax = recordCountMax;
  }

  /** Null when there is no such stream. */
  byId(view: View, id: StreamId): StreamState | null {
    const known = view.byId(id);
    if (known?.isRecordKnown) return known;
    const ordinal = this.#files.ids.getBinary(idKey(id));
    return ordinal === undefined ? null : this.byOrdinal(view, readUint32(ordinal, 0));
  }

  /** Null when there is no such stream. */
  byOrdinal(view: View, ordinal: number): StreamState | null {
    const state = view.state(ordinal);
    if (!state.isRecordKnown && !this.#load(view, state)) {
      view.drop(ordinal);
      return null;
    }
    return state;
  }

  /** With the watermarks that moved since the record was stored. */
  record(view: View, state: StreamState): StreamRecord {
    if (state.record === null) {
      assert(this.#load(view, state), 'a stream that the view knows has a record');
    } else {
      this.#parsed.delete(state.ordinal);
      this.#parsed.set(state.ordinal, state);
    }
    return state.shown(state.record!);
  }

  /** Puts watermarks that moved into the stored record: the journal may forget about them then. */
  storeWatermarks(view: View, state: StreamState): void {
    const record = this.record(view, state);
    const { revision } = state;
    this.#put(state.ordinal, { record, seq: revision });
    state.noteRecord(record, revision);
    state.noteSealed();
  }

  create(record: StreamRecord, seq: number): number {
    const { meta, ids } = this.#files;
    const stored = meta.getBinary(NEXT_ORDINAL_KEY);
    const ordinal = stored === undefined ? 0 : readUint32(stored, 0);
    meta.put(NEXT_ORDINAL_KEY, ordinalKey(ordinal + 1));
    ids.put(idKey(record.id), ordinalKey(ordinal));
    this.#put(ordinal, { record, seq });
    this.#tagIndex.replace(ordinal, { before: null, after: record.tags });
    return ordinal;
  }

  update(
    state: StreamState,
    change: { before: StreamRecord; record: StreamRecord; seq: number },
  ): void {
    const { before, record } = change;
    this.#put(state.ordinal, change);
    if (before.tags === record.tags) return;
    this.#tagIndex.replace(state.ordinal, { before: before.tags, after: record.tags });
  }

  remove(state: StreamState, record: StreamRecord): void {
    this.#tagIndex.replace(state.ordinal, { before: record.tags, after: null });
    this.#files.ids.remove(idKey(record.id));
    this.#files.streams.remove(ordinalKey(state.ordinal));
  }

  /** In creation order, or the reverse of it. */
  query(view: View, query: StreamQuery): readonly StreamState[] {
    const { isStaleOnly = false } = query;
    const found: StreamState[] = [];
    for (const ordinal of this.#tagIndex.candidates(query.tags, query)) {
      if (isStaleOnly && !this.#mayBeStale(view, ordinal)) continue;
      const state = this.byOrdinal(view, ordinal);
      assert(state !== null, 'the tag index names streams that exist');
      const { tags, stale } = this.record(view, state);
      if (!matchesTags(tags, query.tags) || (isStaleOnly && stale.length === 0)) continue;
      found.push(state);
      if (found.length >= query.limit) break;
    }
    return found;
  }

  /** Told without decoding the record. */
  #mayBeStale(view: View, ordinal: number): boolean {
    const { isRecordKnown, record } = view.known(ordinal) ?? {};
    if (isRecordKnown === true && record) return record.stale.length > 0;
    const bytes = this.#files.streams.getBinary(ordinalKey(ordinal));
    return bytes === undefined || mayHaveStaleRanges(bytes);
  }

  count(view: View, tags: Tags): number {
    const isExact = !hasEmptyObject(tags);
    let count = 0;
    for (const ordinal of this.#tagIndex.candidates(tags)) {
      if (isExact) {
        count++;
        continue;
      }
      const state = this.byOrdinal(view, ordinal);
      assert(state !== null, 'the tag index names streams that exist');
      if (matchesTags(this.record(view, state).tags, tags)) count++;
    }
    return count;
  }

  #put(ordinal: number, { record, seq }: { record: StreamRecord; seq: number }): void {
    const bytes = encodeStreamRecord({ record, revision: seq });
    this.#files.streams.put(ordinalKey(ordinal), bytes);
  }

  #load(view: View, state: StreamState): boolean {
    const bytes = this.#files.streams.getBinary(ordinalKey(state.ordinal));
    if (bytes === undefined) return false;
    const stored = decodeStreamRecord(bytes);
    if (stored === null) {
      throw new BlockCorrupt(
        `The record of stream #${state.ordinal} of the store ${this.#files.path}: bad checksum.`,
      );
    }
    state.noteRecord(stored.record, stored.revision);
    view.noteId(state);
    this.#parsed.delete(state.ordinal);
    this.#parsed.set(state.ordinal, state);
    if (this.#parsed.size > this.#recordCountMax) this.#dropOldest();
    return true;
  }

  /**
   * Drops a quarter at a time: a map that loses its first key again and again becomes slow to
   * start.
   */
  #dropOldest(): void {
    let remaining = Math.ceil(this.#recordCountMax / 4);
    for (const [ordinal, state] of this.#parsed) {
      // The stream just read stays: its reader is about to use it.
      if (remaining-- === 0 || this.#parsed.size === 1) return;
      state.dropRecord();
      this.#parsed.delete(ordinal);
    }
  }
}

function hasEmptyObject(tags: Tags): boolean {
  return Object.values(tags).some(
    (value) => isTagObject(value) && (Object.keys(value).length === 0 || hasEmptyObject(value)),
  );
}
