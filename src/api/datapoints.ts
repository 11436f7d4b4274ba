import type { Backend } from '../backends/backend.ts';
import { StreamNotFound } from '../exceptions/errors.ts';
import type { Granularity } from '../model/granularity.ts';
import { type DataRequest, isPlain, type NamedRequest } from './data-request.ts';
import type { DatapointRows } from './datapoint-rows.ts';
import { granularityOf, openRows, rowsOf } from './open-rows.ts';
import { Sequence, type SequenceSource } from './sequence.ts';
import type { Datapoint, DatapointColumns } from './types.ts';

/** Of a stream that changes all the time a read has to end, too. */
const ATTEMPT_COUNT_MAX = 20;

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

  /**
   * Of which granularity the datapoints are: the one that was asked for, or that `maxPoints` leads to, and the
   * stream's highest if that was finer. All that is read from here, and from slices of it, is of the same one.
   * @throws {StreamNotFound}
   */
  granularity(): Promise<Granularity> {
    return granularityOf(this.#backend, this.#request);
  }

  /** All datapoints as columns. The arrays are the caller's to keep. @throws {StreamNotFound} */
  async columns(): Promise<DatapointColumns> {
    const request = this.#request;
    // What is computed for the read takes more than one step of the store.
    if (!this.#isWhole || !isPlain(request)) {
      return (await openRows(this.#backend, request)).columns(this.from, this.to);
    }
    return this.#storedColumns(request);
  }

  /** Rows as they are stored, and what else they need, of one version of the stream. */
  async #storedColumns(request: NamedRequest): Promise<DatapointColumns> {
    const { streamId } = request;
    for (let attempt = 1; ; attempt++) {
      const read = await this.#backend.readStreamRows(streamId, (snapshot) => ({
        ...rowsOf(this.#backend, request, snapshot).whole(),
        snapshot,
      }));
      if (read === null) throw new StreamNotFound(streamId);
      const { finish, snapshot } = read.plan;
      const finished = finish(read.block);
      if (!(finished instanceof Promise)) return finished;
      const columns = await finished;
      const [current] = await this.#backend.readStreams([streamId]);
      if (current?.revision === snapshot.revision || attempt === ATTEMPT_COUNT_MAX) return columns;
    }
  }

  /**
   * The datapoints as columns, block by block: for more of them than memory should hold. The arrays
   * must not be written to.
   */
  async *columnBlocks(): AsyncGenerator<DatapointColumns, void, undefined> {
    yield* (await openRows(this.#backend, this.#request)).columnBlocks(this.from, this.to);
  }
}
