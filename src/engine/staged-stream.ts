import type { Write } from '../backends/backend.ts';
import type { BackendManifest } from '../backends/manifest.ts';
import {
  type Block,
  concatBlocks,
  EMPTY_BLOCK,
  lastOfEachTimestamp,
  lowerBound,
  rawBlock,
  sliceBlock,
  sortRows,
  upperBound,
  valueColumn,
} from '../model/block.ts';
import { isTailCut, withEdit } from '../model/edits.ts';
import type { StreamRecord } from '../model/stream.ts';
import { TIME_MIN_MS, type TimeRange } from '../model/time-range.ts';
import type { LiveStream } from './live-stream.ts';
import { withAllStaleRaw } from './stale-levels.ts';

const NONE_REPLACED: readonly never[] = Object.freeze([]);

/** What one batch does to one stream. */
export class StagedStream {
  readonly stream: LiveStream;
  readonly #blocks: Block[] = [];
  #timestamps: number[] = [];
  #values: unknown[] = [];
  #isAscending = true;
  /** The first and last of all added rows by time, and the last by arrival. */
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;
  #endMs = Number.NEGATIVE_INFINITY;
  #replaced: readonly { readonly range: TimeRange; readonly block: Block }[] = NONE_REPLACED;
  #record: StreamRecord | null = null;
  #rows: Block | null = null;

  /** Whether rows of a timestamp that is taken stand beside what is there; else they overwrite it. */
  readonly #keepsEqual: boolean;

  constructor(stream: LiveStream, { equalTimestamps }: Pick<BackendManifest, 'equalTimestamps'>) {
    this.stream = stream;
    this.#keepsEqual = equalTimestamps;
  }

