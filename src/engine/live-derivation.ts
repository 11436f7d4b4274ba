import type { Input } from '../derive/operator.ts';
import {
  type Block,
  concatBlocks,
  cutBlock,
  insertRows,
  lastOfEachTimestamp,
} from '../model/block.ts';
import { bucketStartMs } from '../model/granularity.ts';
import { addRanges } from '../model/staleness.ts';
import type { StreamId } from '../model/stream.ts';
import { TIME_END_MS, type TimeRange } from '../model/time-range.ts';
import type { AppendBatch } from './append-batch.ts';
import { readBlocks } from './block-reader.ts';
import type { EngineContext } from './context.ts';
import type { DerivedPlan } from './derived-plan.ts';
import {
  DerivedState,
  type LiveSequence,
  OPEN_BUCKET_COUNT_MAX,
  type OpenBuckets,
} from './derived-state.ts';
import { derivableFromMs } from './expiry.ts';
import { mergeInputs } from './input-merge.ts';
import { depthOf, isPendingBackprocess, type LiveStream } from './live-stream.ts';
import { type OperatorRun, OutputRows } from './operator-run.ts';
import { isBefore, type Position, restoreState, SILENT_SINK } from './restore-state.ts';
import { openBlockCursor, openCursor, type SourceCursor } from './source-cursor.ts';
import type { StreamCache } from './stream-cache.ts';
import { canStepTick, type DerivingTick, TickDerivation } from './tick-derivation.ts';

/** Buckets further apart than this are read apart; closer ones in one go. */
const CLUSTER_GAP_BUCKET_COUNT = 64;
/** A batch that touches more scattered buckets than this leaves them to the next maintenance run. */
const CLUSTER_COUNT_MAX = 256;
/**
 * Carries the rows of a batch on to derived streams, level by level of the dependency graph, so that
 * sources and outputs become durable in one commit. Operator states are kept between batches; they are
 * only a cache of what the stored inputs say, and are dropped whenever that may have changed.
 */
export class LiveDerivation {
  readonly #context: EngineContext;
  readonly #cache: StreamCache;
  readonly #states = new Map<StreamId, DerivedState>();
  /** Whose states have moved on for a batch that is not committed yet, one by one and with ticks. */
  readonly #moved = new Set<StreamId>();
  readonly #movedPlans = new Set<DerivedPlan>();
  /** Changes whenever a state is dropped. */
  #epoch = 0;

  constructor(context: EngineContext, cache: StreamCache) {
    this.#context = context;
    this.#cache = cache;
  }

  /** Drops what is remembered about a derived stream. */
  forget(streamId: StreamId): void {
    const state = this.#states.get(streamId);
    if (state === undefined) return;
    state.isForgotten = true;
    this.#states.delete(streamId);
    this.#epoch++;
  }

