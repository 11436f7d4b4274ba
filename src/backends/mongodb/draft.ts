import { assert } from '../../model/assert.ts';
import { type Block, rawBlock } from '../../model/block.ts';
import type { GranularityName } from '../../model/granularity.ts';
import type { StreamId, StreamRecord } from '../../model/stream.ts';
import { matchesTags, type Tags } from '../../model/tags.ts';
import type { Commit, Creation, TickWrite, Write } from '../backend.ts';
import type { NewBlock } from './block-documents.ts';
import type { BlockRef, Changes, LevelChange, RecordChange, TickChange } from './entry.ts';
import { LevelDraft, type LevelLimits } from './level-draft.ts';
import { type StreamState, versionOf } from './stream-state.ts';

/** What a draft needs to know of the store as of its position. */
export interface DraftSource {
  /** The number of the entry that the draft is made upon. */
  readonly position: number;
  readonly streamCount: number;
  load(streamIds: readonly StreamId[]): Promise<ReadonlyMap<StreamId, StreamState>>;
  /** Whether a stream has these tags, not counting some. */
  isMatched(tags: Tags, except: ReadonlySet<StreamId>): Promise<boolean>;
  directory(streamId: StreamId, granularity: GranularityName): Promise<readonly BlockRef[]>;
  readBlock(number: number, granularity: GranularityName, ref: BlockRef): Promise<Block>;
  limits(number: number, isRaw: boolean): LevelLimits;
}

/** Null when the commit is part of the draft; else the streams that are not as it expects. */
export type DraftOutcome = readonly StreamId[] | null;

interface StagedStream {
  readonly number: number;
  readonly id: StreamId;
  readonly base: StreamState | null;
  record: StreamRecord;
  revision: string;
  version: string;
  readonly levels: Map<GranularityName, LevelDraft>;
  commitIndex: number | null;
  recordChange: 'created' | 'updated' | null;
  isDeleted: boolean;
}

interface GrowingTick {
  readonly timestampMs: number;
  readonly granularity: GranularityName;
  readonly numbers: number[];
  readonly values: number[];
}

/** Commits that become one entry: each is checked against the view with those before it laid over. */
export class Draft {
  readonly #source: DraftSource;
  readonly #streams: Map<StreamId, StagedStream> = new Map();
  /** Streams that are gone, or whose id was created anew, within the draft. */
  readonly #gone: StagedStream[] = [];
  readonly #ticks: GrowingTick[] = [];
  #commitCount = 0;
  #streamCount: number;

  constructor(source: DraftSource) {
    this.#source = source;
    this.#streamCount = source.streamCount;
  }

  get isEmpty(): boolean {
    return this.#streams.size === 0 && this.#gone.length === 0;
  }

  get streamCount(): number {
    return this.#streamCount;
  }

