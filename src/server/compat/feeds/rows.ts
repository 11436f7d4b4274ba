import type { Datastream } from '../../../api/datastream.ts';
import type { Stream } from '../../../api/types.ts';
import { TIME_MAX_MS, TIME_MIN_MS } from '../../../model/time-range.ts';
import { instantOfRow, rowId } from './inputs.ts';

/** A number that was posted. */
export interface Row {
  readonly id: number;
  readonly timestampMs: number;
  /** Null: no data. */
  readonly value: number | null;
}

/** The rows of an axis, where they are: raw datapoints of a stream. */
export class Rows {
  readonly #datastream: Datastream;
  readonly #stream: Stream;

  constructor(datastream: Datastream, stream: Stream) {
    this.#datastream = datastream;
    this.#stream = stream;
  }

  /** The instant that x becomes: streams may keep whole seconds. */
  cut(timestampMs: number): number {
    return this.#stream.highestGranularity.bucketStart(timestampMs).getTime();
  }

  count(): Promise<number> {
    return this.#data(TIME_MIN_MS, TIME_MAX_MS).count();
  }

  /** From an instant on, by id. */
  async *from(startMs: number): AsyncGenerator<Row, void, undefined> {
    let lastMs = Number.NaN;
    let nth = 0;
    const data = this.#data(startMs, TIME_MAX_MS);
    for await (const { timestamps, values } of data.columnBlocks()) {
      for (let row = 0; row < timestamps.length; row++) {
        const timestampMs = timestamps[row]!;
        nth = timestampMs === lastMs ? nth + 1 : 0;
        lastMs = timestampMs;
        yield { id: rowId(timestampMs, nth), timestampMs, value: numberOf(values![row]) };
      }
    }
  }

  /** The first rows behind one, by id, that are not from before an instant. */
  async after(
    id: number,
    { startMs, limit }: { readonly startMs: number; readonly limit: number },
  ): Promise<readonly Row[]> {
    const rows: Row[] = [];
    const fromMs = Math.max(instantOfRow(id), startMs, TIME_MIN_MS);
    for await (const row of this.from(fromMs)) {
      if (row.id <= id) continue;
      if (rows.length === limit) break;
      rows.push(row);
    }
    return rows;
  }

  /** The last rows that are not from before an instant, by id. */
  async last(count: number, { startMs }: { readonly startMs: number }): Promise<readonly Row[]> {
    const [first] = await this.#data(Math.max(startMs, TIME_MIN_MS), TIME_MAX_MS, true)
      .slice(count - 1, count)
      .toArray();
    // Rows of one instant have their ids by their order in it: all of it is read.
    const fromMs = first === undefined ? startMs : (first.t as Date).getTime();
    const rows: Row[] = [];
    for await (const row of this.from(Math.max(fromMs, TIME_MIN_MS))) rows.push(row);
    return rows.slice(-count);
  }

  /** Those of one instant, in the order of their ids. */
  async at(timestampMs: number): Promise<readonly Row[]> {
    const rows = await this.#data(timestampMs, timestampMs).toArray();
    return rows.map(({ v }, nth) => ({
      id: rowId(timestampMs, nth),
      timestampMs,
      value: numberOf(v),
    }));
  }

  #data(start: number, end: number, reverse = false) {
    const { id, highestGranularity } = this.#stream;
    return this.#datastream.getData(id, highestGranularity, { start, end, reverse });
  }
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
