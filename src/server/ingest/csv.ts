import { parse } from 'csv-parse/sync';
import { checkTags } from '../../api/tag-checks.ts';
import { epochMs, isoTimeMs } from '../../text/time.ts';
import { decimalAt } from './byte-numbers.ts';
import { type IngestBatch, SeriesSlot } from './ingest-batch.ts';
import { type BodyParser, LineFeed, type LineOutcome, OPEN } from './line-feed.ts';
import { abbreviate } from './problems.ts';
import { type Series, seriesOfStream, seriesOfTags } from './series.ts';
import { type SeriesMemory, slotOf } from './series-memory.ts';

const TIME_NAMES: ReadonlySet<string> = new Set(['timestamp', 'time', 't']);
const VALUE_NAMES: ReadonlySet<string> = new Set(['value', 'v']);
const NO_DATA: ReadonlySet<string> = new Set(['', 'null', 'nan']);
const TIME_MAX_MS = 8.64e15;

export interface CsvOptions {
  /** What rows belong to that name no stream and no tags; null where they have to. */
  readonly series: Series | null;
  /** false: there is no header, and the columns are timestamp and value. */
  readonly hasHeader: boolean;
  /** What numbers are: `any` are seconds where their size is below 1e11. */
  readonly epoch: 'any' | 'milliseconds';
  /** Whether values are numbers, or texts as they stand there. */
  readonly values: 'numeric' | 'nominal';
  /** Of rows whose timestamp is empty. */
  readonly nowMs: number;
  readonly recordSizeMaxBytes: number;
  /** Kept from request to request. */
  readonly memory: SeriesMemory<SeriesSlot>;
}

/** What the columns of a header are. */
interface CsvColumns {
  readonly count: number;
  readonly time: number;
  readonly value: number;
  /** -1 when there is none. */
  readonly stream: number;
  readonly tags: readonly { readonly name: string; readonly column: number }[];
}

const TWO_COLUMNS: CsvColumns = { count: 2, time: 0, value: 1, stream: -1, tags: [] };

/**
 * Reads CSV as RFC 4180 has it: a header with `timestamp`, `value`, and `stream` (an id) or names of tags, then a
 * datapoint in each row. An empty tag is none.
 */
export class CsvParser implements BodyParser {
  readonly #batch: IngestBatch;
  readonly #options: CsvOptions;
  readonly #feed: LineFeed;
  readonly #ownSlot: SeriesSlot | null;
  #columns: CsvColumns | null;
  /** Why no row can be read: the header is wrong. */
  #headerProblem: string | null = null;

