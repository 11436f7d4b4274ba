import { PROBLEM, type Problems } from './problems.ts';
import type { Series } from './series.ts';

const FIRST_ROW_COUNT_MAX = 1024;

/** A series that a parser remembers, with its place in the batch that is being filled. */
export class SeriesSlot {
  readonly series: Series;
  filling: number | null = null;
  index = 0;

  constructor(series: Series) {
    this.series = series;
  }
}

/** Rows of one series, in the order in which they came. */
export interface SeriesRows {
  readonly series: Series;
  /** Epoch milliseconds, not yet cut to what the stream stores. */
  readonly timestamps: Float64Array;
  /** Finite numbers, NaN for no data; an array where there is something else among them, null for no data. */
  readonly values: Float64Array | readonly unknown[];
  readonly lines: Float64Array;
}

let fillingCount = 0;

/**
 * Rows of many series as parsers find them: flat columns, so that there is no object for a row. Rows are taken
 * out by series.
 */
export class IngestBatch {
  readonly problems: Problems;
  /** The line that is being read, from 1. */
  line = 0;
  #rowCount = 0;
  #timestamps = new Float64Array(FIRST_ROW_COUNT_MAX);
  #values = new Float64Array(FIRST_ROW_COUNT_MAX);
  #lines = new Float64Array(FIRST_ROW_COUNT_MAX);
  #indexes = new Uint32Array(FIRST_ROW_COUNT_MAX);
  /** Values that are no numbers, by row. */
  #others = new Map<number, unknown>();
  #series: Series[] = [];
  #indexOfKey = new Map<string, number>();
  /** Of this batch alone, and of these rows: a slot knows by it whether its index is one of here. */
  #filling = ++fillingCount;

  constructor(problems: Problems) {
    this.problems = problems;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** @param value a finite number, or NaN for no data. */
  add(slot: SeriesSlot, timestampMs: number, value: number): void {
    const row = this.#rowCount;
    if (row === this.#timestamps.length) this.#grow();
    this.#indexes[row] = slot.filling === this.#filling ? slot.index : this.#place(slot);
    this.#timestamps[row] = timestampMs;
    this.#values[row] = value;
    this.#lines[row] = this.line;
    this.#rowCount = row + 1;
  }

  /** As `add`, of anything that a stream may hold. */
  addAny(slot: SeriesSlot, timestampMs: number, value: unknown): void {
    if (typeof value === 'number') this.add(slot, timestampMs, value);
    else if (value === null) this.add(slot, timestampMs, Number.NaN);
    else {
      this.#others.set(this.#rowCount, value);
      this.add(slot, timestampMs, Number.NaN);
    }
  }

  /** Says that the line that is being read is not stored. */
  refuseLine(detail: string, code: string = PROBLEM.invalid): void {
    this.problems.add({ line: this.line, code, detail });
  }

  /** Takes all rows out, series in the order of their first rows. */
  take(): readonly SeriesRows[] {
    const starts = this.#startsOfSeries();
    const timestamps = new Float64Array(this.#rowCount);
    const values = new Float64Array(this.#rowCount);
    const lines = new Float64Array(this.#rowCount);
    const nextRows = starts.slice();
    const others = new Map<number, unknown>();
    for (let row = 0; row < this.#rowCount; row++) {
      const place = nextRows[this.#indexes[row]!]!++;
      timestamps[place] = this.#timestamps[row]!;
      values[place] = this.#values[row]!;
      lines[place] = this.#lines[row]!;
      if (this.#others.has(row)) others.set(place, this.#others.get(row));
    }
    const otherIndexes = new Set(Array.from(this.#others.keys(), (row) => this.#indexes[row]!));
    const taken = this.#series.map((series, index): SeriesRows => {
      const from = starts[index]!;
      const to = nextRows[index]!;
      return {
        series,
        timestamps: timestamps.subarray(from, to),
        values: otherIndexes.has(index)
          ? mixedValues(values.subarray(from, to), { others, from })
          : values.subarray(from, to),
        lines: lines.subarray(from, to),
      };
    });
    this.#clear();
    return taken;
  }

  #startsOfSeries(): Uint32Array {
    const starts = new Uint32Array(this.#series.length + 1);
    for (let row = 0; row < this.#rowCount; row++) starts[this.#indexes[row]! + 1]!++;
    for (let index = 1; index < starts.length; index++) starts[index]! += starts[index - 1]!;
    return starts;
  }

  #clear(): void {
    this.#rowCount = 0;
    this.#others = new Map();
    this.#series = [];
    this.#indexOfKey = new Map();
    this.#filling = ++fillingCount;
  }

  #place(slot: SeriesSlot): number {
    const { key } = slot.series;
    let index = this.#indexOfKey.get(key);
    if (index === undefined) {
      index = this.#series.length;
      this.#series.push(slot.series);
      this.#indexOfKey.set(key, index);
    }
    slot.filling = this.#filling;
    slot.index = index;
    return index;
  }

  #grow(): void {
    const rowCountMax = this.#timestamps.length * 2;
    this.#timestamps = grown(this.#timestamps, new Float64Array(rowCountMax));
    this.#values = grown(this.#values, new Float64Array(rowCountMax));
    this.#lines = grown(this.#lines, new Float64Array(rowCountMax));
    this.#indexes = grown(this.#indexes, new Uint32Array(rowCountMax));
  }
}

function grown<A extends Float64Array | Uint32Array>(array: A, larger: A): A {
  larger.set(array);
  return larger;
}

function mixedValues(
  numbers: Float64Array,
  { others, from }: { readonly others: ReadonlyMap<number, unknown>; readonly from: number },
): readonly unknown[] {
  return Array.from(numbers, (number, row) => {
    const other = others.get(from + row);
    if (other !== undefined) return other;
    return Number.isNaN(number) ? null : number;
  });
}
