import type { TickWrite, Write } from '../backends/backend.ts';
import {
  AppendToDerivedStreamNotAllowed,
  InvalidTimestamp,
  InvalidValue,
  NotSupported,
  StreamNotFound,
} from '../exceptions/errors.ts';
import type { InvalidValueWarning } from '../exceptions/warnings.ts';
import { type Column, VALUE_COLUMN, valueColumn } from '../model/block.ts';
import type { StreamId, StreamRecord } from '../model/stream.ts';
import { parseTimestamp } from '../model/timestamp.ts';
import { isStoredGroup } from '../model/value.ts';
import type {
  AppendRequest,
  ColumnsRequest,
  ItemsRequest,
  StoredDatapoint,
  TickRequest,
} from './append-request.ts';
import type { EngineContext } from './context.ts';
import type { LiveStream } from './live-stream.ts';
import { StagedStream } from './staged-stream.ts';
import type { StreamCache } from './stream-cache.ts';

/** Streams with one row at the same instant are written as a tick from this many on. */
const TICK_STREAM_COUNT_MIN = 4;

let batchCount = 0;
let tickCount = 0;

interface CheckedTick {
  readonly timestampMs: number;
  readonly streamIds: readonly StreamId[];
  readonly values: Float64Array;
}

/** What one commit of the appender is going to store: checked, but not yet written. */
export class AppendBatch {
  readonly #context: EngineContext;
  readonly #cache: StreamCache;
  readonly #number = ++batchCount;
  readonly #staged = new Map<StreamId, StagedStream>();
  readonly #ticks: TickWrite[] = [];
  readonly #tickStreams: LiveStream[] = [];
  /** About inputs that gave no derived output; to be given once the batch is durable. */
  readonly warnings: InvalidValueWarning[] = [];

  /** All streams of the requests must have been loaded into the cache. */
  constructor(context: EngineContext, cache: StreamCache) {
    this.#context = context;
    this.#cache = cache;
  }

  get isEmpty(): boolean {
    return this.#staged.size === 0 && this.#ticks.length === 0;
  }

  /** Streams with rows or changed records, apart from those of plain ticks. */
  get stagedStreams(): Iterable<StagedStream> {
    return this.#staged.values();
  }

  /** Streams that have rows in plain ticks; no duplicates. */
  get tickStreams(): readonly LiveStream[] {
    return this.#tickStreams;
  }

  staged(streamId: StreamId): StagedStream | undefined {
    return this.#staged.get(streamId);
  }

  stage(stream: LiveStream): StagedStream {
    let staged = this.#staged.get(stream.streamId);
    if (staged === undefined) {
      staged = new StagedStream(stream, this.#context.backend.supports);
      this.#staged.set(stream.streamId, staged);
    }
    return staged;
  }

  /** Checks a request and takes it in. When it throws, nothing of it has been taken. */
  add(request: AppendRequest): readonly StoredDatapoint[] {
    switch (request.kind) {
      case 'items':
        return this.#addItems(request);
      case 'columns':
        this.#addColumns(request);
        return [];
      case 'tick':
        this.#addTick(request);
        return [];
    }
  }

  #addItems({ items, checkTimestamp }: ItemsRequest): readonly StoredDatapoint[] {
    const latest = new Map<LiveStream, number>();
    const datapoints = items.map(({ streamId, value, timestamp }) => {
      const stream = this.#appendable(streamId);
      const latestMs = latest.get(stream) ?? this.#latestMs(stream);
      const timestampMs = this.#parse(timestamp === undefined ? this.#context.nowMs() : timestamp);
      if (checkTimestamp && timestampMs < latestMs)
        throw olderThanLatest(stream, { timestampMs, latestMs });
      latest.set(stream, Math.max(latestMs, timestampMs));
      return { record: stream.record, timestampMs, stored: this.#stored(stream, value) };
    });
    for (const [index, { timestampMs, stored }] of datapoints.entries()) {
      const stream = this.#cache.get(items[index]!.streamId)!;
      this.stage(stream).addRow(timestampMs, stored);
      this.#noteRow(stream, timestampMs);
    }
    return datapoints;
  }

  #addColumns({ streamId, timestamps, values, checkTimestamp }: ColumnsRequest): void {
    const stream = this.#appendable(streamId);
    const stored = this.#storedColumn(stream, values);
    const { cutMs, descendingRow, latestMs } = timestamps;
    if (cutMs.length === 0) return;
    const knownMs = this.#latestMs(stream);
    const olderRow = cutMs[0]! < knownMs ? 0 : descendingRow;
    if (checkTimestamp && olderRow >= 0) {
      const limitMs = Math.max(knownMs, cutMs[olderRow - 1] ?? knownMs);
      throw olderThanLatest(stream, { timestampMs: cutMs[olderRow]!, latestMs: limitMs });
    }
    const block = { timestamps: cutMs, columns: { [VALUE_COLUMN]: stored } };
    this.stage(stream).addColumns(block, descendingRow < 0);
    // Only the latest counts for what follows in this batch; `extentMs` knows the earliest.
    this.#noteRow(stream, latestMs);
  }

