import { nameKey } from '../state/records/user.ts';
import { ServiceError } from '../state/service-error.ts';
import { networkOf } from './addresses.ts';
import type { LoginSettings } from './settings.ts';

/** Longer names are nobody's; they must not fill the memory. */
const KEY_LENGTH_MAX = 100;
const NEVER_MS = Number.NEGATIVE_INFINITY;

interface Failures {
  failureCount: number;
  lastFailureMs: number;
  lockedUntilMs: number;
  pendingCount: number;
}

/** An attempt that was let through; it says once how it ended: null where that says nothing. */
export interface LoginAttempt {
  end(outcome: { readonly isSuccess: boolean | null }): void;
}

/** Who tries, and from where. */
interface LoginPlace {
  readonly name: string;
  /** Null: not over a network. */
  readonly address: string | null;
  /** Whether the user has been logged in from that network before. */
  readonly isFamiliar?: boolean;
}

/**
 * Slows down who guesses passwords: failures lock the name, and the network that they came from, for a
 * time that doubles. Strangers do not lock out whom they guess at: a network from which he has logged in has a
 * lock of its own for his name. In memory, and bounded: what was not touched for longest is forgotten first.
 */
export class LoginThrottle {
  readonly #settings: LoginSettings;
  readonly #now: () => Date;
  readonly #records: Map<string, Failures> = new Map();

  constructor(settings: LoginSettings, { now }: { readonly now: () => Date }) {
    this.#settings = settings;
    this.#now = now;
  }

  /** @throws {ServiceError} LOCKED_OUT when it is not yet time for another attempt. */
  begin({ name, address, isFamiliar = false }: LoginPlace): LoginAttempt {
    const { freeCountByName, freeCountByAddress } = this.#settings;
    const network = address === null ? '' : networkOf(address);
    const lock = `name ${nameKey(name).slice(0, KEY_LENGTH_MAX)}`;
    const byName = {
      key: isFamiliar ? `${lock} from ${network}` : lock,
      freeCount: freeCountByName,
    };
    const byAddress =
      address === null ? [] : [{ key: `from ${network}`, freeCount: freeCountByAddress }];
    const places = [byName, ...byAddress];
    // Others may have failed from there.
    for (const { key } of isFamiliar ? [byName] : places) this.#assertOpen(key);
    const records = places.map(({ key, freeCount }) => ({ record: this.#touched(key), freeCount }));
    for (const { record } of records) record.pendingCount++;
    return {
      end: ({ isSuccess }) => {
        for (const { record } of records) record.pendingCount--;
        // The address keeps its failures: a good account of one's own must not pay for guesses at others.
        if (isSuccess === true) this.#forgive(byName.key);
        if (isSuccess !== false) return;
        for (const { record, freeCount } of records) this.#countFailure(record, freeCount);
      },
    };
  }

  #forgive(key: string): void {
    const record = this.#records.get(key);
    if (record !== undefined) Object.assign(record, { failureCount: 0, lockedUntilMs: NEVER_MS });
  }

  #assertOpen(key: string): void {
    const record = this.#records.get(key);
    if (record === undefined) return;
    const nowMs = this.#now().getTime();
    setBack(record, nowMs);
    const isCrowded = record.pendingCount >= this.#settings.pendingCountMax;
    const retryAfterMs = isCrowded ? 1000 : record.lockedUntilMs - nowMs;
    if (retryAfterMs <= 0) return;
    throw new ServiceError(
      'LOCKED_OUT',
      `Too many failed logins; try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
      { retryAfterMs },
    );
  }

  #countFailure(record: Failures, freeCount: number): void {
    const { lockBaseMs, lockMaxMs, forgetMs } = this.#settings;
    const nowMs = this.#now().getTime();
    setBack(record, nowMs);
    if (nowMs - record.lastFailureMs > forgetMs) record.failureCount = 0;
    record.failureCount++;
    record.lastFailureMs = nowMs;
    const surplus = record.failureCount - freeCount;
    if (surplus >= 0) record.lockedUntilMs = nowMs + Math.min(lockBaseMs * 2 ** surplus, lockMaxMs);
  }

  /** The record of the key, now the youngest of all. */
  #touched(key: string): Failures {
    const record = this.#records.get(key) ?? {
      failureCount: 0,
      lastFailureMs: NEVER_MS,
      lockedUntilMs: NEVER_MS,
      pendingCount: 0,
    };
    this.#records.delete(key);
    this.#records.set(key, record);
    if (this.#records.size > this.#settings.rememberedCountMax) {
      this.#records.delete(this.#records.keys().next().value!);
    }
    return record;
  }
}

/** After a clock was set back, as much is left of a wait as at its beginning, not as much more as the clock went. */
function setBack(record: Failures, nowMs: number): void {
  const aheadMs = record.lastFailureMs - nowMs;
  if (aheadMs <= 0) return;
  record.lastFailureMs -= aheadMs;
  record.lockedUntilMs -= aheadMs;
}
