import { decimalAt } from './byte-numbers.ts';
import type { IngestBatch, SeriesSlot } from './ingest-batch.ts';
import { type BodyParser, LineFeed, type LineOutcome } from './line-feed.ts';
import { abbreviate } from './problems.ts';
import { foreignTags, namedSeries, type Series } from './series.ts';
import { type SeriesMemory, slotOf } from './series-memory.ts';

const [TAB, SPACE, SEMICOLON] = [0x09, 0x20, 0x3b];
const TIME_MAX_MS = 8.64e15;
const NO_DATA = /^[+-]?nan$/i;

export interface GraphiteOptions {
  /** Of lines with the timestamp -1 or N. */
  readonly nowMs: () => number;
  readonly recordSizeMaxBytes: number;
  /** Kept from request to request, of paths alone. */
  readonly memory: SeriesMemory<SeriesSlot>;
}

/**
 * Reads the plaintext of Graphite: `path value timestamp`, the path with tags as in `disk.used;host=a`, the timestamp
 * in seconds.
 * @see https://graphite.readthedocs.io/en/stable/feeding-carbon.html
 */
export class GraphiteParser implements BodyParser {
  readonly #batch: IngestBatch;
  readonly #options: GraphiteOptions;
  readonly #feed: LineFeed;

  constructor(batch: IngestBatch, options: GraphiteOptions) {
    this.#batch = batch;
    this.#options = options;
    this.#feed = new LineFeed(batch, {
      read: (bytes, from, to) => this.#readLine(bytes, from, to),
      recordSizeMaxBytes: options.recordSizeMaxBytes,
    });
  }

  push(bytes: Uint8Array): void {
    this.#feed.push(bytes);
  }

  end(): void {
    this.#feed.end();
  }

  #readLine(bytes: Buffer, from: number, to: number): LineOutcome {
    const pathAt = skipBlanks(bytes, from, to);
    if (pathAt === to) return null;
    const pathEnd = wordEnd(bytes, pathAt, to);
    const valueAt = skipBlanks(bytes, pathEnd, to);
    const valueEnd = wordEnd(bytes, valueAt, to);
    const timeAt = skipBlanks(bytes, valueEnd, to);
    const timeEnd = wordEnd(bytes, timeAt, to);
    if (timeAt === timeEnd || skipBlanks(bytes, timeEnd, to) !== to) {
      return `Expected a path, a value and a timestamp, not ${textAt(bytes, pathAt, to)}.`;
    }
    if (bytes[pathAt] === SEMICOLON) {
      return `Expected a path before the tags of ${textAt(bytes, pathAt, pathEnd)}.`;
    }
    const value = decimalAt(bytes, valueAt, valueEnd);
    if (Number.isNaN(value) && !NO_DATA.test(bytes.toString('latin1', valueAt, valueEnd))) {
      return `${textAt(bytes, valueAt, valueEnd)} is no value: expected a finite number, or nan for no data.`;
    }
    const timestampMs = this.#instantAt(bytes, timeAt, timeEnd);
    if (Number.isNaN(timestampMs)) {
      return `${textAt(bytes, timeAt, timeEnd)} is not a timestamp: expected seconds, or -1 for now.`;
    }
    const slot = slotOf(this.#options.memory, bytes.toString('latin1', pathAt, pathEnd), () =>
      graphiteSeries(bytes.toString('utf8', pathAt, pathEnd)),
    );
    this.#batch.add(slot, timestampMs, value);
    return null;
  }

  #instantAt(bytes: Buffer, from: number, to: number): number {
    const seconds = decimalAt(bytes, from, to);
    if (seconds === -1 || (Number.isNaN(seconds) && bytes.toString('latin1', from, to) === 'N')) {
      return this.#options.nowMs();
    }
    const timestampMs = Math.floor(seconds * 1000);
    return Math.abs(timestampMs) <= TIME_MAX_MS ? timestampMs : Number.NaN;
  }
}

/** A tag without a value, or without `=`, is a part of the path. */
function graphiteSeries(text: string): Series {
  const [first = '', ...rest] = text.split(';');
  const tags = new Map<string, string>();
  let path = first;
  for (const part of rest) {
    const equalsAt = part.indexOf('=');
    if (equalsAt > 0 && equalsAt < part.length - 1) {
      tags.set(part.slice(0, equalsAt), part.slice(equalsAt + 1));
    } else path = `${path};${part}`;
  }
  const sorted = [...tags].sort(([a], [b]) => (a < b ? -1 : 1));
  const series = [path, ...sorted.map(([name, value]) => `${name}=${value}`)].join(';');
  return namedSeries(series, { tags: foreignTags({ path }, sorted) });
}

function skipBlanks(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
  return at;
}

function wordEnd(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== SPACE && bytes[at] !== TAB) at++;
  return at;
}

function textAt(bytes: Buffer, from: number, to: number): string {
  return abbreviate(bytes.toString('utf8', from, to));
}