  /** Drops the states that were moved on for a batch that did not become durable. */
  rollBack(): void {
    for (const streamId of this.#moved) this.forget(streamId);
    for (const { nodes } of this.#movedPlans) {
      for (const { stream } of nodes) this.forget(stream.streamId);
    }
    this.settle();
  }

  settle(): void {
    if (this.#moved.size > 0) this.#moved.clear();
    if (this.#movedPlans.size > 0) this.#movedPlans.clear();
  }

  /** Adds the outputs, and what becomes stale, to the batch. The closure of its streams is loaded. */
  async propagate(batch: AppendBatch): Promise<void> {
    const ticks = batch.derivingTicks();
    const areFollowed = ticks.length > 0 && (await this.#deriveTicks(batch, ticks));
    if (ticks.length > 0 && !areFollowed) {
      this.rollBack();
      batch.takeTicksApart();
    }
    batch.markStaleLevels();
    // Beside ticks that were followed, the batch has no rows of sources.
    if (!areFollowed) await this.#propagateRows(batch);
  }

  /** Returns false, and adds nothing to the batch, when the ticks cannot be followed as such. */
  async #deriveTicks(batch: AppendBatch, ticks: readonly DerivingTick[]): Promise<boolean> {
    const plans = new Set(ticks.map(({ derived }) => derived));
    if (plans.size > 1 && haveCommonNode(plans)) return false;
    const derivation = new TickDerivation();
    const previousMs = new Map<DerivedPlan, number>();
    for (const plan of plans) await this.#prepare(plan);
    for (const tick of ticks) {
      const { derived, timestampMs } = tick;
      if (!canStepTick(tick, previousMs.get(derived) ?? Number.NEGATIVE_INFINITY)) return false;
      this.#movedPlans.add(derived);
      if (!derivation.step(tick)) return false;
      previousMs.set(derived, timestampMs);
    }
    const { ticks: outputs, rows, warnings, openBucketsMs } = derivation.outputs;
    for (const output of outputs) batch.addDerivedTick(output);
    for (const { stream, timestampMs, value } of rows) {
      batch.stage(stream).addRow(timestampMs, Number.isNaN(value) ? null : value);
    }
    batch.warnings.push(...warnings);
    for (const [{ stream, state }, startsMs] of openBucketsMs) {
      stageBuckets(batch, { derived: stream, state: state!, startsMs });
      dropOldest(state!.openBuckets);
    }
    return true;
  }

  /** Gives every derived stream of a plan its present state, and sequences their place. */
  async #prepare(plan: DerivedPlan): Promise<void> {
    const epoch = this.#epoch;
    if (plan.preparedEpoch === epoch) return;
    for (const node of plan.nodes) {
      if (node.state === null || node.state.isForgotten) node.state = this.#state(node.stream);
      if (node.isBucket || node.state.sequence !== null) continue;
      await this.#sequence(node.state);
    }
    plan.preparedEpoch = epoch;
  }

  async #propagateRows(batch: AppendBatch): Promise<void> {
    const byDepth: Set<LiveStream>[] = [];
    const enqueue = (source: LiveStream): void => {
      for (const id of source.rawDependents) {
        const dependent = this.#cache.get(id);
        if (dependent === undefined) continue;
        const depth = depthOf(dependent.record);
        byDepth[depth] ??= new Set();
        byDepth[depth].add(dependent);
      }
    };
    for (const { stream } of batch.stagedStreams) enqueue(stream);
    // What a stream adds lies deeper than the stream itself, so the list grows ahead of the loop.
    for (let depth = 0; depth < byDepth.length; depth++) {
      for (const derived of byDepth[depth] ?? []) {
        if (await this.#derive(batch, derived)) enqueue(derived);
      }
    }
  }

  /** Whether the derived stream got rows or changes of its own. */
  async #derive(batch: AppendBatch, derived: LiveStream): Promise<boolean> {
    this.#moved.add(derived.streamId);
    const { run } = this.#state(derived);
    const changed = run.derivation.sources.flatMap((source) => {
      const ranges = batch.staged(source.streamId)?.replacedRanges ?? [];
      return source.granularity === this.#cache.get(source.streamId)?.record.highestGranularity
        ? ranges
        : [];
    });
    if (changed.length > 0) this.#markStale(batch, derived, changed);
    const rows = this.#stagedRows(batch, run);
    if (rows.every((block) => block === null)) return false;
    if (isPendingBackprocess(derived.record)) {
      this.#markStale(batch, derived, rangesBefore(rows, derived.record.stale.at(-1)!.startMs));
      return false;
    }
    if (run.operator.reach.kind === 'bucket')
      await this.#deriveBuckets(batch, { derived, run, rows });
    else await this.#deriveSequence(batch, { derived, run, rows });
    const staged = batch.staged(derived.streamId);
    staged?.markStaleLevels();
    return (
      staged !== undefined &&
      (staged.replacedRanges.length > 0 || staged.rows().timestamps.length > 0)
    );
  }

  async #deriveSequence(batch: AppendBatch, work: DeriveWork): Promise<void> {
    const { derived, run, rows } = work;
    const live = await this.#sequence(this.#state(derived));
    const outputs = new OutputRows(derived.record);
    let staleFrom: number | null = null;
    let staleEndMs = 0;
    await mergeInputs(this.#rowCursors(run, rows), (input) => {
      if (staleFrom === null && this.#isLate(input, live.position)) staleFrom = input.timestampMs;
      if (staleFrom !== null) {
        staleEndMs = input.timestampMs + 1;
        return true;
      }
      live.state = run.operator.step(live.state, input, outputs);
      live.position.timestampMs = input.timestampMs;
      live.position.source = input.source;
      return true;
    });
    batch.warnings.push(...outputs.warnings);
    if (outputs.rowCount > 0) batch.stage(derived).addColumns(outputs.block(), true);
    if (staleFrom === null) return;
    // An input came in between processed ones: the state is no longer that of the inputs in order.
    this.#markStale(batch, derived, [{ startMs: staleFrom, endMs: staleEndMs }]);
  }

