import { assert } from '../../model/assert.ts';
import type { Granularity } from '../../model/granularity.ts';
import { ladderOf } from '../../model/ladder.ts';
import { levelNumber } from '../../model/level-number.ts';
import type { StreamRecord } from '../../model/stream.ts';
import { LevelState } from './level-state.ts';
import type { StreamNumbers } from './stream-numbers.ts';

/** What a process knows about one stream. */
export class StreamState {
  readonly ordinal: number;
  /** Whether the fields below were read since the record last changed. */
  isRecordKnown = false;
  id = '';
  /** Level of the raw rows. */
  rawLevel = 0;
  /** As it is stored; null when it was dropped to bound memory: it can be read again. */
  record: StreamRecord | null = null;
  /** Whether nothing was ever stored about the stream before this process made it. */
  isNew = false;
  /** Seq that the stored record has. */
  #storedRevision = 0;
  /** The watermarks up to this seq are in the stored record, as far as this process knows. */
  #sealedRevision = 0;
  /** The record with the watermarks of `#shownRevision`. */
  #shown: StreamRecord | null = null;
  #shownRevision = 0;
  readonly #numbers: StreamNumbers;
  readonly #levels: (LevelState | undefined)[] = [];

  constructor(ordinal: number, numbers: StreamNumbers) {
    this.ordinal = ordinal;
    this.#numbers = numbers;
    numbers.reserve(ordinal);
  }

  /** Seq of the last commit that touched the stream, or a later one if that is no longer known. */
  get version(): number {
    return this.#numbers.versions[this.ordinal]!;
  }

  set version(seq: number) {
    this.#numbers.versions[this.ordinal] = seq;
  }

  /** Seq of the last commit that changed the record, also by a watermark alone. */
  get revision(): number {
    return Math.max(this.#storedRevision, this.#overlayRevision);
  }

  /**
   * Whether watermarks moved that the stored record may not have. Its revision does not tell: one
   * commit may replace the record and then move a watermark.
   */
  get hasOverlay(): boolean {
    return this.#overlayRevision > this.#sealedRevision;
  }

  get #overlayRevision(): number {
    return this.#numbers.overlayRevisions[this.ordinal]!;
  }

  level(level: number): LevelState {
    let state = this.#levels[level];
    if (state === undefined) {
      state = new LevelState(this.#numbers, { areBoundsKnown: this.isNew });
      this.#levels[level] = state;
    }
    return state;
  }

  get levels(): readonly (LevelState | undefined)[] {
    return this.#levels;
  }

  /** Takes over a record as it is stored. */
  noteRecord(record: StreamRecord, revision: number): void {
    this.isRecordKnown = true;
    this.id = record.id;
    this.#storedRevision = revision;
    this.version = Math.max(this.version, revision);
    this.rawLevel = levelNumber(record.highestGranularity);
    this.record = record;
  }

  /** The record was created or replaced, with its watermarks. */
  forgetRecord(): void {
    this.isRecordKnown = false;
    this.record = null;
    this.#shown = null;
    this.#storedRevision = 0;
    if (this.#overlayRevision === 0) return;
    this.#numbers.overlayRevisions[this.ordinal] = 0;
    for (const level of this.#levels) {
      if (level !== undefined && level.untilMs !== null) level.setUntil(null);
    }
  }

  /** A watermark moved. */
  noteAdvance(seq: number): void {
    this.#numbers.versions[this.ordinal] = seq;
    this.#numbers.overlayRevisions[this.ordinal] = seq;
  }

  /** Its watermarks up to now are in the stored record. */
  noteSealed(): void {
    this.#sealedRevision = this.#overlayRevision;
  }

  /** The stored record with the watermarks that moved apart from it. */
  shown(record: StreamRecord): StreamRecord {
    if (this.#overlayRevision === 0) return record;
    if (this.#shown === null || this.#shownRevision !== this.revision) {
      this.#shown = this.#withWatermarks(record);
      this.#shownRevision = this.revision;
    }
    return this.#shown;
  }

  /** Gives the memory of the record back. */
  dropRecord(): void {
    this.record = null;
    this.#shown = null;
  }

  #withWatermarks(record: StreamRecord): StreamRecord {
    const levels = { ...record.levels };
    for (const [index, level] of this.#levels.entries()) {
      const untilMs = level?.untilMs ?? null;
      if (untilMs === null) continue;
      const { name } = levelOf(index, record);
      levels[name] = { untilMs, stale: levels[name]?.stale ?? [] };
    }
    return { ...record, levels };
  }
}

/** The level of a stream that is stored under a number. */
function levelOf(number: number, record: StreamRecord): Granularity {
  const level = ladderOf(record).levels.find(({ name }) => levelNumber(name) === number);
  assert(level !== undefined, 'the level of a watermark is on the ladder of its stream');
  return level;
}
