import type { Session } from '../state/records/session.ts';
import type { User } from '../state/records/user.ts';
import { ServiceError } from '../state/service-error.ts';
import type { StateStore } from '../state/state-store.ts';
import type { AccessParts } from './access-parts.ts';
import { networkOf } from './addresses.ts';
import type { Actor, Audit } from './audit.ts';
import { csrfTokenOf, hashOfSecret, newSecret } from './secrets.ts';
import type { SessionSettings } from './settings.ts';

/** Uses within this time of each other are stored once. */
const SEEN_STEP_MS = 60_000;

/** A session with what only its holder knows. */
export interface OpenSession {
  readonly id: string;
  /** Belongs into the cookie, and nowhere else. */
  readonly secret: string;
  readonly csrfToken: string;
  readonly expiresAtMs: number;
}

/** Logins of browsers: found by a secret that is stored as a hash only. */
export class Sessions {
  readonly #state: StateStore;
  readonly #audit: Audit;
  readonly #settings: SessionSettings;
  readonly #now: () => Date;

  constructor({ state, audit, settings, now }: AccessParts) {
    this.#state = state;
    this.#audit = audit;
    this.#settings = settings.session;
    this.#now = now;
  }

  /**
   * Opens a session for whoever has just logged in, and ends the one that he came with.
   * @throws {ServiceError} WRONG_CREDENTIALS when the user was disabled, or has another password, since
   */
  open(
    user: User,
    { replaces, by }: { readonly replaces: string | null; readonly by: Actor },
  ): OpenSession {
    const secret = newSecret();
    const nowMs = this.#now().getTime();
    const { sessions } = this.#state;
    return this.#state.write(() => {
      const held = this.#state.users.get(user.id);
      if (held === null || held.isDisabled || held.passwordHash !== user.passwordHash) {
        throw new ServiceError('WRONG_CREDENTIALS', 'The user was changed during the login.');
      }
      if (replaces !== null) sessions.remove(hashOfSecret(replaces));
      this.#removeSurplus(user.id);
      const session = sessions.insert({
        id: hashOfSecret(secret),
        userId: user.id,
        createdAtMs: nowMs,
        lastSeenAtMs: nowMs,
        address: by.address,
      });
      this.#audit.record(
        { action: 'session.open', target: { kind: 'user', id: user.id, name: user.name } },
        by,
      );
      return this.#opened(session, secret);
    });
  }

  /** The session of a cookie and its user, as long as both are good; notes the use. */
  find(secret: string): { readonly session: OpenSession; readonly user: User } | null {
    const id = hashOfSecret(secret);
    const { session, user } = this.#state.read(() => {
      const held = this.#state.sessions.get(id);
      return { session: held, user: held && this.#state.users.get(held.userId) };
    });
    if (session === null || this.#isOver(session) || user === null || user.isDisabled) return null;
    const nowMs = this.#now().getTime();
    if (nowMs - session.lastSeenAtMs >= SEEN_STEP_MS) this.#noteUse(id, nowMs);
    return { session: this.#opened(session, secret), user };
  }

  /** Whether one of the user's sessions began in the network of an address. */
  isFamiliar(userId: string, address: string | null): boolean {
    if (address === null) return false;
    const network = networkOf(address);
    return this.#state.sessions
      .find('user', userId)
      .some((session) => session.address !== null && networkOf(session.address) === network);
  }

  /** Ends a session; nothing happens where there is none. */
  close(sessionId: string, by: Actor): void {
    this.#closeEach([sessionId], by);
  }

  /** Ends all sessions of a user. */
  closeAll(userId: string, by: Actor): void {
    this.#closeEach(
      this.#state.sessions.find('user', userId).map(({ id }) => id),
      by,
    );
  }

  /** Forgets sessions that are over. */
  removeEnded(): void {
    this.#state.write(() => {
      for (const session of this.#state.sessions.all()) {
        if (this.#isOver(session)) this.#state.sessions.remove(session.id);
      }
    });
  }

  #closeEach(sessionIds: readonly string[], by: Actor): void {
    this.#state.write(() => {
      for (const id of sessionIds) {
        const session = this.#state.sessions.get(id);
        if (session === null) continue;
        this.#state.sessions.remove(id);
        const name = this.#state.users.get(session.userId)?.name ?? null;
        const target = { kind: 'user', id: session.userId, name };
        this.#audit.record({ action: 'session.close', target }, by);
      }
    });
  }

  /** Leaves room for one more. */
  #removeSurplus(userId: string): void {
    const held = [...this.#state.sessions.find('user', userId)];
    held.sort((a, b) => b.lastSeenAtMs - a.lastSeenAtMs);
    const surplus = held.filter(
      (session, i) => i >= this.#settings.countMax - 1 || this.#isOver(session),
    );
    for (const { id } of surplus) this.#state.sessions.remove(id);
  }

  #isOver(session: Session): boolean {
    const nowMs = this.#now().getTime();
    const { idleMs } = this.#settings;
    // Of a clock that was wrong by more than that and has been set back: it would last as much longer.
    const isOfFuture = session.createdAtMs - nowMs > idleMs;
    return isOfFuture || nowMs >= this.#endMs(session) || nowMs - session.lastSeenAtMs >= idleMs;
  }

  #endMs({ createdAtMs }: Session): number {
    return createdAtMs + this.#settings.absoluteMs;
  }

  #opened(session: Session, secret: string): OpenSession {
    const expiresAtMs = this.#endMs(session);
    return { id: session.id, secret, csrfToken: csrfTokenOf(secret), expiresAtMs };
  }

  #noteUse(sessionId: string, nowMs: number): void {
    this.#state.write(() => {
      // It may have been ended in the meantime.
      const session = this.#state.sessions.get(sessionId);
      if (session !== null) this.#state.sessions.put({ ...session, lastSeenAtMs: nowMs });
    });
  }
}
