import { granularityIndex } from '../../model/granularity.ts';
import type { StreamRecord } from '../../model/stream.ts';
import type { JournalOp, LevelPlace } from './journal-entry.ts';
import { JournalSizes } from './journal-sizes.ts';
import { Tail } from './tail.ts';

/** What a process knows about one level of one stream. */
export class LevelState {
  tail: Tail | null = null;
  /** Whether `firstMs` and `lastMs` are those of the blocks and the tail together. */
  areBoundsKnown = false;
  /** ∞ and −∞ while the level is empty. */
  firstMs: number = Number.POSITIVE_INFINITY;
  lastMs: number = Number.NEGATIVE_INFINITY;

  get isEmpty(): boolean {
    return this.lastMs === Number.NEGATIVE_INFINITY;
  }

  noteRows(firstMs: number, lastMs: number): void {
    this.firstMs = Math.min(this.firstMs, firstMs);
    this.lastMs = Math.max(this.lastMs, lastMs);
  }
}

/** What a process knows about one stream. */
export class StreamState {
  readonly ordinal: number;
  /** Seq of the last commit that touched the stream, or a later one if that is no longer known. */
  version: number;
  /** Whether the fields below were read since the record last changed. */
  isRecordKnown = false;
  id = '';
  revision = 0;
  /** Level of the raw rows. */
  rawLevel = 0;
  /** null when it was dropped to bound memory: it can be read again. */
  record: StreamRecord | null = null;
  readonly #levels: (LevelState | undefined)[] = [];

  constructor(ordinal: number, version: number) {
    this.ordinal = ordinal;
    this.version = version;
  }

  level(level: number): LevelState {
    let state = this.#levels[level];
    if (state === undefined) {
      state = new LevelState();
      this.#levels[level] = state;
    }
    return state;
  }

  get levels(): readonly (LevelState | undefined)[] {
    return this.#levels;
  }

  noteRecord(record: StreamRecord, revision: number): void {
    this.isRecordKnown = true;
    this.id = record.id;
    this.revision = revision;
    this.version = Math.max(this.version, revision);
    this.rawLevel = granularityIndex(record.highestGranularity);
    this.record = record;
  }
}

/**
 * What a process remembers of the store as of one commit: the rows that only the journal has, and
 * caches. It moves from commit to commit by the ops of their journal entries, its own as well as
 * those of other processes, and can be rebuilt from the store at any time.
 */
export class View {
  /** Commits up to this one are known by their results only. */
  readonly baseSeq: number;
  /** The last commit that this view has. */
  seq: number;
  tailCount = 0;
  readonly #journalSizes: JournalSizes;
  readonly #states: Map<number, StreamState> = new Map();
  readonly #byId: Map<string, StreamState> = new Map();

  constructor(baseSeq: number) {
    this.baseSeq = baseSeq;
    this.seq = baseSeq;
    this.#journalSizes = new JournalSizes(baseSeq);
  }

  /** Size of the journal without the entries whose rows are all in blocks, as far as is known. */
  get journalSizeBytes(): number {
    return this.#journalSizes.totalBytes;
  }

  /** Moves on to the next commit, after its ops. */
  noteEntry(seq: number, sizeBytes: number): void {
    this.seq = seq;
    this.#journalSizes.push(sizeBytes);
  }

  /** The rows of all entries up to that one are in blocks. */
  noteSealed(throughSeq: number): void {
    this.#journalSizes.forget(throughSeq);
  }

  get states(): Iterable<StreamState> {
    return this.#states.values();
  }

  state(ordinal: number): StreamState {
    let state = this.#states.get(ordinal);
    if (state === undefined) {
      state = new StreamState(ordinal, this.baseSeq);
      this.#states.set(ordinal, state);
    }
    return state;
  }

  byId(id: string): StreamState | undefined {
    return this.#byId.get(id);
  }

  noteId(state: StreamState): void {
    this.#byId.set(state.id, state);
  }

  /** Forgets the stream. */
  drop(ordinal: number): void {
    const state = this.#states.get(ordinal);
    if (state === undefined) return;
    for (const level of state.levels) if (level?.tail) this.tailCount--;
    if (this.#byId.get(state.id) === state) this.#byId.delete(state.id);
    this.#states.delete(ordinal);
  }

  /** Takes over what the commit `seq` did. */
  apply(seq: number, op: JournalOp): void {
    switch (op.kind) {
      case 'tick':
        for (let i = 0; i < op.ordinals.length; i++) {
          const state = this.state(op.ordinals[i]!);
          this.pushRow(state.level(op.level), op.timestampMs, op.values[i]!);
          state.version = seq;
        }
        return;
      case 'rows': {
        const state = this.#touched(op.place, seq);
        const { timestamps } = op.block;
        const level = state.level(op.place.level);
        this.#growingTail(level).append(op.block);
        if (level.areBoundsKnown) level.noteRows(timestamps[0]!, timestamps.at(-1)!);
        return;
      }
      case 'sealed':
        for (const place of op.places) this.#dropTail(place);
        return;
      case 'touch':
        for (const place of op.places) {
          this.#touched(place, seq).level(place.level).areBoundsKnown = false;
        }
        return;
      case 'record':
        for (const ordinal of op.ordinals) {
          const state = this.state(ordinal);
          state.version = seq;
          state.isRecordKnown = false;
          state.record = null;
        }
        return;
      case 'deleted':
        for (const ordinal of op.ordinals) this.drop(ordinal);
    }
  }

  /** The tail of a level; null when all of its rows are in blocks. */
  tail(ordinal: number, level: number): Tail | null {
    return this.#states.get(ordinal)?.level(level).tail ?? null;
  }

  /** Adds a raw row to a tail, and says how many it has now. */
  pushRow(level: LevelState, timestampMs: number, value: number): number {
    const tail = level.tail ?? this.#growingTail(level);
    tail.push(timestampMs, value);
    if (level.areBoundsKnown) {
      if (timestampMs < level.firstMs) level.firstMs = timestampMs;
      if (timestampMs > level.lastMs) level.lastMs = timestampMs;
    }
    return tail.rowCount;
  }

  #touched({ ordinal }: LevelPlace, seq: number): StreamState {
    const state = this.state(ordinal);
    state.version = seq;
    return state;
  }

  #growingTail(level: LevelState): Tail {
    if (level.tail === null) {
      level.tail = new Tail();
      this.tailCount++;
    }
    return level.tail;
  }

  /** The rows stay, in blocks: bounds and version do not change. */
  #dropTail({ ordinal, level }: LevelPlace): void {
    const state = this.#states.get(ordinal)?.level(level);
    if (state === undefined || state.tail === null) return;
    state.tail = null;
    this.tailCount--;
  }
}