  /** The version that the last commit added gives to what it touched. */
  get version(): string {
    return versionOf(this.#source.position + 1, this.#commitCount - 1);
  }

  async add(commit: Commit): Promise<DraftOutcome> {
    const base = await this.#source.load(idsOf(commit));
    const conflicts = this.#conflicts(commit, base);
    if (conflicts.length > 0) return conflicts;
    if (await this.#isTaken(commit.create ?? [])) return [];
    const commitIndex = this.#commitCount++;
    const touch = (id: StreamId): StagedStream => this.#touch(id, base, commitIndex);
    for (const { record } of commit.create ?? []) this.#create(record, commitIndex);
    for (const record of commit.update ?? []) {
      const stream = touch(record.id);
      stream.record = record;
      stream.revision = stream.version;
      stream.recordChange ??= 'updated';
    }
    for (const write of commit.writes ?? []) await this.#write(write, touch);
    for (const id of new Set(commit.delete)) this.#delete(touch(id));
    return null;
  }

  finish(): { readonly changes: Changes; readonly blocks: readonly NewBlock[] } {
    const records: RecordChange[] = [];
    const levels: LevelChange[] = [];
    const blocks: NewBlock[] = [];
    const touched = new Map<number, number>();
    const deletions: { number: number; streamId: StreamId }[] = [];
    for (const stream of [...this.#gone, ...this.#streams.values()]) {
      const { number, record, recordChange, isDeleted } = stream;
      touched.set(number, stream.commitIndex!);
      if (recordChange !== null) {
        records.push({ number, isCreated: recordChange === 'created', record });
      }
      if (isDeleted) {
        deletions.push({ number, streamId: stream.id });
        continue;
      }
      for (const level of stream.levels.values()) {
        const finished = level.finish();
        if (finished.change !== null) levels.push(finished.change);
        blocks.push(...finished.blocks);
      }
    }
    return { changes: { records, ticks: this.#finishTicks(), levels, deletions, touched }, blocks };
  }

  #finishTicks(): readonly TickChange[] {
    return this.#ticks.map(({ timestampMs, granularity, numbers, values }) => ({
      timestampMs,
      granularity,
      numbers: Uint32Array.from(numbers),
      values: Float64Array.from(values),
    }));
  }

  #conflicts(commit: Commit, base: ReadonlyMap<StreamId, StreamState>): readonly StreamId[] {
    const look = (id: StreamId): StagedStream | StreamState | null => {
      const staged = this.#streams.get(id);
      if (staged !== undefined) return staged;
      if (this.#gone.some((stream) => stream.id === id)) return null;
      return base.get(id) ?? null;
    };
    const conflicts = new Set<StreamId>();
    for (const { streamId, revision, version } of commit.expect) {
      const stream = look(streamId);
      const isHeld =
        stream !== null &&
        (revision === undefined || revision === stream.revision) &&
        (version === undefined || version === stream.version);
      if (!isHeld) conflicts.add(streamId);
    }
    const created = new Set((commit.create ?? []).map(({ record }) => record.id));
    for (const id of created) if (look(id) !== null) conflicts.add(id);
    for (const id of changedIds(commit)) {
      if (!created.has(id) && look(id) === null) conflicts.add(id);
    }
    return [...conflicts];
  }

  async #isTaken(creations: readonly Creation[]): Promise<boolean> {
    for (const [i, { unlessTags }] of creations.entries()) {
      if (unlessTags === undefined) continue;
      const staged = [...this.#streams.values()].map(({ record }) => record);
      const earlier = creations.slice(0, i).map(({ record }) => record);
      if ([...staged, ...earlier].some(({ tags }) => matchesTags(tags, unlessTags))) return true;
      const known = new Set([...this.#gone.map(({ id }) => id), ...this.#streams.keys()]);
      if (await this.#source.isMatched(unlessTags, known)) return true;
    }
    return false;
  }

  #create(record: StreamRecord, commitIndex: number): void {
    const version = versionOf(this.#source.position + 1, commitIndex);
    this.#streams.set(record.id, {
      number: ++this.#streamCount,
      id: record.id,
      base: null,
      record,
      revision: version,
      version,
      levels: new Map(),
      commitIndex,
      recordChange: 'created',
      isDeleted: false,
    });
  }

  #touch(
    id: StreamId,
    base: ReadonlyMap<StreamId, StreamState>,
    commitIndex: number,
  ): StagedStream {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      const state = base.get(id);
      assert(state !== undefined, 'a commit without conflicts changes streams that exist');
      const { number, record, revision, version } = state;
      stream = {
        ...{ number, id, base: state, record, revision, version },
        ...{ levels: new Map(), commitIndex, recordChange: null, isDeleted: false },
      };
      this.#streams.set(id, stream);
    }
    stream.commitIndex = commitIndex;
    stream.version = versionOf(this.#source.position + 1, commitIndex);
    return stream;
  }

  async #write(write: Write, touch: (id: StreamId) => StagedStream): Promise<void> {
    if (write.kind === 'tick') return this.#tick(write, touch);
    const level = this.#level(touch(write.streamId), write.granularity.name);
    if (write.kind === 'append') await level.append(write.block);
    else await level.replace(write.range, write.block);
  }

  async #tick(write: TickWrite, touch: (id: StreamId) => StagedStream): Promise<void> {
    const { timestampMs, streamIds, values } = write;
    const groups = new Map<GranularityName, GrowingTick>();
    for (const [i, id] of streamIds.entries()) {
      const stream = touch(id);
      const granularity = stream.record.highestGranularity;
      const level = this.#level(stream, granularity);
      if (!level.takesTick(timestampMs)) {
        // Another process may have been faster with a newer row: the tick is late there, and as welcome.
        await level.append(rawBlock(Float64Array.of(timestampMs), values.slice(i, i + 1)));
        continue;
      }
      level.tick(timestampMs, values[i]!);
      let group = groups.get(granularity);
      if (group === undefined) {
        group = { timestampMs, granularity, numbers: [], values: [] };
        groups.set(granularity, group);
        this.#ticks.push(group);
      }
      group.numbers.push(stream.number);
      group.values.push(values[i]!);
    }
  }

  #level(stream: StagedStream, granularity: GranularityName): LevelDraft {
    let level = stream.levels.get(granularity);
    if (level === undefined) {
      const { number, id, base } = stream;
      const source = {
        number,
        granularity,
        directory: async () => (base === null ? [] : this.#source.directory(id, granularity)),
        readBlock: (ref: BlockRef) => this.#source.readBlock(number, granularity, ref),
      };
      const isRaw = granularity === stream.record.highestGranularity;
      level = new LevelDraft(
        base?.levels.get(granularity) ?? null,
        source,
        this.#source.limits(number, isRaw),
      );
      stream.levels.set(granularity, level);
    }
    return level;
  }

  #delete(stream: StagedStream): void {
    stream.isDeleted = true;
    this.#streams.delete(stream.id);
    this.#gone.push(stream);
  }
}

function changedIds(commit: Commit): readonly StreamId[] {
  return [
    ...(commit.update ?? []).map((record) => record.id),
    ...(commit.writes ?? []).flatMap((write) =>
      write.kind === 'tick' ? write.streamIds : [write.streamId],
    ),
    ...(commit.delete ?? []),
  ];
}

function idsOf(commit: Commit): readonly StreamId[] {
  const ids = new Set(changedIds(commit));
  for (const { streamId } of commit.expect) ids.add(streamId);
  for (const { record } of commit.create ?? []) ids.add(record.id);
  return [...ids];
}
