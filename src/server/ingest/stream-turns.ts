import type { StreamId } from '../../model/stream.ts';

/** Lets writes that read before they write take turns at each stream. */
export class StreamTurns {
  /** What the last one in the row of a stream waits to end. */
  readonly #last = new Map<StreamId, Promise<void>>();

  /**
   * Does a task when all that came before it at any of these streams are done. No two can wait for each other: the
   * places in all rows are taken at once.
   */
  async take<T>(streamIds: readonly StreamId[], task: () => Promise<T>): Promise<T> {
    const before = new Set<Promise<void>>();
    let end: () => void = () => {};
    const own = new Promise<void>((resolve) => {
      end = resolve;
    });
    for (const id of streamIds) {
      const last = this.#last.get(id);
      if (last !== undefined && last !== own) before.add(last);
      this.#last.set(id, own);
    }
    try {
      await Promise.all(before);
      return await task();
    } finally {
      for (const id of streamIds) if (this.#last.get(id) === own) this.#last.delete(id);
      end();
    }
  }
}
