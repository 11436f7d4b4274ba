import type { Backend } from '../backends/backend.ts';
import type { StreamId, StreamSnapshot } from '../model/stream.ts';
import { matchesTags, type Tags } from '../model/tags.ts';
import { describeStream } from './describe-stream.ts';
import { checkIndex, Sequence, type SequenceSource } from './sequence.ts';
import type { Stream } from './types.ts';

const PAGE_STREAM_COUNT = 256;

/** Which streams: those whose tags contain the query's, or one by its id if its tags do. */
export interface StreamSelection {
  readonly tags: Tags;
  readonly streamId: string | null;
}

/** Some streams in creation order, and the place behind them; null when nothing is known to follow. */
export interface StreamPage {
  readonly streams: readonly Stream[];
  /** The place of each of them. */
  readonly places: readonly number[];
  readonly next: number | null;
}

interface SelectOptions {
  readonly isReverse?: boolean;
  /** Whether streams without stale ranges may be left out. */
  readonly isStaleOnly?: boolean;
  /** How many streams are wanted. */
  readonly countMax?: number;
}

/** Streams in creation order. */
export class Streams extends Sequence<Stream> {
  protected readonly source: SequenceSource<Stream>;
  readonly #backend: Backend;
  readonly #selection: StreamSelection;

  constructor(
    backend: Backend,
    selection: StreamSelection,
    bounds: { from: number; to: number } = { from: 0, to: Number.POSITIVE_INFINITY },
  ) {
    super(bounds);
    this.#backend = backend;
    this.#selection = selection;
    this.source = {
      count: () => countSnapshots(backend, selection),
      blocks: (from, to) => describedBlocks(backend, selection, { from, to }),
    };
  }

  /** The streams at the positions `[from, to)`. @throws {RangeError} for a negative position. */
  slice(from: number, to: number = Number.POSITIVE_INFINITY): Streams {
    return new Streams(this.#backend, this.#selection, this.sliced(from, to));
  }

  /**
   * At most `limit` streams after a place in creation order: in contrast to a position, the place stays right when
   * streams are deleted. Not for slices.
   * @param options.after what the page before gave as `next`; absent: from the beginning.
   */
  async page({
    after,
    limit,
  }: {
    readonly after?: number | undefined;
    readonly limit: number;
  }): Promise<StreamPage> {
    checkIndex(limit);
    return readPage(this.#backend, this.#selection, { after, limit });
  }

  override async at(index: number): Promise<Stream | undefined> {
    const isWhole = this.from === 0 && this.to === Number.POSITIVE_INFINITY;
    if (!(index < 0 && isWhole)) return super.at(index);
    checkIndex(index);
    // The last streams are found from the end, not by counting all that come before.
    const bounds = { from: -1 - index, to: -index };
    const fromEnd = describedBlocks(this.#backend, this.#selection, { ...bounds, isReverse: true });
    for await (const [stream] of fromEnd) return stream;
    return undefined;
  }
}

/** Reads a page for `Streams.page`. */
async function readPage(
  backend: Backend,
  { tags, streamId }: StreamSelection,
  { after, limit }: { readonly after: number | undefined; readonly limit: number },
): Promise<StreamPage> {
  const afterOrdinal = after === undefined ? {} : { afterOrdinal: after };
  const snapshots =
    streamId === null
      ? await backend.queryStreams({ tags, limit, ...afterOrdinal })
      : (await firstPage(backend, { tags, streamId })).filter(
          ({ ordinal }) => after === undefined || ordinal > after,
        );
  const isFull = streamId === null && snapshots.length === limit;
  const places = snapshots.map(({ ordinal }) => ordinal);
  return {
    streams: snapshots.map((snapshot) => describeStream(snapshot, backend.supports)),
    places,
    next: isFull ? places.at(-1)! : null,
  };
}

async function firstPage(
  backend: Backend,
  selection: StreamSelection,
): Promise<readonly StreamSnapshot[]> {
  for await (const page of selectSnapshots(backend, selection)) return page;
  return [];
}

/** All selected streams in creation order, or the reverse of it, page by page. */
export async function* selectSnapshots(
  backend: Backend,
  selection: StreamSelection,
  {
    isReverse = false,
    isStaleOnly = false,
    countMax = Number.POSITIVE_INFINITY,
  }: SelectOptions = {},
): AsyncGenerator<readonly StreamSnapshot[], void, undefined> {
  if (selection.streamId !== null) {
    const [snapshot] = await backend.readStreams([selection.streamId as StreamId]);
    const isFound = snapshot && matchesTags(snapshot.record.tags, selection.tags);
    if (isFound) yield [snapshot];
    return;
  }
  let afterOrdinal: number | undefined;
  for (let count = 0; count < countMax; count += PAGE_STREAM_COUNT) {
    const limit = Math.min(PAGE_STREAM_COUNT, countMax - count);
    const page = await backend.queryStreams({
      tags: selection.tags,
      limit,
      isReverse,
      isStaleOnly,
      ...(afterOrdinal === undefined ? {} : { afterOrdinal }),
    });
    if (page.length > 0) yield page;
    if (page.length < limit) return;
    afterOrdinal = page.at(-1)!.ordinal;
  }
}

async function countSnapshots(backend: Backend, selection: StreamSelection): Promise<number> {
  if (selection.streamId === null) return backend.countStreams(selection.tags);
  let count = 0;
  for await (const page of selectSnapshots(backend, selection)) count += page.length;
  return count;
}

async function* describedBlocks(
  backend: Backend,
  selection: StreamSelection,
  { from, to, isReverse = false }: { from: number; to: number; isReverse?: boolean },
): AsyncGenerator<readonly Stream[], void, undefined> {
  let position = 0;
  for await (const page of selectSnapshots(backend, selection, { isReverse, countMax: to })) {
    const wanted = page.slice(Math.max(0, from - position), to - position);
    if (wanted.length > 0)
      yield wanted.map((snapshot) => describeStream(snapshot, backend.supports));
    position += page.length;
  }
}
