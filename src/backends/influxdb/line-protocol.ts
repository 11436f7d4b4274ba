import { assert } from '../../model/assert.ts';
import type { Block } from '../../model/block.ts';
import { VALUE_COLUMN } from '../../model/block.ts';
import { escapeMeasurement, floatText, quoteField } from './influx-text.ts';

/** Numbers of numeric streams. */
export const NUMBER_FIELD = 'v';
/** JSON text of the values of other streams. */
export const JSON_FIELD = 'j';
/** Says of a row without either that it is there, with no data. */
export const NULL_FIELD = 'n';

/** Larger requests are hardly quicker, and smaller ones wait for each other. */
const REQUEST_LINE_COUNT_MAX = 10_000;
const REQUEST_SIZE_MAX = 4_000_000;

/** Gathers lines into requests of a bounded size, in their order. */
export class LineBatch {
  readonly #requests: string[] = [];
  #text = '';
  #lineCount = 0;

  /** One row of a numeric stream; NaN is null. */
  addNumber(measurement: string, timestampMs: number, value: number): void {
    const fields = Number.isNaN(value) ? `${NULL_FIELD}=t` : `${NUMBER_FIELD}=${floatText(value)}`;
    this.#add(`${escapeMeasurement(measurement)} ${fields} ${timestampMs}\n`);
  }

  /** Rows of one stream: numbers in a `Float64Array`, any other values as JSON. */
  addRows(measurement: string, { timestamps, columns }: Block): void {
    if (timestamps.length === 0) return;
    const name = escapeMeasurement(measurement);
    const values = columns[VALUE_COLUMN]!;
    for (let row = 0; row < timestamps.length; row++) {
      this.#add(`${name} ${fieldOf(values[row])} ${timestamps[row]}\n`);
    }
  }

  /** The requests so far; the batch is empty afterwards. */
  take(): readonly string[] {
    this.#close();
    return this.#requests.splice(0);
  }

  #add(line: string): void {
    this.#text += line;
    this.#lineCount++;
    const isFull =
      this.#lineCount >= REQUEST_LINE_COUNT_MAX || this.#text.length >= REQUEST_SIZE_MAX;
    if (isFull) this.#close();
  }

  #close(): void {
    if (this.#lineCount > 0) this.#requests.push(this.#text);
    this.#text = '';
    this.#lineCount = 0;
  }
}

function fieldOf(value: unknown): string {
  if (value === null || Number.isNaN(value)) return `${NULL_FIELD}=t`;
  if (typeof value === 'number') return `${NUMBER_FIELD}=${floatText(value)}`;
  assert(typeof value === 'string', 'a value that is no number comes as JSON text');
  return `${JSON_FIELD}=${quoteField(value)}`;
}
