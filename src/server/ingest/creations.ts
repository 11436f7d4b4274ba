/**
 * Series whose streams are being created, until whoever creates them has been granted them. Who finds such a stream
 * before that may be the same, on another connection: he is asked about once this is over.
 */
export class Creations {
  readonly #running = new Map<string, Promise<unknown>>();

  /** Runs what creates the streams of these series and sees to the grants. */
  run<T>(keys: readonly string[], create: () => Promise<T>): Promise<T> {
    const result = create();
    const isOver = result.then(
      () => {},
      () => {},
    );
    for (const key of keys) {
      const all = Promise.all([this.#running.get(key), isOver]).then(() => {
        if (this.#running.get(key) === all) this.#running.delete(key);
      });
      this.#running.set(key, all);
    }
    return result;
  }

  /** Resolves when nobody here is creating the stream of the series any more; undefined when nobody is now. */
  running(key: string): Promise<unknown> | undefined {
    return this.#running.get(key);
  }
}
