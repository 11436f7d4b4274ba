import type { Datastream } from '../../api/datastream.ts';
import type { StreamId } from '../../model/stream.ts';
import { matchesTags } from '../../model/tags.ts';
import type { StreamLine } from './stream-line.ts';

/** Streams created in one turn, at most: each is compared with all others. */
const STREAM_COUNT_MAX = 256;

/**
 * Creates the streams of coming lines together, so that they share a flush of the disk. Only those for which
 * that changes nothing: that derive from none, and whose tags tell them from each other and from what the
 * store has.
 */
export class StreamsAhead {
  readonly #datastream: Datastream;
  /** By the id in the export; those that nobody has taken. */
  readonly #waiting = new Map<string, StreamId>();

  constructor(datastream: Datastream) {
    this.#datastream = datastream;
  }

  /** The stream of the line, if it was created before; its line has been reached. */
  take(id: string): StreamId | undefined {
    const streamId = this.#waiting.get(id);
    this.#waiting.delete(id);
    return streamId;
  }

  /** Creates streams from the beginning of the lines, as many as can be; those that fail are left out. */
  async create(lines: Iterable<StreamLine>): Promise<void> {
    const group = await this.#unlikeStored(distinctSources(lines));
    if (group.length < 2) return;
    const created = await Promise.allSettled(
      group.map(({ tags, definition }) => this.#datastream.ensureStream(tags, definition)),
    );
    for (const [index, result] of created.entries()) {
      // Why it failed comes out again where its line is reached.
      if (result.status === 'fulfilled') this.#waiting.set(group[index]!.id, result.value);
    }
  }

  /** Deletes the streams whose lines were never reached: the import ended before them. */
  async discard(): Promise<void> {
    for (const streamId of this.#waiting.values()) {
      await this.#datastream.deleteStreams({ stream_id: streamId });
    }
    this.#waiting.clear();
  }

  /** Up to the first one that a query by its tags would not tell from a stored one. */
  async #unlikeStored(group: readonly StreamLine[]): Promise<readonly StreamLine[]> {
    const counts = await Promise.all(
      group.map(({ tags }) => this.#datastream.findStreams(tags).count()),
    );
    const index = counts.findIndex((count) => count > 0);
    return index < 0 ? group : group.slice(0, index);
  }
}

/** Up to the first one that is derived, or like one before it. */
function distinctSources(lines: Iterable<StreamLine>): readonly StreamLine[] {
  const group: StreamLine[] = [];
  for (const line of lines) {
    const isLikeOther = group.some(
      ({ id, tags }) =>
        id === line.id || matchesTags(tags, line.tags) || matchesTags(line.tags, tags),
    );
    if (line.isDerived || isLikeOther) return group;
    group.push(line);
    if (group.length === STREAM_COUNT_MAX) return group;
  }
  return group;
}
