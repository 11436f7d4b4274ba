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

/**
 * Appends parsed lines in batches. A batch that the engine refuses is halved until the refused line is
 * alone: lines before it are stored, and the line is reported by its number.
 */
export class LineAppender {
  readonly #datastream: Datastream;
  readonly #options: LineAppenderOptions;
  #pending: PendingDatapoint[] = [];
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
    this.#pending.push({ streamId, ...datapoint });
    if (this.#pending.length >= BATCH_SIZE) await this.flush();
  }

  /** Stores what is pending. @throws {BadLine} as `add`. */
  async flush(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length === 0) return;
    await this.#append(pending);
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

  async #append(datapoints: readonly PendingDatapoint[]): Promise<void> {
    try {
      await this.#store(
        datapoints.map(({ streamId, value, timestamp }) => ({ streamId, value, timestamp })),
      );
      this.#appendedCount += datapoints.length;
    } catch (error) {
      if (!DATAPOINT_ERROR_CODES.has(errorCodeOf(error) ?? '')) throw error;
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
