import type { Backend } from '../backends/backend.ts';
import type { StreamId, StreamSnapshot } from '../model/stream.ts';
import { matchesTags, type Tags } from '../model/tags.ts';
import { describeStream } from './describe-stream.ts';
import { Sequence, type SequenceSource } from './sequence.ts';
import type { Stream } from './types.ts';

const PAGE_STREAM_COUNT = 256;

/** Which streams: those whose tags contain the query's, or one by its id if its tags do. */
export interface StreamSelection {
  readonly tags: Tags;
  readonly streamId: string | null;
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
}

/** All selected streams in creation order, page by page. */
export async function* selectSnapshots(
  backend: Backend,
  selection: StreamSelection,
): AsyncGenerator<readonly StreamSnapshot[], void, undefined> {
  if (selection.streamId !== null) {
    const [snapshot] = await backend.readStreams([selection.streamId as StreamId]);
    const isFound = snapshot && matchesTags(snapshot.record.tags, selection.tags);
    if (isFound) yield [snapshot];
    return;
  }
  let afterOrdinal: number | undefined;
  for (;;) {
    const page = await backend.queryStreams({
      tags: selection.tags,
      limit: PAGE_STREAM_COUNT,
      ...(afterOrdinal === undefined ? {} : { afterOrdinal }),
    });
    if (page.length > 0) yield page;
    if (page.length < PAGE_STREAM_COUNT) return;
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
  { from, to }: { from: number; to: number },
): AsyncGenerator<readonly Stream[], void, undefined> {
  let position = 0;
  for await (const page of selectSnapshots(backend, selection)) {
    if (position >= to) return;
    const wanted = page.slice(Math.max(0, from - position), to - position);
    if (wanted.length > 0)
      yield wanted.map((snapshot) => describeStream(snapshot, backend.supports));
    position += page.length;
  }
}