  addRow(timestampMs: number, stored: unknown): void {
    if (timestampMs < this.#endMs) this.#isAscending = false;
    this.#timestamps.push(timestampMs);
    this.#values.push(stored);
    this.#endMs = timestampMs;
    if (timestampMs < this.#firstMs) this.#firstMs = timestampMs;
    if (timestampMs > this.#lastMs) this.#lastMs = timestampMs;
    this.#rows = null;
  }

  /** `block` has rows. */
  addColumns(block: Block, isAscending: boolean): void {
    this.#closeRows();
    const { timestamps } = block;
    if (!isAscending || timestamps[0]! < this.#endMs) this.#isAscending = false;
    this.#endMs = timestamps.at(-1)!;
    const firstMs = isAscending ? timestamps[0]! : minOf(timestamps);
    const lastMs = isAscending ? this.#endMs : maxOf(timestamps);
    this.#firstMs = Math.min(this.#firstMs, firstMs);
    this.#lastMs = Math.max(this.#lastMs, lastMs);
    this.#blocks.push(block);
    this.#rows = null;
  }

  /** Derived rows in the place of those that the range has now. */
  replace(range: TimeRange, block: Block): void {
    this.#replaced = [...this.#replaced, { range, block }];
  }

  /** In the order in which they are to be made. */
  get replacements(): readonly { readonly range: TimeRange; readonly block: Block }[] {
    return this.#replaced;
  }

  get replacedRanges(): readonly TimeRange[] {
    return this.#replaced.map(({ range }) => range);
  }

  /** The record as this batch leaves it. */
  get record(): StreamRecord {
    return this.#record ?? this.stream.currentRecord();
  }

  set record(record: StreamRecord) {
    this.#record = record;
  }

  get updatedRecord(): StreamRecord | null {
    return this.#record;
  }

  /** All added rows that count, ascending, equal timestamps in order of arrival. */
  rows(): Block {
    if (this.#rows === null) {
      this.#closeRows();
      const rows = concatBlocks(this.#blocks);
      const sorted = this.#isAscending ? rows : sortRows(rows);
      this.#rows = this.#keepsEqual ? sorted : lastOfEachTimestamp(sorted);
    }
    return this.#rows;
  }

  /** How many of `rows()` are older than what is stored, or overwrite some of it. */
  get lateRowCount(): number {
    const { latestMs } = this.stream;
    if (latestMs === null || this.#firstMs > latestMs) return 0;
    if (this.#keepsEqual && this.#firstMs === latestMs) return 0;
    const bound = this.#keepsEqual ? lowerBound : upperBound;
    return bound(this.rows().timestamps, latestMs);
  }

  /** Rows that lie in what the levels have already: late ones, and those that levels did not wait for. */
  #computedRows(): Float64Array {
    // Levels that follow appends may have moved on since the record was stored.
    this.stream.currentRecord();
    const { levelUntilMs } = this.stream;
    const lateCount = this.lateRowCount;
    if (lateCount === 0 && this.#firstMs >= levelUntilMs) return EMPTY_BLOCK.timestamps;
    const { timestamps } = this.rows();
    return timestamps.subarray(0, Math.max(lateCount, lowerBound(timestamps, levelUntilMs)));
  }

  /**
   * Marks what rows in computed levels and replaced ranges make stale. The record is touched in any case, so
   * that whoever is computing from the older rows right now notices.
   */
  markStaleLevels(): void {
    const computedRows = this.#computedRows();
    if (computedRows.length === 0 && this.#replaced.length === 0) return;
    const instants = Array.from(computedRows, (startMs) => ({ startMs, endMs: startMs + 1 }));
    const changes = [...instants, ...this.replacedRanges];
    const record = withAllStaleRaw(this.record, this.stream.earliestMs, changes);
    // One more than the stream had before this batch, however often the batch is marked.
    const edits = withEdit(this.stream, this.#changedFromMs());
    this.#record = { ...record, ...edits };
  }

  /** The first instant at which rows may be others than what is stored; not that of rows which are only more. */
  #changedFromMs(): number {
    const hasRows = this.#firstMs !== Number.POSITIVE_INFINITY;
    if (!hasRows && isTailCut(this.stream.latestMs, this.#replaced)) return TIME_MIN_MS;
    return Math.min(
      this.lateRowCount > 0 ? this.#firstMs : Number.POSITIVE_INFINITY,
      ...this.#replaced.map(({ range }) => range.startMs),
    );
  }

  /** Timestamp, when a single number in order is all that the batch has for the stream. */
  singleFloatRowMs(): number | null {
    const isSingle = this.#blocks.length === 0 && this.#timestamps.length === 1;
    if (!isSingle || this.#replaced.length > 0 || this.lateRowCount > 0) return null;
    const value = this.#values[0];
    return typeof value === 'number' || value === null ? this.#timestamps[0]! : null;
  }

  /** NaN = null. */
  singleFloat(): number {
    return (this.#values[0] ?? Number.NaN) as number;
  }

  addWrites(writes: Write[]): void {
    const { streamId, highest: granularity } = this.stream;
    for (const { range, block } of this.#replaced) {
      writes.push({ kind: 'replace', streamId, granularity, range, block });
    }
    const rows = this.rows();
    const rowCount = rows.timestamps.length;
    const lateCount = this.lateRowCount;
    if (lateCount > 0) {
      const block = sliceBlock(rows, 0, lateCount);
      writes.push({ kind: 'append', streamId, granularity, block });
    }
    if (lateCount < rowCount) {
      const block = sliceBlock(rows, lateCount, rowCount);
      writes.push({ kind: 'append', streamId, granularity, block });
    }
  }

  /** What the cached stream becomes once the batch is committed. */
  get extentMs(): { readonly earliestMs: number; readonly latestMs: number } | null {
    let earliestMs = this.#firstMs;
    let latestMs = this.#lastMs;
    for (const { block } of this.#replaced) {
      const { timestamps } = block;
      if (timestamps.length === 0) continue;
      earliestMs = Math.min(earliestMs, timestamps[0]!);
      latestMs = Math.max(latestMs, timestamps.at(-1)!);
    }
    return earliestMs <= latestMs ? { earliestMs, latestMs } : null;
  }

  #closeRows(): void {
    if (this.#timestamps.length === 0) return;
    this.#blocks.push(rawBlock(new Float64Array(this.#timestamps), valueColumn(this.#values)));
    this.#timestamps = [];
    this.#values = [];
  }
}

function minOf(timestamps: Float64Array): number {
  let minMs = Number.POSITIVE_INFINITY;
  for (const timestampMs of timestamps) if (timestampMs < minMs) minMs = timestampMs;
  return minMs;
}

function maxOf(timestamps: Float64Array): number {
  let maxMs = Number.NEGATIVE_INFINITY;
  for (const timestampMs of timestamps) if (timestampMs > maxMs) maxMs = timestampMs;
  return maxMs;
}
