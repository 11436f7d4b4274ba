import type { StreamId } from '../../model/stream.ts';
import type { LevelPlace } from './block-table.ts';

/** Above this the cache starts again: reading a place anew is cheap. */
const COUNT_MAX = 200_000;

/**
 * Where the raw rows of the streams are that this process has seen. An ordinal is never used again, so that
 * the one of a stream that is gone finds nothing; nothing more may be concluded from it.
 */
export class RawPlaces {
  readonly #places = new Map<StreamId, LevelPlace>();

  get(streamId: StreamId): LevelPlace | undefined {
    return this.#places.get(streamId);
  }

  note(streamId: StreamId, { ordinal, level }: LevelPlace): void {
    const known = this.#places.get(streamId);
    if (known?.ordinal === ordinal && known.level === level) return;
    if (this.#places.size >= COUNT_MAX) this.#places.clear();
    this.#places.set(streamId, { ordinal, level });
  }
}