  /** Whether an input belongs before the position, or overwrites the one that led to it. */
  #isLate(input: Input, position: Position): boolean {
    if (isBefore(input, position)) return true;
    const isThere = input.timestampMs === position.timestampMs && input.source === position.source;
    return isThere && !this.#keepsEqual;
  }

  get #keepsEqual(): boolean {
    return this.#context.backend.supports.equalTimestamps;
  }

  async #deriveBuckets(batch: AppendBatch, work: DeriveWork): Promise<void> {
    const { derived, run, rows } = work;
    const buckets = bucketsOf(rows, run);
    const open = this.#state(derived).openBuckets;
    if (this.#canStep(work, buckets, open)) {
      await this.#stepBuckets(batch, work, open);
    } else {
      open.clear();
      const fromMs = this.#derivableFromMs(run);
      const computable = fromMs === null ? buckets : buckets.filter((startMs) => startMs >= fromMs);
      const clusters = clustersOf(computable, run.granularity.durationMs);
      for (const cluster of clusters.slice(0, CLUSTER_COUNT_MAX)) {
        if (this.#lacksSource(work, cluster)) continue;
        const state = await this.#recomputeBuckets(batch, work, cluster);
        // It has seen all that there is in its bucket: what comes next need not read it again.
        if (cluster.endMs - cluster.startMs === run.granularity.durationMs) {
          open.set(cluster.startMs, state);
        }
      }
      this.#markStale(batch, derived, clusters.slice(CLUSTER_COUNT_MAX));
    }
    dropOldest(open);
  }

  /** Start of the first bucket of which nothing has expired; null when nothing has of any. */
  #derivableFromMs({ record, derivation, granularity }: OperatorRun): number | null {
    const sources = derivation.sources.map(({ streamId }) => this.#cache.get(streamId)!);
    const fromMs = derivableFromMs(record, derivation.sources, sources);
    return fromMs === Number.NEGATIVE_INFINITY ? null : bucketStartMs(fromMs, granularity);
  }

  /** Whether every bucket is in memory or newer than all data, and every row the newest of its source. */
  #canStep({ run, rows }: DeriveWork, buckets: readonly number[], open: OpenBuckets): boolean {
    if (buckets.length > OPEN_BUCKET_COUNT_MAX) return false;
    let newestMs = Number.NEGATIVE_INFINITY;
    for (const [index, source] of run.derivation.sources.entries()) {
      const stream = this.#cache.get(source.streamId);
      const isRaw = stream?.record.highestGranularity === source.granularity;
      if (stream === undefined || !isRaw) return false;
      const latestMs = stream.latestMs ?? Number.NEGATIVE_INFINITY;
      newestMs = Math.max(newestMs, latestMs);
      const firstMs = rows[index]?.timestamps[0] ?? Number.POSITIVE_INFINITY;
      if (firstMs < latestMs || (firstMs === latestMs && !this.#keepsEqual)) return false;
    }
    return buckets.every((startMs) => open.has(startMs) || startMs > newestMs);
  }

  async #stepBuckets(
    batch: AppendBatch,
    { derived, run, rows }: DeriveWork,
    open: OpenBuckets,
  ): Promise<void> {
    const touched = new Set<number>();
    await mergeInputs(this.#rowCursors(run, rows), (input) => {
      const startMs = bucketStartMs(input.timestampMs, run.granularity);
      touched.add(startMs);
      open.set(startMs, run.operator.step(open.get(startMs) ?? run.start(), input, SILENT_SINK));
      return true;
    });
    stageBuckets(batch, { derived, state: this.#state(derived), startsMs: touched });
  }

  /** Whether a source that the operator cannot do without has nothing from the range on. */
  #lacksSource({ run, rows }: DeriveWork, range: TimeRange): boolean {
    const { reach } = run.operator;
    if (reach.kind !== 'bucket' || !reach.needsEverySource || run.context.isOverQuery) return false;
    return run.derivation.sources.some(({ streamId, granularity }, index) => {
      const stream = this.#cache.get(streamId)!;
      const isRaw = granularity === stream.record.highestGranularity;
      return isRaw && rows[index] === null && (stream.latestMs ?? -Infinity) < range.startMs;
    });
  }

  /**
   * Computes buckets from all that is stored for them together with what the batch adds.
   * @returns the state after all inputs.
   */
  async #recomputeBuckets(
    batch: AppendBatch,
    { derived, run, rows }: DeriveWork,
    range: TimeRange,
  ): Promise<unknown> {
    const cursors: SourceCursor[] = [];
    for (const [index, source] of run.derivation.sources.entries()) {
      const stream = this.#cache.get(source.streamId)!;
      const added = rows[index] ?? null;
      if (added === null) {
        const options = { arithmetic: run.arithmeticKind };
        cursors.push(openCursor(this.#context.backend, { source, stream, range }, options));
      } else {
        const stored = await this.#storedRows(stream, {
          startMs: Math.max(range.startMs, (source.afterMs ?? Number.NEGATIVE_INFINITY) + 1),
          endMs: range.endMs,
        });
        const joined = insertRows(stored, cutBlock(added, range));
        const inputs = this.#keepsEqual ? joined : lastOfEachTimestamp(joined);
        cursors.push(openBlockCursor(inputs, stream, run.arithmeticKind));
      }
    }
    const outputs = new OutputRows(derived.record);
    let state = run.start();
    await mergeInputs(cursors, (input) => {
      state = run.operator.step(state, input, outputs);
      return true;
    });
    run.operator.flush?.(state, outputs);
    batch.warnings.push(...outputs.warnings);
    stageOutputs(batch, derived, { range, outputs });
    return state;
  }

  async #storedRows(stream: LiveStream, range: TimeRange): Promise<Block> {
    const blocks: Block[] = [];
    const request = { streamId: stream.streamId, granularity: stream.highest, range };
    for await (const block of readBlocks(this.#context.backend, request)) blocks.push(block);
    return concatBlocks(blocks);
  }

  #markStale(batch: AppendBatch, derived: LiveStream, ranges: readonly TimeRange[]): void {
    if (ranges.length === 0) return;
    const staged = batch.stage(derived);
    staged.record = { ...staged.record, stale: addRanges(staged.record.stale, ranges) };
    this.#state(derived).reset();
    this.#epoch++;
  }

  /** What the batch adds to each source, as far as it counts; null where it adds nothing. */
  #stagedRows(batch: AppendBatch, run: OperatorRun): readonly (Block | null)[] {
    return run.derivation.sources.map((source) => {
      const staged = batch.staged(source.streamId);
      if (staged === undefined || source.granularity !== staged.record.highestGranularity)
        return null;
      const startMs = (source.afterMs ?? Number.NEGATIVE_INFINITY) + 1;
      const rows = cutBlock(staged.rows(), { startMs, endMs: TIME_END_MS });
      return rows.timestamps.length === 0 ? null : rows;
    });
  }

  #rowCursors(run: OperatorRun, rows: readonly (Block | null)[]): readonly SourceCursor[] {
    return run.derivation.sources.map((source, index) => {
      const stream = this.#cache.get(source.streamId)!;
      return openBlockCursor(rows[index] ?? NO_ROWS, stream, run.arithmeticKind);
    });
  }

  async #sequence(state: DerivedState): Promise<LiveSequence> {
    if (state.sequence !== null) return state.sequence;
    const { run } = state;
    const streams = run.derivation.sources.map(({ streamId }) => this.#cache.get(streamId)!);
    const past = { streams, beforeMs: TIME_END_MS };
    const restored = await restoreState(run, this.#context.backend, past);
    state.sequence = { state: restored.state, position: { ...restored.position } };
    return state.sequence;
  }

  #state(derived: LiveStream): DerivedState {
    let state = this.#states.get(derived.streamId);
    if (state === undefined) {
      const { timestampRange } = this.#context.backend.supports;
      const { sources } = derived;
      state = new DerivedState(derived.record, { sources, timestampRange });
      this.#states.set(derived.streamId, state);
    }
    return state;
  }
}

