import { checkTags } from '../../api/tag-checks.ts';
import type { Tags } from '../../model/tags.ts';
import { epochMs, isoTimeMs } from '../../text/time.ts';
import { type IngestBatch, SeriesSlot } from './ingest-batch.ts';
import { abbreviate } from './problems.ts';
import { type Series, seriesOfStream, seriesOfTags } from './series.ts';
import { type SeriesMemory, slotOf } from './series-memory.ts';

const TIME_MAX_MS = 8.64e15;
const NAMES: ReadonlySet<string> = new Set(['stream', 'tags', 't', 'v', 'timestamps', 'values']);

export interface JsonOptions {
  /** What datapoints belong to that name no stream and no tags; null or absent where they have to. */
  readonly series?: Series | null;
  /** Of datapoints without a timestamp. */
  readonly nowMs: number;
  /** What numbers are: `any` are seconds where their size is below 1e11. */
  readonly epoch: 'any' | 'milliseconds';
  /** How booleans are stored. */
  readonly booleans: 'nominal' | 'numeric';
  readonly recordSizeMaxBytes: number;
  /** Kept from request to request. */
  readonly memory: SeriesMemory<SeriesSlot>;
}

/**
 * Takes in datapoints of one stream, `{ stream | tags, t?, v }` or `{ stream | tags, timestamps, values }`. `stream` is
 * an id; times are numbers since the epoch, or ISO 8601.
 */
export class JsonEntries {
  readonly #batch: IngestBatch;
  readonly #options: JsonOptions;
  readonly #ownSlot: SeriesSlot | null;

  constructor(batch: IngestBatch, options: JsonOptions) {
    this.#batch = batch;
    this.#options = options;
    const { series = null } = options;
    this.#ownSlot = series && new SeriesSlot(series);
  }

  /**
   * Adds all datapoints that can be read, and refuses the others.
   * @param countsLines whether each datapoint is a line of the report.
   */
  add(entry: unknown, { countsLines }: { readonly countsLines: boolean }): void {
    const batch = this.#batch;
    const checked = this.#check(entry);
    if (typeof checked === 'string') {
      batch.refuseLine(checked);
      if (countsLines) batch.line++;
      return;
    }
    const { slot, timestamps, values } = checked;
    for (const [row, value] of values.entries()) {
      const reason = this.#addRow(slot, timestamps[row], value);
      if (reason !== null) batch.refuseLine(reason);
      if (countsLines) batch.line++;
    }
  }

  #addRow(slot: SeriesSlot, time: unknown, value: unknown): string | null {
    const timestampMs = this.#instantOf(time);
    if (Number.isNaN(timestampMs)) {
      return `${shown(time)} is not a timestamp: expected ISO 8601, or a number since the epoch.`;
    }
    if (value === undefined) return 'The datapoint has no value `v`; null is no data.';
    const isFlag = typeof value === 'boolean' && this.#options.booleans === 'numeric';
    if (typeof value === 'number' && !Number.isFinite(value)) {
      return 'The number is beyond the range of float64.';
    }
    this.#batch.addAny(slot, timestampMs, isFlag ? Number(value) : value);
    return null;
  }

  #instantOf(time: unknown): number {
    if (time === undefined || time === null) return this.#options.nowMs;
    if (typeof time === 'string') return isoTimeMs(time) ?? Number.NaN;
    if (typeof time !== 'number') return Number.NaN;
    const timestampMs = this.#options.epoch === 'any' ? epochMs(time) : time;
    return Math.abs(timestampMs) <= TIME_MAX_MS ? timestampMs : Number.NaN;
  }

  /** A text says what is wrong with all of it. */
  #check(entry: unknown):
    | string
    | {
        readonly slot: SeriesSlot;
        readonly timestamps: readonly unknown[];
        readonly values: readonly unknown[];
      } {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
      return `Expected an object with stream or tags, t and v, not ${shown(entry)}.`;
    }
    for (const name of Object.keys(entry)) {
      if (!NAMES.has(name)) {
        return `${abbreviate(name)} is unknown: expected ${[...NAMES].join(', ')}.`;
      }
    }
    const { stream, tags, t, v, timestamps, values } = entry as Record<string, unknown>;
    const slot = this.#slotOf(stream, tags);
    if (typeof slot === 'string') return slot;
    if (timestamps === undefined && values === undefined) {
      return { slot, timestamps: [t], values: [v] };
    }
    if (t !== undefined || v !== undefined) {
      return 'Expected either t and v or timestamps and values.';
    }
    if (!Array.isArray(timestamps) || !Array.isArray(values)) {
      return 'Expected timestamps and values as lists.';
    }
    if (timestamps.length !== values.length) {
      return `There are ${timestamps.length} timestamps and ${values.length} values.`;
    }
    return { slot, timestamps, values };
  }

  #slotOf(stream: unknown, tags: unknown): SeriesSlot | string {
    const { memory } = this.#options;
    if (stream === undefined && tags === undefined && this.#ownSlot !== null) return this.#ownSlot;
    if ((stream === undefined) === (tags === undefined)) {
      return 'Expected either stream, an id, or tags.';
    }
    if (stream !== undefined) {
      if (typeof stream !== 'string') return 'Expected stream as an id, a string.';
      return slotOf(memory, `id:${stream}`, () => seriesOfStream(stream));
    }
    try {
      const name = `tags:${JSON.stringify(tags)}`;
      return memory.get(name) ?? memory.set(name, new SeriesSlot(seriesOfTags(tagsOf(tags))));
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

/** @throws {TypeError} {ReservedTagNameError} when they are no tags. */
function tagsOf(given: unknown): Tags {
  const tags = checkTags(given, 'tags');
  if (Object.keys(tags).length === 0) throw new TypeError('Expected at least one tag.');
  return tags;
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : abbreviate(safeText(value));
}

/** Objects and lists may be nested deeper than JSON can be written. */
function safeText(value: unknown): string {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'a list' : 'an object';
  return String(value);
}
