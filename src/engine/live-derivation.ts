import type { Input } from '../derive/operator.ts';
import { type Block, cutBlock } from '../model/block.ts';
import { addRanges } from '../model/staleness.ts';
import type { StreamId } from '../model/stream.ts';
import { TIME_END_MS, type TimeRange } from '../model/time-range.ts';
import type { AppendBatch } from './append-batch.ts';
import type { EngineContext } from './context.ts';
import { type DeriveWork, rowCursors } from './derive-work.ts';
import type { DerivedPlan } from './derived-plan.ts';
import { DerivedState, type LiveSequence } from './derived-state.ts';
import { mergeInputs } from './input-merge.ts';
import { dropOldest, LiveBuckets, stageBuckets } from './live-buckets.ts';
import { depthOf, isPendingBackprocess, type LiveStream } from './live-stream.ts';
import { type OperatorRun, OutputRows } from './operator-run.ts';
import { isBefore, type Position, restoreState } from './restore-state.ts';
import type { StreamCache } from './stream-cache.ts';
import { canStepTick, type DerivingTick, TickDerivation } from './tick-derivation.ts';

/**
 * Carries the rows of a batch on to derived streams, level by level of the dependency graph, so that
 * sources and outputs become durable in one commit. Operator states are kept between batches; they are
 * only a cache of what the stored inputs say, and are dropped whenever that may have changed.
 */
export class LiveDerivation {
  readonly #context: EngineContext;
  readonly #cache: StreamCache;
  readonly #buckets: LiveBuckets;
  readonly #states = new Map<StreamId, DerivedState>();
  /** Whose states have moved on for a batch that is not committed yet, one by one and with ticks. */
  readonly #moved = new Set<StreamId>();
  readonly #movedPlans = new Set<DerivedPlan>();
  /** Changes whenever a state is dropped. */
  #epoch = 0;

  constructor(context: EngineContext, cache: StreamCache) {
    this.#context = context;
    this.#cache = cache;
    this.#buckets = new LiveBuckets(context, cache);
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
    const state = this.#state(derived);
    const { run } = state;
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
    const work = { derived, state, rows };
    if (run.operator.reach.kind === 'bucket') {
      this.#markStale(batch, derived, await this.#buckets.derive(batch, work));
    } else await this.#deriveSequence(batch, work);
    const staged = batch.staged(derived.streamId);
    staged?.markStaleLevels();
    return (
      staged !== undefined &&
      (staged.replacedRanges.length > 0 || staged.rows().timestamps.length > 0)
    );
  }

  async #deriveSequence(batch: AppendBatch, work: DeriveWork): Promise<void> {
    const { derived, state, rows } = work;
    const { run } = state;
    const live = await this.#sequence(state);
    const outputs = new OutputRows(derived.record);
    let staleFrom: number | null = null;
    let staleEndMs = 0;
    await mergeInputs(rowCursors(this.#cache, run, rows), (input) => {
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

/** The instants of the rows that lie before `endMs`. */
function rangesBefore(rows: readonly (Block | null)[], endMs: number): readonly TimeRange[] {
  return rows.flatMap((block) =>
    Array.from(block?.timestamps ?? [])
      .filter((timestampMs) => timestampMs < endMs)
      .map((timestampMs) => ({ startMs: timestampMs, endMs: timestampMs + 1 })),
  );
}
