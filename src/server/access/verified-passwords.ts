import { createHmac, randomBytes } from 'node:crypto';

const COUNT_MAX = 1000;
const KEPT_MS = 5 * 60_000;

/**
 * Remembers for some minutes which passwords were right, so that a program that sends one with each
 * request costs one slow hash, not thousands. Holds no password, and nothing that outlives the process.
 */
export class VerifiedPasswords {
  readonly #now: () => Date;
  readonly #key: Buffer = randomBytes(32);
  readonly #untilMs: Map<string, number> = new Map();

  constructor({ now }: { readonly now: () => Date }) {
    this.#now = now;
  }

  /** Whether this password was verified against this hash a short time ago. */
  has(passwordHash: string, password: string): boolean {
    const untilMs = this.#untilMs.get(this.#digest(passwordHash, password));
    return untilMs !== undefined && this.#now().getTime() < untilMs;
  }

  add(passwordHash: string, password: string): void {
    const digest = this.#digest(passwordHash, password);
    this.#untilMs.delete(digest);
    this.#untilMs.set(digest, this.#now().getTime() + KEPT_MS);
    if (this.#untilMs.size > COUNT_MAX) this.#untilMs.delete(this.#untilMs.keys().next().value!);
  }

  #digest(passwordHash: string, password: string): string {
    // The hash has its own salt, and changes with the password.
    return createHmac('sha256', this.#key).update(`${passwordHash} ${password}`).digest('base64');
  }
}
