import protobuf from 'protobufjs/minimal.js';
import { type IngestBatch, SeriesSlot } from './ingest-batch.ts';
import type { BodyParser } from './line-feed.ts';
import { PROBLEM } from './problems.ts';
import { MetricTypes } from './prometheus-types.ts';
import { foreignTags, namedSeries, type Series } from './series.ts';
import { SeriesMemory } from './series-memory.ts';
import { uncompressSnappy } from './snappy.ts';

type Reader = protobuf.Reader;

/** Numbers of fields in the messages of remote write 1.0. */
const WRITE_REQUEST = { timeseries: 1, metadata: 3 };
const TIME_SERIES = { labels: 1, samples: 2, histograms: 4 };
const LABEL = { name: 1, value: 2 };
const SAMPLE = { value: 1, timestamp: 2 };
const METADATA = { type: 1, family: 2 };

const NAME_LABEL = '__name__';
/** Upper and lower half of the NaN that says that a series has ended. */
const STALE_MARKER = [0x7ff00000, 0x00000002];
/** Varints of so many bytes are exact as doubles. */
const SMALL_VARINT_SIZE_BYTES = 7;
const TIME_MAX_MS = 8.64e15;

export interface PrometheusOptions {
  /** Whether the end of a series is stored as no data, or not at all. */
  readonly staleMarkers: 'null' | 'drop';
  /** Bytes of a message, compressed and not, at most. */
  readonly messageSizeMaxBytes: number;
  /** Kept from request to request. */
  readonly memory: PrometheusMemory;
}

/** What requests tell for later ones. */
export interface PrometheusMemory {
  readonly types: MetricTypes;
  /** By labels as they stand in messages, as of a version of the types. */
  readonly series: SeriesMemory<{ readonly slot: SeriesSlot; readonly version: number }>;
}

export function newPrometheusMemory(): PrometheusMemory {
  return { types: new MetricTypes(), series: new SeriesMemory() };
}

/** Where parts of a message lie. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Reads a request of Prometheus remote write 1.0: a snappy block of protocol buffers. Time series count as lines. A
 * message that cannot be read to its end is refused as a whole.
 * @see https://prometheus.io/docs/specs/prw/remote_write_spec/
 */
export class PrometheusParser implements BodyParser {
  readonly #batch: IngestBatch;
  readonly #options: PrometheusOptions;
  readonly #pieces: Uint8Array[] = [];
  #sizeBytes = 0;

  constructor(batch: IngestBatch, options: PrometheusOptions) {
    this.#batch = batch;
    this.#options = options;
  }

  push(bytes: Uint8Array): void {
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes <= this.#options.messageSizeMaxBytes) this.#pieces.push(bytes);
  }

