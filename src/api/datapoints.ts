import type { Backend } from '../backends/backend.ts';
import { LevelSchema } from '../downsamplers/level-schema.ts';
import { LevelTail } from '../engine/level-tail.ts';
import { StreamNotFound, UnsupportedGranularity } from '../exceptions/errors.ts';
import { Granularity, granularityIndex } from '../model/granularity.ts';
import type { StreamId, StreamSnapshot } from '../model/stream.ts';
import { bucketRange, type CheckedRange, rawRange } from './data-range.ts';
import type { DatapointRows } from './datapoint-rows.ts';
import { DenseRows } from './dense-rows.ts';
import type { FillMethod } from './gap-fill.ts';
import { RawRows } from './raw-rows.ts';
import { Sequence, type SequenceSource } from './sequence.ts';
import type { Datapoint, DatapointColumns } from './types.ts';

/** What `getData` was asked for, checked. */
export interface DataRequest {
  readonly streamId: StreamId;
  readonly granularity: Granularity;
  readonly range: CheckedRange;
  readonly isReverse: boolean;
  /** Whether buckets that are not up to date are computed for the read. */
  readonly isLive: boolean;
  /** What buckets without data show; null: nothing. */
  readonly fill: FillMethod | null;
  /** The clock: until when a live read holds values. */
  readonly nowMs: () => number;
  readonly valueDownsamplers: readonly string[] | undefined;
  readonly timeDownsamplers: readonly string[] | undefined;
}

/** Datapoints `{ t, v }` of one level of one stream, in order of time, or against it when reversed. */
export class Datapoints extends Sequence<Datapoint> {
  protected readonly source: SequenceSource<Datapoint>;
  readonly #backend: Backend;
  readonly #request: DataRequest;

  constructor(
    backend: Backend,
    request: DataRequest,
    bounds: { from: number; to: number } = { from: 0, to: Number.POSITIVE_INFINITY },
  ) {
    super(bounds);
    this.#backend = backend;
    this.#request = request;
    const rows = (): Promise<DatapointRows> => openRows(backend, request);
    this.source = {
      count: async () => (await rows()).count(),
      async *blocks(from, to) {
        yield* (await rows()).blocks(from, to);
      },
    };
  }

  /** The datapoints at the positions `[from, to)`. @throws {RangeError} for a negative position. */
  slice(from: number, to: number = Number.POSITIVE_INFINITY): Datapoints {
    return new Datapoints(this.#backend, this.#request, this.sliced(from, to));
  }

  override async at(index: number): Promise<Datapoint | undefined> {
    if (!(index < 0 && this.#isWhole)) return super.at(index);
    // The end of the data is found from there, not by counting all that comes before.
    const request = { ...this.#request, isReverse: !this.#request.isReverse };
    return new Datapoints(this.#backend, request).at(-1 - index);
  }

  get #isWhole(): boolean {
    return this.from === 0 && this.to === Number.POSITIVE_INFINITY;
  }

  /** All datapoints as columns. The arrays are the caller's to keep. @throws {StreamNotFound} */
  async columns(): Promise<DatapointColumns> {
    const { isLive, fill } = this.#request;
    // What is computed for the read takes more than one step of the store.
    if (!this.#isWhole || isLive || fill !== null) {
      return (await openRows(this.#backend, this.#request)).columns(this.from, this.to);
    }
    const { streamId } = this.#request;
    const read = await this.#backend.readStreamRows(streamId, (snapshot) =>
      rowsOf(this.#backend, this.#request, snapshot).whole(),
    );
    if (read === null) throw new StreamNotFound(streamId);
    return read.plan.finish(read.block);
  }

  /**
   * The datapoints as columns, block by block: for more of them than memory should hold. The arrays
   * must not be written to.
   */
  async *columnBlocks(): AsyncGenerator<DatapointColumns, void, undefined> {
    yield* (await openRows(this.#backend, this.#request)).columnBlocks(this.from, this.to);
  }
}

async function openRows(backend: Backend, request: DataRequest): Promise<DatapointRows> {
  const [snapshot] = await backend.readStreams([request.streamId]);
  if (snapshot === null || snapshot === undefined) throw new StreamNotFound(request.streamId);
  return rowsOf(backend, request, snapshot);
}

function rowsOf(backend: Backend, request: DataRequest, snapshot: StreamSnapshot): DatapointRows {
  const highest = Granularity.byName(snapshot.record.highestGranularity);
  const { range, isReverse, valueDownsamplers, timeDownsamplers } = request;
  const isRaw = granularityIndex(request.granularity.name) <= granularityIndex(highest.name);
  // Also on the highest granularity, so that a wrong name does not pass there and fail elsewhere.
  const selection = LevelSchema.of(snapshot.record).select(
    { valueDownsamplers, timeDownsamplers },
    backend.supports,
  );
  if (isRaw) {
    if (request.fill !== null) throw noGapsToFill(highest);
    return new RawRows(backend, {
      snapshot,
      granularity: highest,
      range: rawRange(range),
      isReverse,
    });
  }
  const { granularity } = request;
  return new DenseRows(backend, {
    snapshot,
    granularity,
    range: bucketRange(range, granularity),
    isReverse,
    selection,
    fill: request.fill,
    heldUntilMs: heldUntilMs(request, snapshot),
    tail: request.isLive ? new LevelTail(backend, snapshot, granularity) : null,
  });
}

/** In stored buckets, which are complete, values are held to the end; in others they may be so only until now. */
function heldUntilMs({ isLive, nowMs }: DataRequest, { latestMs }: StreamSnapshot): number {
  if (!isLive) return Number.POSITIVE_INFINITY;
  return Math.max(nowMs(), latestMs ?? Number.NEGATIVE_INFINITY);
}

function noGapsToFill({ name }: Granularity): UnsupportedGranularity {
  return new UnsupportedGranularity(
    `fill is for levels: the datapoints of ${name}, the highest granularity of the stream, have no buckets.`,
  );
}