  constructor(batch: IngestBatch, options: CsvOptions) {
    this.#batch = batch;
    this.#options = options;
    this.#ownSlot = options.series && new SeriesSlot(options.series);
    this.#columns = options.hasHeader ? null : TWO_COLUMNS;
    this.#feed = new LineFeed(batch, {
      read: (bytes, from, to) => this.#readRecord(bytes, from, to),
      recordSizeMaxBytes: options.recordSizeMaxBytes,
    });
  }

  push(bytes: Uint8Array): void {
    this.#feed.push(bytes);
  }

  end(): void {
    this.#feed.end();
  }

  #readRecord(bytes: Buffer, from: number, to: number): LineOutcome {
    if (from === to) return null;
    const text = bytes.toString('utf8', from, to);
    const hasQuotes = text.includes('"');
    if (hasQuotes && text.split('"').length % 2 === 0) return OPEN;
    const cells = hasQuotes ? quotedCells(text) : text.split(',');
    if (cells === null) return `The quotation marks are not in place: ${abbreviate(text)}.`;
    if (this.#headerProblem !== null) return this.#headerProblem;
    if (this.#columns !== null) return this.#readRow(cells, this.#columns);
    const columns = columnsOf(cells, this.#ownSlot !== null);
    if (typeof columns === 'string') {
      this.#headerProblem = `The rows cannot be read: ${columns}`;
      return columns;
    }
    this.#columns = columns;
    return null;
  }

  #readRow(cells: readonly string[], columns: CsvColumns): LineOutcome {
    if (cells.length !== columns.count) {
      return `There are ${cells.length} columns: expected ${columns.count}.`;
    }
    const timestampMs = this.#instantOf(cells[columns.time]!.trim());
    if (Number.isNaN(timestampMs)) {
      return `${abbreviate(cells[columns.time]!)} is not a timestamp: expected ISO 8601, or a number since the epoch.`;
    }
    const value = this.#valueOf(cells[columns.value]!);
    if (value === undefined) {
      return `${abbreviate(cells[columns.value]!)} is no value: expected a number, or nothing for no data.`;
    }
    const slot = this.#slotOf(cells, columns);
    if (typeof slot === 'string') return slot;
    this.#batch.addAny(slot, timestampMs, value);
    return null;
  }

  #instantOf(text: string): number {
    if (text === '') return this.#options.nowMs;
    const isoMs = isoTimeMs(text);
    if (isoMs !== null) return isoMs;
    const number = decimalAt(Buffer.from(text, 'latin1'), 0, text.length);
    const timestampMs = this.#options.epoch === 'any' ? epochMs(number) : number;
    return Math.abs(timestampMs) <= TIME_MAX_MS ? timestampMs : Number.NaN;
  }

  /** Undefined when it is none. */
  #valueOf(text: string): number | string | null | undefined {
    if (this.#options.values === 'nominal') return text;
    const trimmed = text.trim();
    if (NO_DATA.has(trimmed.toLowerCase())) return null;
    const bytes = Buffer.from(trimmed, 'latin1');
    const number = decimalAt(bytes, 0, bytes.length);
    return Number.isNaN(number) ? undefined : number;
  }

  #slotOf(cells: readonly string[], { stream, tags }: CsvColumns): SeriesSlot | string {
    const { memory } = this.#options;
    const id = cells[stream]?.trim();
    if (id !== undefined && id !== '') return slotOf(memory, `id:${id}`, () => seriesOfStream(id));
    const given = tags.filter(({ column }) => cells[column] !== '');
    if (given.length === 0) {
      return this.#ownSlot ?? 'The row names no stream and has no tags.';
    }
    const own = Object.fromEntries(given.map(({ name, column }) => [name, cells[column]!]));
    return slotOf(memory, `tags:${JSON.stringify(own)}`, () => seriesOfTags(own));
  }
}

/** What the names of a header mean; a text says what is wrong with them. */
function columnsOf(header: readonly string[], hasSeries: boolean): CsvColumns | string {
  const names = header.map((name) => name.trim());
  const lower = names.map((name) => name.toLowerCase());
  const time = lower.findIndex((name) => TIME_NAMES.has(name));
  const value = lower.findIndex((name) => VALUE_NAMES.has(name));
  if (time < 0 || value < 0) {
    return `expected a header with the columns timestamp and value, not ${abbreviate(names.join(','))}.`;
  }
  const stream = lower.indexOf('stream');
  const tags = names.flatMap((name, column) =>
    [time, value, stream].includes(column) ? [] : [{ name, column }],
  );
  const tagNames = tags.map(({ name }) => name);
  if (new Set(tagNames).size < tagNames.length || tagNames.includes('')) {
    return 'every column needs a name of its own.';
  }
  try {
    checkTags(Object.fromEntries(tagNames.map((name) => [name, ''])), 'tags');
  } catch (error) {
    return (error as Error).message;
  }
  if (stream < 0 && tags.length === 0 && !hasSeries) {
    return 'expected a column stream, or columns of tags: nothing says where the datapoints belong.';
  }
  return { count: names.length, time, value, stream, tags };
}

/** Cells of a record with quotation marks; null when they are not in place. */
function quotedCells(text: string): readonly string[] | null {
  try {
    const [cells] = parse(text, { relax_column_count: true }) as string[][];
    return cells ?? null;
  } catch {
    return null;
  }
}