  #addTick({ timestamp, streamIds, values }: TickRequest): void {
    const timestampMs = this.#parse(timestamp === undefined ? this.#context.nowMs() : timestamp);
    const streams = this.#checkTick({ timestampMs, streamIds, values });
    if (streams.every((stream) => this.#isPlainTick(stream))) {
      this.#ticks.push({ kind: 'tick', timestampMs, streamIds, values });
    } else {
      const plain = streams.map((stream) => this.#isPlainTick(stream));
      this.#ticks.push({
        kind: 'tick',
        timestampMs,
        streamIds: streamIds.filter((_id, index) => plain[index]),
        values: values.filter((_value, index) => plain[index]),
      });
    }
    for (let index = 0; index < streams.length; index++) {
      const stream = streams[index]!;
      if (!this.#isPlainTick(stream)) {
        this.stage(stream).addRow(timestampMs, storedTickValue(stream, values[index]!));
      } else if (stream.tickedBatch !== this.#number) {
        stream.tickedBatch = this.#number;
        this.#tickStreams.push(stream);
      }
      this.#noteRow(stream, timestampMs);
    }
  }

  #checkTick({ timestampMs, streamIds, values }: CheckedTick): readonly LiveStream[] {
    const mark = ++tickCount;
    return streamIds.map((streamId, index) => {
      const stream = this.#appendable(streamId);
      const latestMs = this.#latestMs(stream);
      if (timestampMs < latestMs) throw olderThanLatest(stream, { timestampMs, latestMs });
      checkTickValue(stream, values[index]!);
      if (stream.tickMark === mark) {
        throw new InvalidValue(`Stream ${streamId} is in the tick twice: expected one value each.`);
      }
      stream.tickMark = mark;
      return stream;
    });
  }

  /** Rows that nothing else needs to look at go to the backend as they came. */
  #isPlainTick(stream: LiveStream): boolean {
    return (
      stream.rawDependents.length === 0 &&
      stream.record.valueTypeOptions.highAccuracy !== true &&
      !this.#staged.has(stream.streamId)
    );
  }

  #appendable(streamId: StreamId): LiveStream {
    const stream = this.#cache.get(streamId);
    if (stream === undefined) throw new StreamNotFound(streamId);
    if (stream.record.derivation !== null) {
      throw new AppendToDerivedStreamNotAllowed(
        `Stream ${streamId} derives from others (${stream.record.derivation.op}); append to its sources.`,
      );
    }
    return stream;
  }

  #parse(timestamp: unknown): number {
    return parseTimestamp(timestamp, this.#context.backend.supports.timestampRange);
  }

  /** @throws {NotSupported} for an already downsampled value that the store cannot keep. */
  #stored(stream: LiveStream, value: unknown): unknown {
    const stored = stream.codec.toStored(value);
    const isGroup = stream.record.valueType === 'numeric' && isStoredGroup(stored);
    if (isGroup && !this.#context.backend.supports.groupValues) {
      throw new NotSupported(
        `Stream ${stream.streamId} takes no already downsampled values: this store keeps single ones.`,
      );
    }
    return stored;
  }

  #storedColumn(stream: LiveStream, values: Column): Column {
    const { valueType, valueTypeOptions } = stream.record;
    if (!(values instanceof Float64Array)) {
      return valueColumn(values.map((value) => this.#stored(stream, value)));
    }
    if (valueType === 'numeric' && valueTypeOptions.highAccuracy !== true) return values;
    return Array.from(values, (value) =>
      Number.isNaN(value) ? null : stream.codec.toStored(value),
    );
  }

  #latestMs(stream: LiveStream): number {
    const storedMs = stream.latestMs ?? Number.NEGATIVE_INFINITY;
    return stream.stagedBatch === this.#number
      ? Math.max(storedMs, stream.stagedLatestMs)
      : storedMs;
  }

  #noteRow(stream: LiveStream, timestampMs: number): void {
    if (stream.stagedBatch !== this.#number) {
      stream.stagedBatch = this.#number;
      stream.stagedEarliestMs = timestampMs;
      stream.stagedLatestMs = timestampMs;
    } else if (timestampMs < stream.stagedEarliestMs) stream.stagedEarliestMs = timestampMs;
    else if (timestampMs > stream.stagedLatestMs) stream.stagedLatestMs = timestampMs;
  }

  /** All rows: ticks first, because a row of a stream that a plain tick has comes after it. */
  writes(): readonly Write[] {
    const writes: Write[] = this.#ticks.filter(({ streamIds }) => streamIds.length > 0);
    const byInstant = new Map<number, StagedStream[]>();
    for (const staged of this.#staged.values()) {
      const instantMs = staged.singleFloatRowMs();
      if (instantMs === null) writes.push(...staged.writes());
      else if (byInstant.has(instantMs)) byInstant.get(instantMs)!.push(staged);
      else byInstant.set(instantMs, [staged]);
    }
    for (const [timestampMs, group] of byInstant) {
      if (group.length < TICK_STREAM_COUNT_MIN) {
        for (const staged of group) writes.push(...staged.writes());
      } else {
        const streamIds = group.map(({ stream }) => stream.streamId);
        const values = Float64Array.from(group, (staged) => staged.singleFloat());
        writes.push({ kind: 'tick', timestampMs, streamIds, values });
      }
    }
    return writes;
  }

  updates(): readonly StreamRecord[] {
    return [...this.#staged.values()].flatMap(({ updatedRecord }) => updatedRecord ?? []);
  }
}

function olderThanLatest(
  { streamId }: LiveStream,
  { timestampMs, latestMs }: { timestampMs: number; latestMs: number },
): InvalidTimestamp {
  return new InvalidTimestamp(
    `The timestamp ${new Date(timestampMs).toISOString()} is older than ` +
      `${new Date(latestMs).toISOString()}, the latest of stream ${streamId}; ` +
      'pass checkTimestamp: false to add late data.',
  );
}

function checkTickValue(stream: LiveStream, value: number): void {
  if (stream.record.valueType !== 'numeric') {
    throw new InvalidValue(
      `Stream ${stream.streamId} is ${stream.record.valueType}: a tick takes numeric streams only.`,
    );
  }
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    throw new InvalidValue(
      `The value of stream ${stream.streamId} is ${value}: expected a finite number, or NaN for no data.`,
    );
  }
}

function storedTickValue(stream: LiveStream, value: number): unknown {
  return Number.isNaN(value) ? null : stream.codec.toStored(value);
}
