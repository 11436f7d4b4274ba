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
  upperBound,
  VALUE_COLUMN,
  valueColumn,
} from '../model/block.ts';
import type { StreamRecord } from '../model/stream.ts';
import type { TimeRange } from '../model/time-range.ts';
import type { LiveStream } from './live-stream.ts';
import { withStaleRaw } from './stale-levels.ts';

/** What one batch does to one stream. */
export class StagedStream {
  readonly stream: LiveStream;
  readonly #blocks: Block[] = [];
  #timestamps: number[] = [];
  #values: unknown[] = [];
  #isAscending = true;
  readonly #replaced: { readonly range: TimeRange; readonly block: Block }[] = [];
  #record: StreamRecord | null = null;
  #rows: Block | null = null;

  /** Whether rows of a timestamp that is taken stand beside what is there; else they overwrite it. */
  readonly #keepsEqual: boolean;

  constructor(stream: LiveStream, { equalTimestamps }: Pick<BackendManifest, 'equalTimestamps'>) {
    this.stream = stream;
    this.#keepsEqual = equalTimestamps;
  }

  addRow(timestampMs: number, stored: unknown): void {
    if (timestampMs < (this.#timestamps.at(-1) ?? this.#blocksEndMs())) this.#isAscending = false;
    this.#timestamps.push(timestampMs);
    this.#values.push(stored);
    this.#rows = null;
  }

  addColumns(block: Block, isAscending: boolean): void {
    this.#closeRows();
    if (!isAscending || block.timestamps[0]! < this.#blocksEndMs()) this.#isAscending = false;
    this.#blocks.push(block);
    this.#rows = null;
  }

  /** Derived rows in the place of those that the range has now. */
  replace(range: TimeRange, block: Block): void {
    this.#replaced.push({ range, block });
  }

  get replacedRanges(): readonly TimeRange[] {
    return this.#replaced.map(({ range }) => range);
  }

  /** The record as this batch leaves it. */
  get record(): StreamRecord {
    return this.#record ?? this.stream.record;
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
    if (latestMs === null) return 0;
    const bound = this.#keepsEqual ? lowerBound : upperBound;
    return bound(this.rows().timestamps, latestMs);
  }

  /**
   * Marks what late rows and replaced ranges make stale. The record is touched in any case, so that
   * whoever is computing from the older rows right now notices.
   */
  markStaleLevels(): void {
    const lateRows = this.rows().timestamps.subarray(0, this.lateRowCount);
    if (lateRows.length === 0 && this.#replaced.length === 0) return;
    let { record } = this;
    for (const timestampMs of lateRows) {
      record = withStaleRaw(record, this.stream.earliestMs, {
        startMs: timestampMs,
        endMs: timestampMs + 1,
      });
    }
    for (const { range } of this.#replaced)
      record = withStaleRaw(record, this.stream.earliestMs, range);
    this.#record = { ...record };
  }

  /** Timestamp, when a single number in order is all that the batch has for the stream. */
  singleFloatRowMs(): number | null {
    if (this.#replaced.length > 0 || this.lateRowCount > 0) return null;
    const { timestamps, columns } = this.rows();
    const isSingle = timestamps.length === 1 && columns[VALUE_COLUMN] instanceof Float64Array;
    return isSingle ? timestamps[0]! : null;
  }

  singleFloat(): number {
    return (this.rows().columns[VALUE_COLUMN] as Float64Array)[0]!;
  }

  writes(): readonly Write[] {
    const { streamId, highest: granularity } = this.stream;
    const replacements = this.#replaced.map(
      ({ range, block }): Write => ({ kind: 'replace', streamId, granularity, range, block }),
    );
    const rows = this.rows();
    const late = sliceBlock(rows, 0, this.lateRowCount);
    const inOrder = sliceBlock(rows, this.lateRowCount, rows.timestamps.length);
    const appends = [late, inOrder]
      .filter((block) => block.timestamps.length > 0)
      .map((block): Write => ({ kind: 'append', streamId, granularity, block }));
    return [...replacements, ...appends];
  }

  /** What the cached stream becomes once the batch is committed. */
  get extentMs(): { readonly earliestMs: number; readonly latestMs: number } | null {
    const blocks = [this.rows(), ...this.#replaced.map(({ block }) => block)];
    const filled = blocks.filter(({ timestamps }) => timestamps.length > 0);
    if (filled.length === 0) return null;
    return {
      earliestMs: Math.min(...filled.map(({ timestamps }) => timestamps[0]!)),
      latestMs: Math.max(...filled.map(({ timestamps }) => timestamps.at(-1)!)),
    };
  }

  #blocksEndMs(): number {
    return this.#blocks.at(-1)?.timestamps.at(-1) ?? Number.NEGATIVE_INFINITY;
  }

  #closeRows(): void {
    if (this.#timestamps.length === 0) return;
    this.#blocks.push(rawBlock(Float64Array.from(this.#timestamps), valueColumn(this.#values)));
    this.#timestamps = [];
    this.#values = [];
  }
}

/** Sorts by timestamp, equal ones in the order in which they stand. */
function sortRows(rows: Block): Block {
  const { timestamps } = rows;
  const order = Array.from(timestamps.keys()).sort(
    (a, b) => timestamps[a]! - timestamps[b]! || a - b,
  );
  const values = rows.columns[VALUE_COLUMN] ?? EMPTY_BLOCK.timestamps;
  return rawBlock(
    Float64Array.from(order, (row) => timestamps[row]!),
    values instanceof Float64Array
      ? Float64Array.from(order, (row) => values[row]!)
      : order.map((row) => values[row]),
  );
}
