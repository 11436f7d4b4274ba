/** A broken invariant: a defect of the engine, never of its input. */
class AssertionFailed extends Error {
  constructor(message: string) {
    super(`Broken invariant: ${message}.`);
    this.name = 'AssertionFailed';
  }
}

/** Stops at once when something that must always hold does not. `message` states what holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailed(message);
}
