import { assert } from '../../model/assert.ts';
import type { GranularityName } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import type { Entry, EntryHeader } from './entry.ts';
import { applyChanges, StreamState } from './stream-state.ts';

/** What entries that the documents may not show yet did to a stream's record. */
export interface RecordTouch {
  readonly streamId: StreamId;
  /** Number of the entry that created the stream; null when that one is gone. */
  readonly createdSeq: number | null;
  readonly seq: number;
}

export interface Dropped {
  readonly granularity: GranularityName;
  readonly seq: number;
}

export interface Checkpoint {
  readonly floor: number;
  readonly checkpointMs: number;
}

const START: EntryHeader = {
  seq: 0,
  token: '',
  previousToken: '',
  floor: 0,
  trimmed: 0,
  cleared: 0,
  streamCount: 0,
  checkpointMs: null,
};

/**
 * What a process knows of the store after one entry of the journal: whole entries above the floor, what
 * the entries above `cleared` touched and superseded, and the states of the streams that were asked for.
 */
export class View {
  #last: EntryHeader = START;
  #entries: Entry[] = [];
  #entriesSizeBytes = 0;
  #states: Map<number, StreamState> = new Map();
  #numbers: Map<StreamId, number> = new Map();
  /** By number: the last entry between `cleared` and the floor that touched the stream. */
  readonly touched: Map<number, number> = new Map();
  readonly recordTouches: Map<number, RecordTouch> = new Map();
  readonly #created: Map<StreamId, number> = new Map();
  readonly dropped: Map<string, Dropped> = new Map();
  readonly deleted: Map<number, { readonly streamId: StreamId; readonly seq: number }> = new Map();
  #checkpoints: Checkpoint[] = [];
  /** Changes when documents may have taken the place of entries: what was read meanwhile is read again. */
  #epoch = 0;
  readonly #stateCountMax: number;

  constructor(stateCountMax: number) {
    this.#stateCountMax = stateCountMax;
  }

  get position(): number {
    return this.#last.seq;
  }

  get last(): EntryHeader {
    return this.#last;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Entries above the floor, ascending. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get entriesSizeBytes(): number {
    return this.#entriesSizeBytes;
  }

  get checkpoints(): readonly Checkpoint[] {
    return this.#checkpoints;
  }

  stateOf(streamId: StreamId): StreamState | null {
    const number = this.#numbers.get(streamId);
    return number === undefined ? null : (this.#states.get(number) ?? null);
  }

  byNumber(number: number): StreamState | null {
    return this.#states.get(number) ?? null;
  }

  /** The number of a stream that an entry above `cleared` created, and none deleted since. */
  createdNumber(streamId: StreamId): number | undefined {
    return this.#created.get(streamId);
  }

  isDeleted(number: number): boolean {
    return this.deleted.has(number);
  }

  adopt(state: StreamState): void {
    this.#states.set(state.number, state);
    this.#numbers.set(state.record.id, state.number);
  }

  /** Starts over. `past` are entries up to the floor, `entries` all those above it; both ascending. */
  reset(past: readonly Entry[], entries: readonly Entry[]): void {
    this.#states.clear();
    this.#numbers.clear();
    for (const map of [this.touched, this.recordTouches, this.dropped, this.deleted]) map.clear();
    this.#created.clear();
    this.#checkpoints = [];
    this.#entries = [];
    this.#entriesSizeBytes = 0;
    this.#epoch++;
    this.#last = START;
    for (const entry of past) this.#noteEffects(entry);
    for (const entry of past) this.#noteTouched(entry);
    const before = entries[0];
    if (before !== undefined)
      this.#last = { ...before, seq: before.seq - 1, token: before.previousToken };
    for (const entry of entries) this.apply(entry);
  }

  /** Moves on by one entry. */
  apply(entry: Entry): void {
    assert(entry.seq === this.#last.seq + 1, 'entries are followed one by one');
    const { floor: oldFloor, cleared: oldCleared } = this.#last;
    this.#last = entry;
    this.#entries.push(entry);
    this.#entriesSizeBytes += entry.sizeBytes;
    for (const { number, isCreated, record } of entry.records) {
      if (isCreated) this.adopt(new StreamState(number, record, ''));
    }
    applyChanges(entry, (number) => this.#states.get(number) ?? null);
    this.#noteEffects(entry);
    for (const { number, streamId } of entry.deletions) {
      this.#states.delete(number);
      if (this.#numbers.get(streamId) === number) this.#numbers.delete(streamId);
    }
    if (entry.floor > oldFloor) this.#moveFloor(entry.floor);
    if (entry.cleared > oldCleared) this.#forget(entry.cleared);
  }

  #noteEffects(entry: Entry): void {
    const { seq } = entry;
    for (const { number, isCreated, record } of entry.records) {
      const createdSeq = isCreated ? seq : (this.recordTouches.get(number)?.createdSeq ?? null);
      this.recordTouches.set(number, { streamId: record.id, createdSeq, seq });
      if (isCreated) this.#created.set(record.id, number);
    }
    for (const { drop, granularity } of entry.levels) {
      for (const id of drop) this.dropped.set(id, { granularity, seq });
    }
    for (const { number, streamId } of entry.deletions) {
      this.deleted.set(number, { streamId, seq });
      this.touched.delete(number);
      this.recordTouches.delete(number);
      if (this.#created.get(streamId) === number) this.#created.delete(streamId);
    }
    const { floor, checkpointMs } = entry;
    if (checkpointMs !== null) this.#checkpoints.push({ floor, checkpointMs });
  }

  #noteTouched({ seq, touched }: Entry): void {
    for (const number of touched.keys()) {
      if (!this.deleted.has(number)) this.touched.set(number, seq);
    }
  }

  #moveFloor(floor: number): void {
    this.#epoch++;
    for (const entry of this.#entries) if (entry.seq <= floor) this.#noteTouched(entry);
    this.#entries = this.#entries.filter(({ seq }) => seq > floor);
    this.#entriesSizeBytes = this.#entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    // Whatever is let go of here can be had again from the documents and the entries that are left.
    for (const [number, { record }] of this.#states) {
      if (this.#states.size <= this.#stateCountMax) break;
      this.#states.delete(number);
      this.#numbers.delete(record.id);
    }
  }

  #forget(cleared: number): void {
    this.#epoch++;
    for (const [number, seq] of this.touched) if (seq <= cleared) this.touched.delete(number);
    for (const [number, { streamId, seq }] of this.recordTouches) {
      if (seq > cleared) continue;
      this.recordTouches.delete(number);
      if (this.#created.get(streamId) === number) this.#created.delete(streamId);
    }
    for (const [id, { seq }] of this.dropped) if (seq <= cleared) this.dropped.delete(id);
    for (const [number, { seq }] of this.deleted) if (seq <= cleared) this.deleted.delete(number);
    this.#checkpoints = this.#checkpoints.filter(({ floor }) => floor > this.#last.trimmed);
  }
}
