import type { StreamId, StreamSnapshot } from '../../model/stream.ts';
import { matchesTags, type Tags } from '../../model/tags.ts';
import type { StreamQuery } from '../backend.ts';
import type { StreamDocuments } from './stream-documents.ts';
import type { StreamLoader } from './stream-loader.ts';
import type { StreamState } from './stream-state.ts';
import type { View } from './view.ts';

/** Finds streams by tags as of the view: in the documents, and among those the documents may not show yet. */
export class StreamSearch {
  readonly #view: View;
  readonly #streams: StreamDocuments;
  readonly #loader: StreamLoader;

  constructor({
    view,
    streams,
    loader,
  }: {
    readonly view: View;
    readonly streams: StreamDocuments;
    readonly loader: StreamLoader;
  }) {
    this.#view = view;
    this.#streams = streams;
    this.#loader = loader;
  }

  async query({
    tags,
    afterOrdinal,
    isReverse = false,
    limit,
  }: StreamQuery): Promise<readonly StreamSnapshot[]> {
    for (;;) {
      const { epoch } = this.#view;
      // Of what the documents offer, only streams that changed since can turn out not to match.
      const changedCount = this.#view.recordTouches.size + this.#view.deleted.size;
      const documents = await this.#streams.candidates(tags, {
        after: afterOrdinal,
        isReverse,
        limit: limit + changedCount,
      });
      const ids = [...new Set([...documents.keys(), ...this.#changedIds()])];
      const states = await this.#loader.load(ids, { epoch, documents });
      if (this.#view.epoch !== epoch) continue;
      const matching = [...states.values()].filter(
        ({ number, record }) =>
          matchesTags(record.tags, tags) &&
          (afterOrdinal === undefined ||
            (isReverse ? number < afterOrdinal : number > afterOrdinal)),
      );
      return inOrder(matching, isReverse)
        .slice(0, limit)
        .map((state) => state.snapshot());
    }
  }

  async count(tags: Tags): Promise<number> {
    for (;;) {
      const { epoch, recordTouches, deleted } = this.#view;
      const heads = await this.#streams.matchingHeads(tags);
      const states = await this.#loader.load(this.#changedIds());
      if (this.#view.epoch !== epoch) continue;
      const changed = new Set([...states.values()].map(({ number }) => number));
      const still = heads.filter(
        ({ number }) => !changed.has(number) && !recordTouches.has(number) && !deleted.has(number),
      );
      const now = [...states.values()].filter(({ record }) => matchesTags(record.tags, tags));
      return still.length + now.length;
    }
  }

  /** Whether a stream outside `except` matches. */
  async isMatched(tags: Tags, except: ReadonlySet<StreamId>): Promise<boolean> {
    const found = await this.query({ tags, limit: except.size + 1 });
    return found.some(({ record }) => !except.has(record.id));
  }

  #changedIds(): readonly StreamId[] {
    return [...this.#view.recordTouches.values()].map(({ streamId }) => streamId);
  }
}

function inOrder(states: readonly StreamState[], isReverse: boolean): readonly StreamState[] {
  return states.toSorted((a, b) => (isReverse ? b.number - a.number : a.number - b.number));
}
