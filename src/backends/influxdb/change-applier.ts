import { type Block, VALUE_COLUMN } from '../../model/block.ts';
import type { StreamId } from '../../model/stream.ts';
import type { TimeRange } from '../../model/time-range.ts';
import type { InfluxHttp } from './influx-http.ts';
import { quoteName } from './influx-text.ts';
import { JSON_FIELD, LineBatch, NULL_FIELD, NUMBER_FIELD } from './line-protocol.ts';
import type { PendingChange, ReplaceChange, RowsChange } from './pending-change.ts';

/** A range with more rows than this is emptied before it is filled, without a look at what is there. */
const LOOK_ROW_COUNT_MAX = 20_000;
/** Each deleted span costs the server a pass over its shards: more of them, and the whole range goes. */
const DELETE_COUNT_MAX = 8;

/** Statements of one request. */
const STATEMENT_COUNT_MAX = 50;

interface StoredRow {
  readonly timestampMs: number;
  readonly isNull: boolean;
}

/**
 * Carries out changes in their order. Rows that stand beside or over others go in large requests; what has
 * to be deleted first waits for them. Whoever calls sees to it that nobody else does so at the same time.
 */
export class ChangeApplier {
  readonly #http: InfluxHttp;
  readonly #lines = new LineBatch();
  /** Streams with lines that wait: those of a stream that is there twice go one after the other. */
  readonly #waiting = new Set<StreamId>();
  #hasRepeats = false;

  constructor(http: InfluxHttp) {
    this.#http = http;
  }

  /** Takes changes on; they are carried out at the latest when `finish` resolves. */
  async add(changes: Iterable<PendingChange>): Promise<void> {
    for (const change of changes) {
      switch (change.kind) {
        case 'tick':
          this.#addTick(change.streamIds, change);
          break;
        case 'rows':
          await this.#addRows(change);
          break;
        case 'replace':
          await this.#replace(change);
          break;
        case 'drop':
          await this.#send();
          await this.#http.execute(`DROP MEASUREMENT ${quoteName(change.streamId)}`);
          break;
      }
    }
  }

  async finish(): Promise<void> {
    await this.#send();
  }

  #addTick(
    streamIds: readonly StreamId[],
    { timestampMs, values }: { readonly timestampMs: number; readonly values: Float64Array },
  ): void {
    for (let index = 0; index < streamIds.length; index++) {
      this.#note(streamIds[index]!);
      this.#lines.addNumber(streamIds[index]!, timestampMs, values[index]!);
    }
  }

  async #addRows({ streamId, isFresh, block }: RowsChange): Promise<void> {
    if (!isFresh) await this.#deleteUnder(streamId, nullRowsOf(block));
    this.#note(streamId);
    this.#lines.addRows(streamId, block);
  }

  async #replace({ streamId, range, block }: ReplaceChange): Promise<void> {
    const stored = await this.#storedRows(streamId, range);
    const spans = stored === null ? null : spansToDelete(stored, block);
    await this.#delete(streamId, spans === null ? [range] : spans);
    this.#note(streamId);
    this.#lines.addRows(streamId, block);
  }

  /** A field that a line does not name stays: a value would outlive the null that comes over it. */
  async #deleteUnder(streamId: StreamId, nulls: readonly number[]): Promise<void> {
    const isOverwritten = new Set(nulls);
    let startMs = nulls[0] ?? Number.POSITIVE_INFINITY;
    const lastMs = nulls.at(-1) ?? Number.NEGATIVE_INFINITY;
    while (startMs <= lastMs) {
      await this.#send();
      const { rows } = await this.#http.rows(
        `SELECT ${NUMBER_FIELD}, ${JSON_FIELD} FROM ${this.#http.source(streamId)}
        WHERE time >= ${startMs}ms AND time <= ${lastMs}ms LIMIT ${LOOK_ROW_COUNT_MAX}`,
      );
      const doomed = rows.map(([timestampMs]) => timestampMs as number);
      const spans = doomed
        .filter((timestampMs) => isOverwritten.has(timestampMs))
        .map((timestampMs) => ({ startMs: timestampMs, endMs: timestampMs + 1 }));
      await this.#delete(streamId, spans);
      startMs = doomed.length === 0 ? Number.POSITIVE_INFINITY : doomed.at(-1)! + 1;
    }
  }

  /** What the range holds; null when that is more than a look is worth. */
  async #storedRows(
    streamId: StreamId,
    { startMs, endMs }: TimeRange,
  ): Promise<readonly StoredRow[] | null> {
    await this.#send();
    const { rows, isCut } = await this.#http.rows(
      `SELECT ${NUMBER_FIELD}, ${JSON_FIELD}, ${NULL_FIELD} FROM ${this.#http.source(streamId)}
      WHERE time >= ${startMs}ms AND time < ${endMs}ms LIMIT ${LOOK_ROW_COUNT_MAX}`,
    );
    if (isCut || rows.length === LOOK_ROW_COUNT_MAX) return null;
    return rows.map(([timestampMs, number, json]) => ({
      timestampMs: timestampMs as number,
      isNull: number === null && json === null,
    }));
  }

  async #delete(streamId: StreamId, spans: readonly TimeRange[]): Promise<void> {
    await this.#send();
    for (let from = 0; from < spans.length; from += STATEMENT_COUNT_MAX) {
      const statements = spans
        .slice(from, from + STATEMENT_COUNT_MAX)
        .map(
          ({ startMs, endMs }) =>
            `DELETE FROM ${quoteName(streamId)} WHERE time >= ${startMs}ms AND time < ${endMs}ms`,
        );
      await this.#http.execute(statements.join('; '));
    }
  }

  #note(streamId: StreamId): void {
    if (this.#waiting.has(streamId)) this.#hasRepeats = true;
    this.#waiting.add(streamId);
  }

  async #send(): Promise<void> {
    const requests = this.#lines.take();
    const isOrdered = this.#hasRepeats;
    this.#waiting.clear();
    this.#hasRepeats = false;
    if (isOrdered) {
      for (const request of requests) await this.#http.write(request);
      return;
    }
    // All have to end before anything else is done, also when one fails.
    const writes = await Promise.allSettled(requests.map((request) => this.#http.write(request)));
    const failed = writes.find((write) => write.status === 'rejected');
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
  }
}

function nullRowsOf({ timestamps, columns }: Block): readonly number[] {
  const values = columns[VALUE_COLUMN] ?? [];
  const nulls: number[] = [];
  for (let row = 0; row < timestamps.length; row++) {
    const value = values[row];
    if (value === null || Number.isNaN(value)) nulls.push(timestamps[row]!);
  }
  return nulls;
}

/**
 * The spans that have to be emptied before the block is written over the stored rows: those of rows that
 * the block does not overwrite. Neighbours share a span. Null: too many of them.
 */
function spansToDelete(stored: readonly StoredRow[], block: Block): readonly TimeRange[] | null {
  const nulls = new Set(nullRowsOf(block));
  const kept = new Set(block.timestamps);
  const spans: { startMs: number; endMs: number }[] = [];
  let isOpen = false;
  for (const { timestampMs, isNull } of stored) {
    const isOverwritten = kept.has(timestampMs) && (isNull || !nulls.has(timestampMs));
    if (isOverwritten) {
      isOpen = false;
    } else if (isOpen) {
      spans.at(-1)!.endMs = timestampMs + 1;
    } else {
      spans.push({ startMs: timestampMs, endMs: timestampMs + 1 });
      isOpen = true;
    }
  }
  return spans.length > DELETE_COUNT_MAX ? null : spans;
}
