import type { Datastream } from '../../api/datastream.ts';
import type { AppendOptions } from '../../api/types.ts';
import { type Duplicates, sortRows } from './duplicate-rows.ts';
import type { KnownStream, KnownStreams } from './known-streams.ts';
import { mayNotReplace } from './problems.ts';
import { cutMs, pickRows, type Rows, sliceRows, valueAt } from './rows.ts';
import { storedAtRows } from './stored-rows.ts';
import { untilUnchanged } from './until-unchanged.ts';
import { type Refusal, refusalOf } from './write-errors.ts';
import type { WriteOptions } from './write-options.ts';
import type { WriteReport } from './write-report.ts';

const LATE = Object.freeze({ checkTimestamp: false });

export interface RowWriterParts {
  readonly datastream: Datastream;
  readonly streams: KnownStreams;
  readonly report: WriteReport;
  readonly mayReplace: WriteOptions['mayReplace'];
  /** Takes rows that could not be stored because the stream is not there any more. */
  readonly onGone: (rows: Rows) => void;
}

/** Writes rows of one stream that may be late, stored already, or wrong: each counts once in the report. */
export class RowWriter {
  readonly #parts: RowWriterParts;
  readonly #stream: KnownStream;

  constructor(stream: KnownStream, parts: RowWriterParts) {
    this.#stream = stream;
    this.#parts = parts;
  }

  /** @throws {StreamAppendContended} when others changed the stream on each try; a repeat of the request goes on. */
  async write(rows: Rows, duplicates: Duplicates): Promise<void> {
    if (duplicates === 'keep') return this.#store(rows, 'append');
    await untilUnchanged(() => this.#writeCompared(rows, duplicates));
  }

  /**
   * Writes what the stream has not. What is added is stored only if the stream is still what it was compared with:
   * another process may write the same.
   */
  async #writeCompared(rows: Rows, duplicates: 'skip' | 'replace'): Promise<void> {
    const { report, onGone } = this.#parts;
    const found = await this.#stored(rows);
    if (found === null) return onGone(rows);
    const storedMs = [...found.stored].flatMap(([timestampMs, values]) =>
      values.length > 0 ? [timestampMs] : [],
    );
    const sorted = sortRows(this.#stream, rows, { duplicates, stored: found.stored });
    const added = pickRows(rows, sorted.added);
    const refusal = await this.#addAt(found.version, added);
    for (const timestampMs of storedMs) report.noteStored(timestampMs);
    report.duplicateCount += sorted.duplicateCount;
    report.acceptedCount += sorted.replacedCount;
    if (refusal !== null)
      await this.#refused(added, refusal, (part) => this.write(part, duplicates));
    const replacing = pickRows(rows, sorted.replacing);
    if (sorted.replacing.length > 0 && !this.#parts.mayReplace(this.#stream)) {
      report.problems.addAll(replacing.lines, mayNotReplace(this.#stream.id));
    } else await this.#store(replacing, 'upsert');
  }

  /** What the stream has at the timestamps of the rows, and at which version; null when the stream is gone. */
  async #stored(
    rows: Rows,
  ): Promise<{ readonly stored: Map<number, unknown[]>; readonly version: string } | null> {
    const { datastream, streams } = this.#parts;
    try {
      const version = await streams.refresh(this.#stream);
      return { stored: await storedAtRows(datastream, this.#stream, rows), version };
    } catch (error) {
      if (refusalOf(error)?.code !== 'STREAM_NOT_FOUND') throw error;
      return null;
    }
  }

  /** @returns why nothing is stored; null when everything is. @throws {StreamAppendContended} at another version. */
  async #addAt(version: string, rows: Rows): Promise<Refusal | null> {
    if (rows.timestamps.length === 0) return null;
    try {
      await this.#append(rows, { ...LATE, expectVersions: { [this.#stream.id]: version } });
      this.#noteStored(rows);
      return null;
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      return refusal;
    }
  }

  async #store(rows: Rows, way: 'append' | 'upsert'): Promise<void> {
    if (rows.timestamps.length === 0) return;
    try {
      await (way === 'append' ? this.#append(rows, LATE) : this.#upsert(rows));
      this.#noteStored(rows);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      await this.#refused(rows, refusal, (part) => this.#store(part, way));
    }
  }

  /** Rows that are refused together are halved, until those are found that are wrong. */
  async #refused(
    rows: Rows,
    refusal: Refusal,
    again: (part: Rows) => Promise<void>,
  ): Promise<void> {
    const rowCount = rows.timestamps.length;
    if (refusal.code === 'STREAM_NOT_FOUND') this.#parts.onGone(rows);
    else if (refusal.about === 'stream' || rowCount === 1) {
      this.#parts.report.problems.addAll(rows.lines, refusal);
    } else {
      const middle = rowCount >>> 1;
      await again(sliceRows(rows, 0, middle));
      await again(sliceRows(rows, middle, rowCount));
    }
  }

  #append({ timestamps, values }: Rows, options: AppendOptions): Promise<void> {
    return this.#parts.datastream.appendColumns(this.#stream.id, { timestamps, values }, options);
  }

  #upsert(rows: Rows): Promise<void> {
    return this.#parts.datastream.upsertMultiple(
      Array.from(rows.timestamps, (timestamp, row) => ({
        streamId: this.#stream.id,
        value: valueAt(rows, row),
        timestamp,
      })),
    );
  }

  #noteStored({ timestamps }: Rows): void {
    const { report, streams } = this.#parts;
    report.acceptedCount += timestamps.length;
    for (const givenMs of timestamps) {
      const timestampMs = cutMs(givenMs, this.#stream.stepMs);
      report.noteStored(timestampMs);
      streams.noteStored(this.#stream, timestampMs);
    }
  }
}
