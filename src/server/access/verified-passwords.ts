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
  readonly #underWay: Map<string, Promise<unknown>> = new Map();

  constructor({ now }: { readonly now: () => Date }) {
    this.#now = now;
  }

  /** Resolves at once when this password was right for this hash a short time ago; else, when `verify` does not throw. */
  async remember(
    { passwordHash, password }: { readonly passwordHash: string; readonly password: string },
    verify: () => Promise<unknown>,
  ): Promise<void> {
    const digest = this.#digest(passwordHash, password);
    const untilMs = this.#untilMs.get(digest);
    if (untilMs !== undefined && this.#now().getTime() < untilMs) return;
    // Many requests at once wait for the same hash.
    const underWay = this.#underWay.get(digest) ?? verify();
    this.#underWay.set(digest, underWay);
    try {
      await underWay;
    } finally {
      this.#underWay.delete(digest);
    }
    this.#add(digest);
  }

  #add(digest: string): void {
    this.#untilMs.delete(digest);
    this.#untilMs.set(digest, this.#now().getTime() + KEPT_MS);
    if (this.#untilMs.size > COUNT_MAX) this.#untilMs.delete(this.#untilMs.keys().next().value!);
  }

  #digest(passwordHash: string, password: string): string {
    // The hash has its own salt, and changes with the password.
    return createHmac('sha256', this.#key).update(`${passwordHash} ${password}`).digest('base64');
  }
}
