import { NO_ROW } from '../backend.ts';
import type { Cohort, CohortKey } from './cohort.ts';
import { bucketKey, bucketRow, COUNT_COLUMN, tickKey } from './cohort-keys.ts';
import { Cohorts } from './cohorts.ts';
import type { BucketRows, JournalOp, LevelPlace, TickRows } from './journal-entry.ts';
import { JournalSizes } from './journal-sizes.ts';
import type { LevelState } from './level-state.ts';
import { StreamNumbers } from './stream-numbers.ts';
import { StreamState } from './stream-state.ts';

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
  /** Grows whenever a stream is forgotten: what was found out about many streams may be wrong then. */
  epoch = 0;
  readonly numbers: StreamNumbers;
  readonly #journalSizes: JournalSizes;
  readonly #states: Map<number, StreamState> = new Map();
  readonly #byId: Map<string, StreamState> = new Map();
  readonly #cohorts: Cohorts = new Cohorts();

  constructor(baseSeq: number) {
    this.baseSeq = baseSeq;
    this.seq = baseSeq;
    this.numbers = new StreamNumbers(baseSeq);
    this.#journalSizes = new JournalSizes(baseSeq);
  }

  /** Size of the journal without the entries whose rows are all in blocks, as far as is known. */
  get journalSizeBytes(): number {
    return this.#journalSizes.totalBytes;
  }

  /** About how many levels have got rows that were not in blocks at once. */
  get tailCount(): number {
    return this.numbers.tailCount + this.numbers.memberCount;
  }

  /** Moves on to the next commit, after its ops. */
  noteEntry(seq: number, sizeBytes: number): void {
    this.seq = seq;
    this.#journalSizes.push(sizeBytes);
  }

  /** The rows of all entries up to that one are in blocks, and their watermarks in records. */
  noteSealed(throughSeq: number): void {
    this.#journalSizes.forget(throughSeq);
  }

  state(ordinal: number): StreamState {
    let state = this.#states.get(ordinal);
    if (state === undefined) {
      state = new StreamState(ordinal, this.numbers);
      this.#states.set(ordinal, state);
    }
    return state;
  }

  /** Null when nothing is known about the stream. */
  known(ordinal: number): StreamState | null {
    return this.#states.get(ordinal) ?? null;
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
    this.epoch++;
    for (const level of state.levels) level?.drop();
    if (this.#byId.get(state.id) === state) this.#byId.delete(state.id);
    this.#states.delete(ordinal);
    this.numbers.versions[ordinal] = this.baseSeq;
    this.numbers.overlayRevisions[ordinal] = 0;
  }

  /**
   * What a pass of sealing has to do, in the order of the blocks: the levels with rows that are in no
   * block yet, and one level of each stream whose watermarks are not in its record yet. Afterwards,
   * no entry of the journal up to now is needed any more.
   */
  unsealedPlaces(): readonly LevelPlace[] {
    const places: LevelPlace[] = [];
    for (const stream of this.#states.values()) {
      const { ordinal } = stream;
      let isListed = false;
      for (const [level, state] of stream.levels.entries()) {
        if (!state?.isPending) continue;
        places.push({ ordinal, level });
        isListed = true;
      }
      if (stream.hasOverlay && !isListed) places.push({ ordinal, level: stream.rawLevel });
    }
    return places.sort((a, b) => a.level - b.level || a.ordinal - b.ordinal);
  }

  /** Whether a pass of sealing would have nothing to do. */
  get isSealed(): boolean {
    return this.unsealedPlaces().length === 0;
  }

  /** About how many rows of a level sealing has to encode. */
  looseRowCount({ ordinal, level }: LevelPlace): number {
    return this.level({ ordinal, level })?.looseRowCount ?? 0;
  }

  /** Null when nothing is known about it. */
  level({ ordinal, level }: LevelPlace): LevelState | null {
    return this.#states.get(ordinal)?.levels[level] ?? null;
  }

  /** Takes over what the commit `seq` did. */
  apply(seq: number, op: JournalOp): void {
    switch (op.kind) {
      case 'tick':
        this.tick(seq, op);
        return;
      case 'bucket':
        this.bucket(seq, op);
        return;
      case 'rows':
        this.#touched(op.place, seq).append(op.block);
        return;
      case 'blocks':
        this.#touched(op.place, seq).addEncoded(op.blocks);
        return;
      case 'advance':
        this.state(op.place.ordinal).level(op.place.level).setUntil(op.untilMs);
        this.state(op.place.ordinal).noteAdvance(seq);
        return;
      case 'sealed':
        for (const place of op.places) this.level(place)?.dropPending();
        this.#cohorts.trim();
        return;
      case 'touch':
        for (const place of op.places) this.#touched(place, seq).forgetBounds();
        return;
      case 'record':
        for (const ordinal of op.ordinals) {
          const state = this.state(ordinal);
          state.version = seq;
          state.forgetRecord();
        }
        return;
      case 'deleted':
        for (const ordinal of op.ordinals) this.drop(ordinal);
    }
  }

  /** The cohort of streams that get raw rows together; null while they are none. */
  tickCohort({ level, ordinals }: Pick<TickRows, 'level' | 'ordinals'>): Cohort | null {
    return this.#cohorts.find(tickKey(level, ordinals));
  }

  /** The cohort of streams that get such buckets together; null while they are none. */
  bucketCohort(bucket: Pick<BucketRows, 'level' | 'ordinals' | 'columns'>): Cohort | null {
    return this.#cohorts.find(bucketKey(bucket));
  }

  /** Adds a row to each stream that has one in the tick. */
  tick(seq: number, { level, timestampMs, ordinals, values }: TickRows): void {
    const cohort = this.#cohortOf(tickKey(level, ordinals));
    if (cohort === null || isBehind(cohort, timestampMs)) {
      for (let i = 0; i < ordinals.length; i++) {
        if (values[i] === NO_ROW) continue;
        this.#touched({ ordinal: ordinals[i]!, level }, seq).push(timestampMs, values[i]!);
      }
      return;
    }
    this.#gather(cohort);
    // Only now: the numbers move when streams are new.
    const { versions } = this.numbers;
    let hasGaps = false;
    for (let i = 0; i < ordinals.length; i++) {
      if (values[i] === NO_ROW) hasGaps = true;
      else versions[ordinals[i]!] = seq;
    }
    cohort.push(timestampMs, [values], hasGaps);
  }

  /** Adds a bucket to each stream that has one, and moves the watermark of all. */
  bucket(seq: number, { level, startMs, untilMs, ordinals, columns }: BucketRows): void {
    const counts = columns.get(COUNT_COLUMN)!;
    const hasGaps = typeof counts === 'number' ? counts === 0 : counts.includes(0);
    const cohort = this.#cohortOf(bucketKey({ level, ordinals, columns }));
    if (cohort === null || isBehind(cohort, startMs)) {
      for (let i = 0; i < ordinals.length; i++) {
        const state = this.state(ordinals[i]!);
        const block = bucketRow({ startMs, columns }, i);
        if (block !== null) state.level(level).append(block);
        state.level(level).setUntil(untilMs);
        state.noteAdvance(seq);
      }
      return;
    }
    this.#gather(cohort);
    cohort.push(startMs, [...columns.values()], hasGaps);
    cohort.untilMs = untilMs;
    const { versions, overlayRevisions } = this.numbers;
    for (let i = 0; i < ordinals.length; i++) {
      versions[ordinals[i]!] = seq;
      overlayRevisions[ordinals[i]!] = seq;
    }
  }

  /** The cohort that the rows of a tick go to; null while each stream has its own. */
  #cohortOf(key: CohortKey): Cohort | null {
    const found = this.#cohorts.find(key);
    if (found !== null) return found;
    const first = this.level({ ordinal: key.ordinals[0]!, level: key.level });
    const isFresh = first === null || (first.tail === null && first.cohort === null);
    return this.#cohorts.seen(key, { isFresh });
  }

  /** Brings the streams back into their cohort that got rows in another way meanwhile. */
  #gather(cohort: Cohort): void {
    if (cohort.strays.size === 0) return;
    for (const index of [...cohort.strays]) {
      this.state(cohort.ordinals[index]!).level(cohort.level).join(cohort, index);
    }
  }

  #touched({ ordinal, level }: LevelPlace, seq: number): LevelState {
    const state = this.state(ordinal);
    state.version = seq;
    return state.level(level);
  }
}

/** A tick may be in order for each stream with a row in it, and yet older than the cohort's last one. */
function isBehind(cohort: Cohort, timestampMs: number): boolean {
  return cohort.tickCount > 0 && timestampMs < cohort.timestampMs(cohort.endTick - 1);
}