  end(): void {
    const { messageSizeMaxBytes } = this.#options;
    this.#batch.line = 1;
    if (this.#sizeBytes > messageSizeMaxBytes) {
      this.#batch.refuseLine(
        `The message has more than ${messageSizeMaxBytes} bytes.`,
        PROBLEM.tooLong,
      );
      return;
    }
    const countBefore = this.#batch.problems.count;
    try {
      this.#readRequest(uncompressSnappy(Buffer.concat(this.#pieces), messageSizeMaxBytes));
    } catch (error) {
      this.#batch.take();
      const { count } = this.#batch.problems;
      if (count === countBefore) this.#batch.line = 1;
      this.#batch.refuseLine(`The message cannot be read: ${(error as Error).message}.`);
    }
  }

  #readRequest(bytes: Buffer): void {
    const reader = protobuf.Reader.create(bytes);
    const all: Span[] = [];
    while (reader.pos < reader.len) {
      const field = reader.uint32();
      switch (field >>> 3) {
        case WRITE_REQUEST.timeseries:
          all.push(spanAt(reader));
          break;
        case WRITE_REQUEST.metadata:
          this.#readMetadata(bytes, spanAt(reader));
          break;
        default:
          reader.skipType(field & 7);
      }
    }
    for (const [index, span] of all.entries()) {
      this.#batch.line = index + 1;
      this.#readTimeSeries(bytes, span);
    }
  }

  #readTimeSeries(bytes: Buffer, span: Span): void {
    const reader = readerOf(bytes, span);
    const labels: Span[] = [];
    const samples: Span[] = [];
    let labelsAt = span.from;
    while (reader.pos < reader.len) {
      const fieldAt = reader.pos;
      const field = reader.uint32();
      switch (field >>> 3) {
        case TIME_SERIES.labels:
          if (labels.length === 0) labelsAt = fieldAt;
          labels.push(spanAt(reader));
          break;
        case TIME_SERIES.samples:
          samples.push(spanAt(reader));
          break;
        case TIME_SERIES.histograms:
          spanAt(reader);
          this.#batch.refuseLine('Native histograms cannot be stored.', PROBLEM.unsupported);
          break;
        default:
          reader.skipType(field & 7);
      }
    }
    if (samples.length === 0) return;
    const slot = this.#slotOf(bytes, labelsAt, labels);
    for (const sample of samples) this.#readSample(bytes, sample, slot);
  }

  #readSample(bytes: Buffer, span: Span, slot: SeriesSlot | null): void {
    const reader = readerOf(bytes, span);
    let value = 0;
    let isStale = false;
    let timestampMs = 0;
    while (reader.pos < reader.len) {
      const field = reader.uint32();
      switch (field >>> 3) {
        case SAMPLE.value:
          isStale = isStaleAt(bytes, reader.pos);
          value = reader.double();
          break;
        case SAMPLE.timestamp:
          timestampMs = int64At(bytes, reader.pos);
          reader.skipType(field & 7);
          break;
        default:
          reader.skipType(field & 7);
      }
    }
    if (slot === null) this.#batch.refuseLine('The time series has no labels.');
    else if (isStale && this.#options.staleMarkers === 'drop') return;
    else if (!Number.isFinite(value) && !Number.isNaN(value)) {
      this.#batch.refuseLine(`${value} cannot be stored: expected a finite number.`);
    } else if (Math.abs(timestampMs) > TIME_MAX_MS) {
      this.#batch.refuseLine(`${timestampMs} is not a timestamp in milliseconds.`);
    } else this.#batch.add(slot, timestampMs, value);
  }

  /**
   * Null when there are no labels.
   * @param from where the field of the first one begins: from there on, equal bytes are equal labels.
   */
  #slotOf(bytes: Buffer, from: number, labels: readonly Span[]): SeriesSlot | null {
    if (labels.length === 0) return null;
    const { types, series } = this.#options.memory;
    const name = bytes.toString('latin1', from, labels.at(-1)!.to);
    const known = series.get(name);
    if (known !== undefined && known.version === types.version) return known.slot;
    const slot = new SeriesSlot(prometheusSeries(labelsOf(bytes, labels), types));
    return series.set(name, { slot, version: types.version }).slot;
  }

  #readMetadata(bytes: Buffer, span: Span): void {
    const reader = readerOf(bytes, span);
    let type = 0;
    let family = '';
    while (reader.pos < reader.len) {
      const field = reader.uint32();
      switch (field >>> 3) {
        case METADATA.type:
          type = reader.int32();
          break;
        case METADATA.family:
          family = reader.string();
          break;
        default:
          reader.skipType(field & 7);
      }
    }
    this.#options.memory.types.set(family, type);
  }
}

function prometheusSeries(labels: ReadonlyMap<string, string>, types: MetricTypes): Series {
  const metric = labels.get(NAME_LABEL) ?? '';
  const sorted = [...labels]
    .filter(([name]) => name !== NAME_LABEL)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const pairs = sorted.map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return namedSeries(pairs.length === 0 ? metric : `${metric}{${pairs.join(',')}}`, {
    tags: foreignTags(metric === '' ? {} : { metric }, sorted),
    isCounter: types.isCounter(metric),
  });
}

function labelsOf(bytes: Buffer, spans: readonly Span[]): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (const span of spans) {
    const reader = readerOf(bytes, span);
    let name = '';
    let value = '';
    while (reader.pos < reader.len) {
      const field = reader.uint32();
      if (field >>> 3 === LABEL.name) name = reader.string();
      else if (field >>> 3 === LABEL.value) value = reader.string();
      else reader.skipType(field & 7);
    }
    // An empty label is none.
    if (value !== '') labels.set(name, value);
  }
  return labels;
}

/** The message that stands there with its length, which the reader goes past. */
function spanAt(reader: Reader): Span {
  const sizeBytes = reader.uint32();
  const from = reader.pos;
  reader.skip(sizeBytes);
  return { from, to: reader.pos };
}

function readerOf(bytes: Buffer, { from, to }: Span): Reader {
  const reader = protobuf.Reader.create(bytes);
  reader.pos = from;
  reader.len = to;
  return reader;
}

function isStaleAt(bytes: Buffer, at: number): boolean {
  if (at + 8 > bytes.length) return false;
  return (
    bytes.readUInt32LE(at + 4) === STALE_MARKER[0] && bytes.readUInt32LE(at) === STALE_MARKER[1]
  );
}

/** The value of a varint of 64 bits with a sign; not exact beyond 2⁵³. */
function int64At(bytes: Buffer, from: number): number {
  let value = 0;
  let factor = 1;
  for (let at = from; at < from + SMALL_VARINT_SIZE_BYTES; at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
    factor *= 0x80;
  }
  return largeInt64At(bytes, from);
}

/** Negative numbers have ten bytes. */
function largeInt64At(bytes: Buffer, from: number): number {
  let value = 0n;
  for (let at = from, shift = 0n; shift < 64n; at++, shift += 7n) {
    const byte = bytes[at] ?? 0;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return Number(BigInt.asIntN(64, value));
}
