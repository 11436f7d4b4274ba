import type { Write } from '../backends/backend.ts';
import { InvalidValue } from '../exceptions/errors.ts';
import type { InvalidValueWarning } from '../exceptions/warnings.ts';
import { assert } from '../model/assert.ts';
import { VALUE_COLUMN } from '../model/block.ts';
import type { StreamId, StreamRecord } from '../model/stream.ts';
import { SECOND_MS } from '../model/time-range.ts';
import { instantMs, parseTimestamp } from '../model/timestamp.ts';
import {
  appendable,
  changedSince,
  checkKept,
  checkTickValue,
  hasInfinity,
  notNewerThanLatest,
  olderThanLatest,
} from './append-checks.ts';
import {
  type AppendRequest,
  type ColumnsRequest,
  type CutTimestamps,
  cutTimestamps,
  type GridRequest,
  type ItemsRequest,
  type StoredDatapoint,
  streamIdsOf,
  type TickRequest,
  type TimestampCheck,
} from './append-request.ts';
import type { EngineContext } from './context.ts';
import { datapointsOf, type ItemGrid, itemsOf } from './item-grid.ts';
import type { LiveStream } from './live-stream.ts';
import { StagedStream } from './staged-stream.ts';
import { addStagedWrites } from './staged-writes.ts';
import { storedColumn, storedValue } from './stored-values.ts';
import type { StreamCache } from './stream-cache.ts';
import type { DerivingTick } from './tick-derivation.ts';
import { type PlannedTick, TickGroup } from './tick-group.ts';
import type { TickPlan, TickPlans } from './tick-plan.ts';

let batchCount = 0;
let checkCount = 0;

/** A tick of streams that are appended to. */
interface SourceTick extends PlannedTick {
  /** What it was asked for with; null when that was taken apart. */
  readonly source: TickPlan | null;
}

/** What one commit of the appender is going to store: checked, but not yet written. */
export class AppendBatch {
  readonly #context: EngineContext;
  readonly #cache: StreamCache;
  readonly #plans: TickPlans;
  readonly #number = ++batchCount;
  readonly #staged = new Map<StreamId, StagedStream>();
  #sourceTicks: SourceTick[] = [];
  readonly #derivedTicks: PlannedTick[] = [];
  /** The plan of all requests so far, while there is only one, and the instant of its last tick. */
  #onlyPlan: TickPlan | null = null;
  #onlyPlanMs = 0;
  /** Whether ticks of streams from which others derive are given to derivation as rows. */
  #areTicksApart = false;
  #hasSources = false;
  /** About inputs that gave no derived output; to be given once the batch is durable. */
  readonly warnings: InvalidValueWarning[] = [];

  /** All streams of the requests must have been loaded into the cache. */
  constructor(
    context: EngineContext,
    { cache, plans }: { readonly cache: StreamCache; readonly plans: TickPlans },
  ) {
    this.#context = context;
    this.#cache = cache;
    this.#plans = plans;
  }

  get isEmpty(): boolean {
    return this.#staged.size === 0 && this.#sourceTicks.length === 0;
  }

  /** Streams with rows or changed records, apart from those of ticks. */
  get stagedStreams(): Iterable<StagedStream> {
    return this.#staged.values();
  }

  /** Ticks in order, those of derived streams last. Rows of a staged stream come after its ticks. */
  get ticks(): readonly PlannedTick[] {
    const { length } = this.#derivedTicks;
    return length === 0 ? this.#sourceTicks : [...this.#sourceTicks, ...this.#derivedTicks];
  }

  /** Whether there are rows of streams from which others derive. */
  get hasSources(): boolean {
    return this.#hasSources;
  }

