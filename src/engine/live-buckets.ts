import {
  type Block,
  concatBlocks,
  cutBlock,
  insertRows,
  lastOfEachTimestamp,
} from '../model/block.ts';
import { bucketStartMs } from '../model/granularity.ts';
import type { TimeRange } from '../model/time-range.ts';
import type { AppendBatch } from './append-batch.ts';
import { readBlocks } from './block-reader.ts';
import type { EngineContext } from './context.ts';
import { type DeriveWork, rowCursors } from './derive-work.ts';
import { type DerivedState, OPEN_BUCKET_COUNT_MAX, type OpenBuckets } from './derived-state.ts';
import { derivableFromMs } from './expiry.ts';
import { mergeInputs } from './input-merge.ts';
import type { LiveStream } from './live-stream.ts';
import { type OperatorRun, OutputRows } from './operator-run.ts';
import { SILENT_SINK } from './restore-state.ts';
import { openBlockCursor, openCursor, type SourceCursor } from './source-cursor.ts';
import type { StreamCache } from './stream-cache.ts';

/** Buckets further apart than this are read apart; closer ones in one go. */
const CLUSTER_GAP_BUCKET_COUNT = 64;
/** A batch that touches more scattered buckets than this leaves them to the next maintenance run. */
const CLUSTER_COUNT_MAX = 256;

/**
 * Lets derived streams whose operators look at one bucket at a time follow a batch. States of the newest buckets are
 * kept; others are computed from what is stored.
 */
export class LiveBuckets {
  readonly #context: EngineContext;
  readonly #cache: StreamCache;

  constructor(context: EngineContext, cache: StreamCache) {
    this.#context = context;
    this.#cache = cache;
  }

  get #keepsEqual(): boolean {
    return this.#context.backend.supports.equalTimestamps;
  }

  /**
   * Adds the outputs of the buckets that the rows touch to the batch.
   * @returns where it left them to maintenance: ascending.
   */
  async derive(batch: AppendBatch, work: DeriveWork): Promise<readonly TimeRange[]> {
    const { run, openBuckets: open } = work.state;
    const buckets = bucketsOf(work.rows, run);
    let left: readonly TimeRange[] = [];
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
      left = clusters.slice(CLUSTER_COUNT_MAX);
    }
    dropOldest(open);
    return left;
  }

  /** Start of the first bucket of which nothing has expired; null when nothing has of any. */
  #derivableFromMs({ record, derivation }: OperatorRun): number | null {
    const sources = derivation.sources.map(({ streamId }) => this.#cache.get(streamId)!);
    const fromMs = derivableFromMs(record, derivation.sources, sources);
    return fromMs === Number.NEGATIVE_INFINITY ? null : fromMs;
  }

  /** Whether every bucket is in memory or newer than all data, and every row the newest of its source. */
  #canStep(
    { state: { run }, rows }: DeriveWork,
    buckets: readonly number[],
    open: OpenBuckets,
  ): boolean {
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
    { derived, state, rows }: DeriveWork,
    open: OpenBuckets,
  ): Promise<void> {
    const { run } = state;
    const touched = new Set<number>();
    await mergeInputs(rowCursors(this.#cache, run, rows), (input) => {
      const startMs = bucketStartMs(input.timestampMs, run.granularity);
      touched.add(startMs);
      open.set(startMs, run.operator.step(open.get(startMs) ?? run.start(), input, SILENT_SINK));
      return true;
    });
    stageBuckets(batch, { derived, state, startsMs: touched });
  }

  /** Whether a source that the operator cannot do without has nothing from the range on. */
  #lacksSource({ state: { run }, rows }: DeriveWork, range: TimeRange): boolean {
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
    { derived, state: { run }, rows }: DeriveWork,
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
}

/** Forgets the oldest buckets where there are too many. */
export function dropOldest(open: OpenBuckets): void {
  while (open.size > OPEN_BUCKET_COUNT_MAX) open.delete(Math.min(...open.keys()));
}

/** Stages what the states of buckets in memory give. */
export function stageBuckets(
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
