import type { Datastream } from '../../api/datastream.ts';
import type { StreamId } from '../../model/stream.ts';
import { errorMessage } from '../error-message.ts';
import { errorCodeOf } from '../exit-codes.ts';
import type { ParsedDatapoint } from './datapoint-line.ts';
import { BadLine } from './lines.ts';

/** Datapoints of one durable commit. */
const BATCH_SIZE = 10_000;

/** What the engine refuses because of the datapoint itself. */
const DATAPOINT_ERROR_CODES: ReadonlySet<string> = new Set(['INVALID_VALUE', 'INVALID_TIMESTAMP']);

export interface LineAppenderOptions {
  readonly allowLate: boolean;
  /** Whether datapoints take the place of those with the same timestamps. Default: no. */
  readonly replaces?: boolean;
  /** Takes bad lines and lets the rest go on; absent: the first bad line ends the input. */
  readonly onBadLine?: (badLine: BadLine) => void;
  /** Called after each batch. */
  readonly onAppended?: (appendedCount: number) => void;
}

interface PendingDatapoint extends ParsedDatapoint {
  readonly streamId: StreamId;
}

/** Consecutive lines of one stream: epoch milliseconds, ascending, and values (NaN = null). */
export interface ParsedColumns {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  /** Of the first row. */
  readonly lineNumber: number;
}

interface PendingColumns extends ParsedColumns {
  readonly streamId: StreamId;
}

/**
 * Appends parsed lines in batches: datapoints that follow each other, or columns that do. A batch that the engine refuses is halved until the refused line is
 * alone: lines before it are stored, and the line is reported by its number.
 */
export class LineAppender {
  readonly #datastream: Datastream;
  readonly #options: LineAppenderOptions;
  #pending: PendingDatapoint[] = [];
  /** Never together with pending datapoints. */
  #pendingColumns: PendingColumns[] = [];
  #pendingRowCount = 0;
  #appendedCount = 0;
  #badLineCount = 0;

  constructor(datastream: Datastream, options: LineAppenderOptions) {
    this.#datastream = datastream;
    this.#options = options;
  }

  get appendedCount(): number {
    return this.#appendedCount;
  }

  get badLineCount(): number {
    return this.#badLineCount;
  }

  /** @throws {BadLine} when a line of the batch is refused and bad lines end the input. */
  async add(streamId: StreamId, datapoint: ParsedDatapoint): Promise<void> {
    if (this.#pendingColumns.length > 0) await this.flush();
    this.#pending.push({ streamId, ...datapoint });
    if (this.#pending.length >= BATCH_SIZE) await this.flush();
  }

  /** Takes over the arrays, which are not empty. @throws {BadLine} as `add`. */
  async addColumns(streamId: StreamId, columns: ParsedColumns): Promise<void> {
    if (this.#pending.length > 0) await this.flush();
    this.#pendingColumns.push({ streamId, ...columns });
    this.#pendingRowCount += columns.timestamps.length;
    if (this.#pendingRowCount >= BATCH_SIZE) await this.flush();
  }

  /** Stores what is pending. @throws {BadLine} as `add`. */
  async flush(): Promise<void> {
    const pending = this.#pending;
    const pendingColumns = this.#pendingColumns;
    this.#pending = [];
    this.#pendingColumns = [];
    this.#pendingRowCount = 0;
    if (pendingColumns.length > 0) await this.#appendColumns(pendingColumns);
    else if (pending.length > 0) await this.#append(pending);
    else return;
    this.#options.onAppended?.(this.#appendedCount);
  }

  /**
   * Takes a line that could not be used. Without `onBadLine` the lines before it are stored first.
   * @throws {BadLine} when bad lines end the input.
   */
  async reject(badLine: BadLine): Promise<void> {
    if (this.#options.onBadLine === undefined) {
      await this.flush();
      throw badLine;
    }
    this.#badLineCount++;
    this.#options.onBadLine(badLine);
  }

  /** Asked for in one turn, they share a commit. What is refused is looked at line by line. */
  async #appendColumns(pending: readonly PendingColumns[]): Promise<void> {
    const options = { checkTimestamp: !this.#options.allowLate };
    const results = await Promise.allSettled(
      pending.map(({ streamId, timestamps, values }) =>
        this.#datastream.appendColumns(streamId, { timestamps, values }, options),
      ),
    );
    for (const [index, { status }] of results.entries()) {
      if (status === 'fulfilled') this.#appendedCount += pending[index]!.timestamps.length;
    }
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      if (!isAboutDatapoint(result.reason)) throw result.reason;
      await this.#append(datapointsOf(pending[index]!));
    }
  }

  async #append(datapoints: readonly PendingDatapoint[]): Promise<void> {
    try {
      await this.#store(
        datapoints.map(({ streamId, value, timestamp }) => ({ streamId, value, timestamp })),
      );
      this.#appendedCount += datapoints.length;
    } catch (error) {
      if (!isAboutDatapoint(error)) throw error;
      if (datapoints.length === 1) {
        await this.reject(new BadLine(datapoints[0]!.lineNumber, errorMessage(error)));
        return;
      }
      const middle = datapoints.length >>> 1;
      await this.#append(datapoints.slice(0, middle));
      await this.#append(datapoints.slice(middle));
    }
  }

  async #store(
    items: readonly Pick<PendingDatapoint, 'streamId' | 'value' | 'timestamp'>[],
  ): Promise<void> {
    if (this.#options.replaces) await this.#datastream.upsertMultiple(items);
    else {
      const checkTimestamp = !this.#options.allowLate;
      await this.#datastream.appendMultiple(items, { checkTimestamp });
    }
  }
}

function isAboutDatapoint(error: unknown): boolean {
  return DATAPOINT_ERROR_CODES.has(errorCodeOf(error) ?? '');
}

function datapointsOf({
  streamId,
  timestamps,
  values,
  lineNumber,
}: PendingColumns): PendingDatapoint[] {
  return Array.from(timestamps, (timestampMs, row) => {
    const value = values[row]!;
    return {
      streamId,
      lineNumber: lineNumber + row,
      timestamp: new Date(timestampMs),
      value: Number.isNaN(value) ? null : value,
    };
  });
}
