import type { Datastream } from '../../api/datastream.ts';
import { type Duplicates, sortRows } from './duplicate-rows.ts';
import type { KnownStream, KnownStreams } from './known-streams.ts';
import { mayNotReplace } from './problems.ts';
import { cutMs, pickRows, type Rows, sliceRows, valueAt } from './rows.ts';
import { storedAtRows } from './stored-rows.ts';
import { refusalOf } from './write-errors.ts';
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

  async write(rows: Rows, duplicates: Duplicates): Promise<void> {
    if (duplicates === 'keep') return this.#store(rows, 'append');
    const { report, onGone } = this.#parts;
    const stored = await this.#stored(rows);
    if (stored === null) return onGone(rows);
    for (const [timestampMs, values] of stored) {
      if (values.length > 0) report.noteStored(timestampMs);
    }
    const sorted = sortRows(this.#stream, rows, { duplicates, stored });
    report.duplicateCount += sorted.duplicateCount;
    report.acceptedCount += sorted.replacedCount;
    await this.#store(pickRows(rows, sorted.added), 'append');
    const replacing = pickRows(rows, sorted.replacing);
    if (sorted.replacing.length > 0 && !this.#parts.mayReplace(this.#stream)) {
      report.problems.addAll(replacing.lines, mayNotReplace(this.#stream.id));
    } else await this.#store(replacing, 'upsert');
  }

  /** What the stream has at the timestamps of the rows; null when the stream is gone. */
  async #stored(rows: Rows): Promise<Map<number, unknown[]> | null> {
    const { datastream, streams } = this.#parts;
    try {
      await streams.refresh(this.#stream);
      return await storedAtRows(datastream, this.#stream, rows);
    } catch (error) {
      if (refusalOf(error)?.code !== 'STREAM_NOT_FOUND') throw error;
      return null;
    }
  }

  /** Rows that are refused together are halved, until those are found that are wrong. */
  async #store(rows: Rows, way: 'append' | 'upsert'): Promise<void> {
    const rowCount = rows.timestamps.length;
    if (rowCount === 0) return;
    try {
      await (way === 'append' ? this.#append(rows) : this.#upsert(rows));
      this.#noteStored(rows);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      if (refusal.code === 'STREAM_NOT_FOUND') this.#parts.onGone(rows);
      else if (refusal.about === 'stream' || rowCount === 1) {
        this.#parts.report.problems.addAll(rows.lines, refusal);
      } else {
        const middle = rowCount >>> 1;
        await this.#store(sliceRows(rows, 0, middle), way);
        await this.#store(sliceRows(rows, middle, rowCount), way);
      }
    }
  }

  #append({ timestamps, values }: Rows): Promise<void> {
    return this.#parts.datastream.appendColumns(this.#stream.id, { timestamps, values }, LATE);
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
