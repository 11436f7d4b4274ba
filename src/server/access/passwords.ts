import { hash, parseOptions, verify } from '@node-rs/argon2';
import PQueue from 'p-queue';
import { ServiceError } from '../state/service-error.ts';
import { PASSWORD_LENGTH_MAX } from './password-rules.ts';
import { newSecret } from './secrets.ts';
import type { PasswordSettings } from './settings.ts';

/** Hashes passwords with argon2id (RFC 9106), as many at once as the settings allow. */
export class Passwords {
  readonly #settings: PasswordSettings;
  readonly #queue: PQueue;
  #hashOfNobody: Promise<string> | null = null;

  constructor(settings: PasswordSettings) {
    this.#settings = settings;
    this.#queue = new PQueue({ concurrency: settings.concurrency });
  }

  /** @throws {ServiceError} TOO_BUSY */
  async hash(password: string): Promise<string> {
    return await this.#enqueue(() => hash(normalized(password), this.#options));
  }

  /**
   * Whether the password is the one of the hash. Without a hash it takes as long, and it is not: so
   * nobody learns from the time whether there is such a user. @throws {ServiceError} TOO_BUSY
   */
  async verify(passwordHash: string | null, password: string): Promise<boolean> {
    const candidate = normalized(password.slice(0, PASSWORD_LENGTH_MAX));
    const compared = passwordHash ?? (await this.#nobody());
    const isSame = await this.#enqueue(() => verify(compared, candidate));
    return isSame && passwordHash !== null && password.length <= PASSWORD_LENGTH_MAX;
  }

  /** Whether the hash was made with other settings than those of now. */
  isOutdated(passwordHash: string): boolean {
    const { memoryCost, timeCost, parallelism } = parseOptions(passwordHash);
    const now = this.#options;
    return (
      memoryCost !== now.memoryCost ||
      timeCost !== now.timeCost ||
      parallelism !== now.parallelism ||
      !passwordHash.startsWith('$argon2id$')
    );
  }

  /** The hash of a password that nobody has, made once. */
  async #nobody(): Promise<string> {
    // One that could not be made is tried again: else nobody could log in wrongly any more.
    this.#hashOfNobody ??= this.hash(newSecret()).catch((error: unknown) => {
      this.#hashOfNobody = null;
      throw error;
    });
    return await this.#hashOfNobody;
  }

  get #options(): { memoryCost: number; timeCost: number; parallelism: number } {
    const { memoryKib, passCount, parallelism } = this.#settings;
    return { memoryCost: memoryKib, timeCost: passCount, parallelism };
  }

  async #enqueue<T>(work: () => Promise<T>): Promise<T> {
    if (this.#queue.size >= this.#settings.waitingCountMax) {
      throw new ServiceError('TOO_BUSY', 'Too many logins at once; try again in a moment.', {
        retryAfterMs: 1000,
      });
    }
    return await this.#queue.add(work);
  }
}

/** The same characters, however the keyboard composed them (NIST SP 800-63B). */
function normalized(password: string): string {
  return password.normalize('NFKC');
}