  /** Marks what the rows of staged streams make stale. */
  markStaleLevels(): void {
    for (const staged of this.#staged.values()) staged.markStaleLevels();
  }

  /** All streams with rows in ticks, and those that outputs in ticks rest on. */
  touchedGroups(): Iterable<TickGroup> {
    const groups = new Set<TickGroup>();
    for (const { plan } of this.#sourceTicks) groups.add(plan);
    for (const { derived } of this.derivingTicks()) {
      groups.add(derived.read);
      for (const { group } of derived.outputGroups) groups.add(group);
    }
    return groups;
  }

  staged(streamId: StreamId): StagedStream | undefined {
    return this.#staged.get(streamId);
  }

  stage(stream: LiveStream): StagedStream {
    let staged = this.#staged.get(stream.streamId);
    if (staged === undefined) {
      staged = new StagedStream(stream, this.#context.backend.supports);
      this.#staged.set(stream.streamId, staged);
    }
    return staged;
  }

  /** Ticks that derived streams may follow as they are. */
  derivingTicks(): readonly DerivingTick[] {
    const deriving: DerivingTick[] = [];
    if (this.#areTicksApart) return deriving;
    for (const { timestampMs, values, source } of this.#sourceTicks) {
      const derived = source?.derived ?? null;
      if (derived === null) continue;
      assert(derived !== 'special', 'ticks that derivation cannot follow were taken apart');
      deriving.push({ timestampMs, values, derived });
    }
    return deriving;
  }

  addDerivedTick(tick: PlannedTick): void {
    this.#derivedTicks.push(tick);
  }

  /** Turns what ticks have for streams from which others derive into rows of these streams. */
  takeTicksApart(): void {
    if (this.#areTicksApart) return;
    this.#areTicksApart = true;
    const ticks = this.#sourceTicks;
    this.#sourceTicks = [];
    for (const tick of ticks) {
      const { source } = tick;
      if (source === null || source.derived === null) this.#sourceTicks.push(tick);
      else this.#addApart(source, tick);
    }
  }

  #addApart(source: TickPlan, { timestampMs, values }: PlannedTick): void {
    const { plain, plainRows, sourceRows } = source.parts;
    const { streams } = source.group!;
    if (plainRows.length > 0) {
      const plainValues = Float64Array.from(plainRows, (row) => values[row]!);
      this.#sourceTicks.push({ source: null, timestampMs, plan: plain, values: plainValues });
    }
    for (const row of sourceRows) {
      const value = values[row]!;
      this.stage(streams[row]!).addRow(timestampMs, Number.isNaN(value) ? null : value);
    }
  }

  /** Checks a request and takes it in. When it throws, nothing of it has been taken. */
  add(request: AppendRequest): readonly StoredDatapoint[] {
    if (request.expectVersions !== undefined) this.#checkVersions(request, request.expectVersions);
    if (request.mustBeNewer) this.#checkNewer(request);
    switch (request.kind) {
      case 'items':
        return this.#addItems(request);
      case 'grid':
        return this.#addGrid(request);
      case 'columns':
        this.#addColumns(request);
        return [];
      case 'tick':
        this.#addTick(request);
        return [];
    }
  }

  /** Refuses what was asked for when streams had other versions, or less in this batch. */
  #checkVersions(request: AppendRequest, versions: Readonly<Record<string, string>>): void {
    this.#noteOnlyPlan();
    for (const streamId of streamIdsOf(request)) {
      const version = Object.hasOwn(versions, streamId) ? versions[streamId] : undefined;
      if (version === undefined) continue;
      const stream = this.#appendable(streamId);
      const isStaged = stream.stagedBatch === this.#number || this.#staged.has(streamId);
      if (!isStaged && String(stream.version) === version) continue;
      throw changedSince(streamId, version);
    }
  }

  /** Refuses what has the timestamp of a datapoint of its stream; what is older, `add` refuses. */
  #checkNewer(request: AppendRequest): void {
    if (request.kind === 'tick') this.#checkNewerTick(request);
    else if (request.kind === 'columns') {
      this.#noteOnlyPlan();
      const stream = this.#appendable(request.streamId);
      let latestMs = this.#latestMs(stream);
      for (const timestampMs of this.#timestampsFor(stream, request.timestamps).cutMs) {
        if (timestampMs === latestMs) throw notNewerThanLatest(stream, { timestampMs, latestMs });
        latestMs = timestampMs;
      }
    }
  }

  #checkNewerTick({ timestamp, plan }: TickRequest): void {
    const givenMs = instantMs(this.#givenOrNow(timestamp));
    if (this.#onlyPlan === plan && this.#parse(givenMs, plan.stepMs) > this.#onlyPlanMs) return;
    this.#noteOnlyPlan();
    for (const streamId of plan.streamIds) {
      const stream = this.#appendable(streamId);
      const timestampMs = this.#parse(givenMs, stream.stepMs);
      const latestMs = this.#latestMs(stream);
      if (timestampMs === latestMs) throw notNewerThanLatest(stream, { timestampMs, latestMs });
    }
  }

  #addItems({ items, checkTimestamp, mustBeNewer }: ItemsRequest): readonly StoredDatapoint[] {
    this.#noteOnlyPlan();
    const mark = ++checkCount;
    const datapoints: StoredDatapoint[] = [];
    let stream: LiveStream | null = null;
    for (const { streamId, value, timestamp } of items) {
      if (stream?.streamId !== streamId) stream = this.#appendable(streamId);
      const timestampMs = this.#parse(this.#givenOrNow(timestamp), stream.stepMs);
      if (stream.checkMark !== mark) {
        stream.checkMark = mark;
        stream.checkedLatestMs = this.#latestMs(stream);
      }
      const latestMs = stream.checkedLatestMs;
      checkKept(stream, timestampMs);
      if (mustBeNewer && timestampMs === latestMs) {
        throw notNewerThanLatest(stream, { timestampMs, latestMs });
      }
      if (timestampMs >= latestMs) stream.checkedLatestMs = timestampMs;
      else if (checkTimestamp) throw olderThanLatest(stream, { timestampMs, latestMs });
      const stored = storedValue(stream.record, value, this.#context.backend.supports);
      datapoints.push({ stream, timestampMs, stored });
    }
    let staged: StagedStream | null = null;
    for (const { stream, timestampMs, stored } of datapoints) {
      if (staged?.stream !== stream) staged = this.#stageRequested(stream);
      staged.addRow(timestampMs, stored);
      this.#noteRow(stream, timestampMs);
    }
    return datapoints;
  }

  /** Takes a grid in as columns of a stream, or as ticks; as items when something about it is special. */
  #addGrid({ grid, ...check }: GridRequest): readonly StoredDatapoint[] {
    const taken =
      check.mustBeNewer || this.#isCutTooFar(grid)
        ? null
        : grid.streamIds.length === 1
          ? this.#takeItemColumn(grid, check)
          : this.#takeItemTicks(grid);
    return taken ?? this.#addItems({ ...check, kind: 'items', items: itemsOf(grid) });
  }

  /** Whether it has milliseconds that a stream keeps. */
  #isCutTooFar({ streamIds, givenMs }: ItemGrid): boolean {
    if (givenMs === null || !this.#cache.hasMilliseconds) return false;
    return streamIds.some((streamId) => this.#cache.get(streamId)?.stepMs === 1);
  }

  #takeItemColumn(grid: ItemGrid, check: TimestampCheck): readonly StoredDatapoint[] | null {
    const { timestampsMs, values } = grid;
    const streamId = grid.streamIds[0]!;
    const stream = this.#appendable(streamId);
    if (!stream.isPlainNumeric) return null;
    const timestamps = cutTimestamps(timestampsMs, this.#context.backend.supports.timestampRange);
    this.#addColumns({ kind: 'columns', streamId, timestamps, values, ...check });
    return datapointsOf(grid, [stream]);
  }

  #takeItemTicks(grid: ItemGrid): readonly StoredDatapoint[] | null {
    const { streamIds, timestampsMs, values } = grid;
    const plan = this.#plans.recurring([...streamIds]);
    if (plan === null) return null;
    const streamCount = streamIds.length;
    const instantCount = timestampsMs.length;
    plan.resolve(this.#cache);
    // Of ticks that derivation takes apart, a later one might be refused when the first ones are taken.
    if (instantCount > 1 && plan.derived !== null) return null;
    for (let instant = 0; instant < instantCount; instant++) {
      const from = instant * streamCount;
      const tick = values.subarray(from, from + streamCount);
      const isTaken = this.#takeWhole(plan, timestampsMs[instant]!, tick);
      if (!isTaken && instant === 0) return null;
      assert(isTaken, 'a tick that follows one of the same streams is taken as that was');
    }
    return datapointsOf(grid, plan.group!.streams);
  }

  #addColumns({ streamId, timestamps, values, checkTimestamp }: ColumnsRequest): void {
    this.#noteOnlyPlan();
    const stream = this.#appendable(streamId);
    const stored = storedColumn(stream.record, values, this.#context.backend.supports);
    const { cutMs, descendingRow, latestMs } = this.#timestampsFor(stream, timestamps);
    if (cutMs.length === 0) return;
    if (stream.record.expiry !== undefined) {
      for (const timestampMs of cutMs) checkKept(stream, timestampMs);
    }
    const knownMs = this.#latestMs(stream);
    const olderRow = cutMs[0]! < knownMs ? 0 : descendingRow;
    if (checkTimestamp && olderRow >= 0) {
      const limitMs = Math.max(knownMs, cutMs[olderRow - 1] ?? knownMs);
      throw olderThanLatest(stream, { timestampMs: cutMs[olderRow]!, latestMs: limitMs });
    }
    const block = { timestamps: cutMs, columns: { [VALUE_COLUMN]: stored } };
    this.#stageRequested(stream).addColumns(block, descendingRow < 0);
    // Only the latest counts for what follows in this batch; `extentMs` knows the earliest.
    this.#noteRow(stream, latestMs);
  }

  #timestampsFor({ stepMs }: LiveStream, timestamps: CutTimestamps): CutTimestamps {
    const { givenMs } = timestamps;
    if (stepMs === SECOND_MS || givenMs === null) return timestamps;
    return cutTimestamps(givenMs, this.#context.backend.supports.timestampRange, stepMs);
  }

  /** Ticks of which derivation has made nothing yet come before the rows that follow them. */
  #stageRequested(stream: LiveStream): StagedStream {
    if (stream.rawDependents.length > 0) {
      this.#hasSources = true;
      this.takeTicksApart();
    }
    return this.stage(stream);
  }

  #addTick({ timestamp, plan, values }: TickRequest): void {
    const givenMs = instantMs(this.#givenOrNow(timestamp));
    plan.resolve(this.#cache);
    const timestampMs = this.#parse(givenMs, plan.stepMs);
    if (!this.#takeWhole(plan, timestampMs, values)) this.#takeRowByRow(plan, givenMs, values);
  }

  /** Takes a tick in as it is; false, and nothing is taken, when something about it is special. */
  #takeWhole(plan: TickPlan, timestampMs: number, values: Float64Array): boolean {
    plan.resolve(this.#cache);
    plan.noteOpen(timestampMs, this.#cache);
    const { group, derived } = plan;
    if (group === null || hasInfinity(values)) return false;
    if (this.#onlyPlan === plan) {
      // Its streams were found in order for the tick before, which is the newest that they have.
      if (timestampMs < this.#onlyPlanMs) return false;
      this.#onlyPlanMs = timestampMs;
    } else {
      const isFirst = this.isEmpty;
      this.#noteOnlyPlan();
      if (!this.#isInOrder(group, timestampMs)) return false;
      if (!isFirst) this.#noteRows(group, timestampMs);
      else {
        this.#onlyPlan = plan;
        this.#onlyPlanMs = timestampMs;
      }
    }
    const tick: SourceTick = { source: plan, timestampMs, plan: group, values };
    if (derived !== null) this.#hasSources = true;
    if (derived === 'special') this.takeTicksApart();
    if (derived !== null && this.#areTicksApart) this.#addApart(plan, tick);
    else this.#sourceTicks.push(tick);
    return true;
  }

  #isInOrder(group: TickGroup, timestampMs: number): boolean {
    if (!group.isInOrder(timestampMs)) return false;
    if (this.isEmpty) return true;
    return group.streams.every(
      (stream) => timestampMs >= this.#latestMs(stream) && !this.#staged.has(stream.streamId),
    );
  }

  /** As `#takeWhole`, for ticks with special streams; finds out what is wrong with one that it refuses. */
  #takeRowByRow(plan: TickPlan, givenMs: number, values: Float64Array): void {
    this.#noteOnlyPlan();
    const streams = this.#checkRows(plan, givenMs, values);
    if (streams.some(({ rawDependents }) => rawDependents.length > 0)) {
      this.#hasSources = true;
      this.takeTicksApart();
    }
    const plainRows = [...streams.keys()].filter((row) => {
      const stream = streams[row]!;
      return this.#isPlain(stream) && this.#parse(givenMs, stream.stepMs) >= stream.levelUntilMs;
    });
    for (const stepMs of new Set(plainRows.map((row) => streams[row]!.stepMs))) {
      const rows = plainRows.filter((row) => streams[row]!.stepMs === stepMs);
      this.#sourceTicks.push({
        source: null,
        timestampMs: this.#parse(givenMs, stepMs),
        plan: TickGroup.of(rows.map((row) => streams[row]!)),
        values: Float64Array.from(rows, (row) => values[row]!),
      });
    }
    const isPlain = new Set(plainRows);
    for (const [row, stream] of streams.entries()) {
      const timestampMs = this.#parse(givenMs, stream.stepMs);
      if (!isPlain.has(row)) {
        this.stage(stream).addRow(timestampMs, storedTickValue(stream, values[row]!));
      }
      this.#noteRow(stream, timestampMs);
    }
  }

  #checkRows(
    { streamIds }: TickPlan,
    givenMs: number,
    values: Float64Array,
  ): readonly LiveStream[] {
    const mark = ++checkCount;
    return streamIds.map((streamId, row) => {
      const stream = this.#appendable(streamId);
      const timestampMs = this.#parse(givenMs, stream.stepMs);
      const latestMs = this.#latestMs(stream);
      checkKept(stream, timestampMs);
      if (timestampMs < latestMs) throw olderThanLatest(stream, { timestampMs, latestMs });
      checkTickValue(stream, values[row]!);
      if (stream.checkMark === mark) {
        throw new InvalidValue(`Stream ${streamId} is in the tick twice: expected one value each.`);
      }
      stream.checkMark = mark;
      return stream;
    });
  }

  /** Rows that nothing else needs to look at go to the backend as they came. */
  #isPlain(stream: LiveStream): boolean {
    return (
      stream.rawDependents.length === 0 &&
      stream.isPlainNumeric &&
      !this.#staged.has(stream.streamId)
    );
  }

  #appendable(streamId: StreamId): LiveStream {
    return appendable(this.#cache.get(streamId), streamId);
  }

  #givenOrNow(timestamp: unknown): unknown {
    return timestamp === undefined ? this.#context.nowMs() : timestamp;
  }

  #parse(timestamp: unknown, stepMs: number): number {
    return parseTimestamp(timestamp, this.#context.backend.supports.timestampRange, stepMs);
  }

  #latestMs(stream: LiveStream): number {
    const storedMs = stream.latestMs ?? Number.NEGATIVE_INFINITY;
    return stream.stagedBatch === this.#number
      ? Math.max(storedMs, stream.stagedLatestMs)
      : storedMs;
  }