interface DeriveWork {
  readonly derived: LiveStream;
  readonly run: OperatorRun;
  /** By source. */
  readonly rows: readonly (Block | null)[];
}

/** Whether a derived stream is in more than one of the plans. */
function haveCommonNode(plans: Iterable<DerivedPlan>): boolean {
  const seen = new Set<LiveStream>();
  for (const { nodes } of plans) {
    for (const { stream } of nodes) {
      if (seen.has(stream)) return true;
      seen.add(stream);
    }
  }
  return false;
}

function dropOldest(open: OpenBuckets): void {
  while (open.size > OPEN_BUCKET_COUNT_MAX) open.delete(Math.min(...open.keys()));
}

/** Stages what the states of buckets in memory give. */
function stageBuckets(
  batch: AppendBatch,
  {
    derived,
    state: { run, openBuckets },
    startsMs,
  }: {
    readonly derived: LiveStream;
    readonly state: DerivedState;
    readonly startsMs: ReadonlySet<number>;
  },
): void {
  for (const startMs of [...startsMs].sort((a, b) => a - b)) {
    const outputs = new OutputRows(derived.record);
    run.operator.flush?.(openBuckets.get(startMs), outputs);
    batch.warnings.push(...outputs.warnings);
    const range = { startMs, endMs: startMs + run.granularity.durationMs };
    stageOutputs(batch, derived, { range, outputs });
  }
}

const NO_ROWS: Block = { timestamps: new Float64Array(0), columns: {} };

/** Outputs after everything that the derived stream has are appended; others replace their bucket. */
function stageOutputs(
  batch: AppendBatch,
  derived: LiveStream,
  { range, outputs }: { range: TimeRange; outputs: OutputRows },
): void {
  const rows = outputs.block();
  const latestMs = derived.latestMs ?? Number.NEGATIVE_INFINITY;
  if (rows.timestamps.length === 0) {
    // More inputs take an output away only where the result has become too large, which is a warning.
    if (outputs.warnings.length === 0 || range.startMs > latestMs) return;
  }
  const staged = batch.stage(derived);
  if (range.startMs > latestMs) {
    staged.addColumns(rows, true);
    return;
  }
  const oldEndMs = Math.min(range.endMs, latestMs + 1);
  const oldRange = { startMs: range.startMs, endMs: oldEndMs };
  staged.replace(oldRange, cutBlock(rows, oldRange));
  const newer = cutBlock(rows, { startMs: oldEndMs, endMs: range.endMs });
  if (newer.timestamps.length > 0) staged.addColumns(newer, true);
}

/** The instants of the rows that lie before `endMs`. */
function rangesBefore(rows: readonly (Block | null)[], endMs: number): readonly TimeRange[] {
  return rows.flatMap((block) =>
    Array.from(block?.timestamps ?? [])
      .filter((timestampMs) => timestampMs < endMs)
      .map((timestampMs) => ({ startMs: timestampMs, endMs: timestampMs + 1 })),
  );
}

/** Starts of the buckets that hold the rows, ascending, no duplicates. */
function bucketsOf(rows: readonly (Block | null)[], run: OperatorRun): readonly number[] {
  const starts = new Set<number>();
  for (const block of rows) {
    for (const timestampMs of block?.timestamps ?? []) {
      starts.add(bucketStartMs(timestampMs, run.granularity));
    }
  }
  return [...starts].sort((a, b) => a - b);
}

/** Ranges of whole buckets that hold all the buckets, near ones joined. */
function clustersOf(buckets: readonly number[], durationMs: number): readonly TimeRange[] {
  const clusters: { startMs: number; endMs: number }[] = [];
  for (const startMs of buckets) {
    const last = clusters.at(-1);
    if (last !== undefined && startMs - last.endMs <= CLUSTER_GAP_BUCKET_COUNT * durationMs) {
      last.endMs = startMs + durationMs;
    } else {
      clusters.push({ startMs, endMs: startMs + durationMs });
    }
  }
  return clusters;
}