  #noteRow(stream: LiveStream, timestampMs: number): void {
    if (stream.stagedBatch !== this.#number) {
      stream.stagedBatch = this.#number;
      stream.stagedLatestMs = timestampMs;
    } else if (timestampMs > stream.stagedLatestMs) stream.stagedLatestMs = timestampMs;
  }

  #noteRows({ streams }: TickGroup, timestampMs: number): void {
    for (const stream of streams) this.#noteRow(stream, timestampMs);
  }

  /** Takes note of the rows of ticks, which is put off until something else comes into the batch. */
  #noteOnlyPlan(): void {
    if (this.#onlyPlan === null) return;
    this.#noteRows(this.#onlyPlan.group!, this.#onlyPlanMs);
    this.#onlyPlan = null;
  }

  /** All rows: ticks first, because a row of a stream that is in a tick comes after it. */
  writes(): readonly Write[] {
    const writes: Write[] = [];
    for (const { timestampMs, plan, values } of this.#sourceTicks) {
      writes.push({ kind: 'tick', timestampMs, streamIds: plan.streamIds, values });
    }
    for (const { timestampMs, plan, values } of this.#derivedTicks) {
      writes.push({ kind: 'tick', timestampMs, streamIds: plan.streamIds, values });
    }
    if (this.#staged.size > 0) addStagedWrites(writes, this.#staged);
    return writes;
  }

  updates(): readonly StreamRecord[] {
    const records: StreamRecord[] = [];
    for (const { updatedRecord } of this.#staged.values()) {
      if (updatedRecord !== null) records.push(updatedRecord);
    }
    return records;
  }
}

function storedTickValue(stream: LiveStream, value: number): unknown {
  return Number.isNaN(value) ? null : stream.codec.toStored(value);
}
