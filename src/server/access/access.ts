import type { User } from '../state/records/user.ts';
import { nameKey } from '../state/records/user.ts';
import { ServiceError } from '../state/service-error.ts';
import type { StateStore } from '../state/state-store.ts';
import type { AccessParts } from './access-parts.ts';
import { hasAdmin } from './admin-check.ts';
import { type Actor, Audit } from './audit.ts';
import type { Credentials } from './credentials.ts';
import { Grants } from './grants.ts';
import { Groups } from './groups.ts';
import type { Identity } from './identity.ts';
import { LoginThrottle } from './login-throttle.ts';
import { Passwords } from './passwords.ts';
import { Policy } from './policy.ts';
import { type OpenSession, Sessions } from './sessions.ts';
import { type AccessSettings, DEFAULT_ACCESS_SETTINGS } from './settings.ts';
import { SetupLink } from './setup-link.ts';
import { Tokens } from './tokens.ts';
import { Users, type UserView } from './users.ts';
import { VerifiedPasswords } from './verified-passwords.ts';

export interface AccessOptions {
  readonly settings?: Partial<AccessSettings>;
  readonly now?: () => Date;
}

/** Who may do what in the service, over one state store. */
export class Access {
  readonly settings: AccessSettings;
  readonly policy: Policy;
  readonly audit: Audit;
  readonly users: Users;
  readonly groups: Groups;
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly grants: Grants;
  readonly setupLink: SetupLink;
  readonly #state: StateStore;
  readonly #passwords: Passwords;
  readonly #throttle: LoginThrottle;
  readonly #verified: VerifiedPasswords;

  constructor(state: StateStore, { settings, now = () => new Date() }: AccessOptions = {}) {
    this.settings = { ...DEFAULT_ACCESS_SETTINGS, ...settings };
    this.policy = new Policy(state, this.settings);
    this.audit = new Audit(state, { now });
    this.#state = state;
    this.#passwords = new Passwords(this.settings.password);
    this.#throttle = new LoginThrottle(this.settings.login, { now });
    this.#verified = new VerifiedPasswords({ now });
    const parts: AccessParts = {
      state,
      audit: this.audit,
      passwords: this.#passwords,
      policy: this.policy,
      settings: this.settings,
      now,
    };
    this.users = new Users(parts);
    this.groups = new Groups(parts);
    this.tokens = new Tokens(parts);
    this.sessions = new Sessions(parts);
    this.grants = new Grants(parts);
    this.setupLink = new SetupLink(parts, this.users);
  }

  /** Whether there is a user at all: before that, only this host is let in. */
  get hasUsers(): boolean {
    return !this.#state.users.isEmpty;
  }

  /** Whether there is somebody who may manage the service. */
  get hasAdmin(): boolean {
    return hasAdmin(this.#state);
  }

  /**
   * Logs a browser in. The session that it came with, `replaces`, ends, as somebody else may know it.
   * @throws {ServiceError} WRONG_CREDENTIALS, LOCKED_OUT, TOO_BUSY
   */
  async login({
    name,
    password,
    address,
    replaces = null,
  }: {
    readonly name: string;
    readonly password: string;
    readonly address: string | null;
    readonly replaces?: string | null;
  }): Promise<{ readonly user: UserView; readonly session: OpenSession }> {
    const user = await this.#verifiedUser({ name, password, address });
    const by = { identity: userIdentity(user), address };
    const session = this.sessions.open(user, { replaces, by });
    return { user: this.users.get(user.id), session };
  }

  /**
   * Changes the password of whoever is logged in, who knows the old one; his other sessions end.
   * @throws {ServiceError} FORBIDDEN, WRONG_CREDENTIALS, LOCKED_OUT, WEAK_PASSWORD
   */
  async changeOwnPassword(
    {
      currentPassword,
      newPassword,
      keptSessionId,
    }: {
      readonly currentPassword: string;
      readonly newPassword: string;
      readonly keptSessionId: string | null;
    },
    by: Actor,
  ): Promise<void> {
    const { kind, userId, name } = by.identity;
    if (kind !== 'user' || userId === null) {
      throw new ServiceError('FORBIDDEN', 'Only a user who is logged in has a password to change.');
    }
    await this.#verifiedUser({ name, password: currentPassword, address: by.address });
    await this.users.replacePassword(userId, { password: newPassword, keptSessionId, by });
  }

  /**
   * Who shows these credentials; null for none.
   * @throws {ServiceError} WRONG_CREDENTIALS, LOCKED_OUT, TOO_BUSY
   */
  async identify(credentials: Credentials, address: string | null): Promise<Identity | null> {
    switch (credentials.kind) {
      case 'none':
        return null;
      case 'malformed':
        throw wrongCredentials();
      case 'token': {
        const found = this.tokens.find(credentials.secret);
        if (found === null) throw wrongCredentials();
        return { ...userIdentity(found.user), kind: 'token', scopes: new Set(found.token.scopes) };
      }
      case 'password':
        return userIdentity(await this.#rememberedUser({ ...credentials, address }));
    }
  }

  /** Who has this session cookie, as long as it is good; null for nobody. */
  identifySession(
    secret: string,
  ): { readonly identity: Identity; readonly session: OpenSession } | null {
    const found = this.sessions.find(secret);
    return found === null ? null : { identity: userIdentity(found.user), session: found.session };
  }

  /** What a user may do by himself, as for what he left to be done; null when he is gone or disabled. */
  identityOf(userId: string): Identity | null {
    const user = this.#state.users.get(userId);
    return user === null || user.isDisabled ? null : userIdentity(user);
  }

  /** Forgets sessions and tokens that are over; worth doing once a day. */
  removeEnded(): void {
    this.sessions.removeEnded();
    this.tokens.removeEnded();
  }

  /** As `#verifiedUser`, but quick for what was right a short time ago. */
  async #rememberedUser(login: LoginInput): Promise<User> {
    const user = this.#state.users.findOne('name', nameKey(login.name));
    const passwordHash = user?.passwordHash ?? null;
    if (user === null || passwordHash === null) return await this.#verifiedUser(login);
    const { password } = login;
    await this.#verified.remember({ passwordHash, password }, () => this.#verifiedUser(login));
    const current = this.#state.users.get(user.id);
    if (current === null || current.isDisabled) throw wrongCredentials();
    return current;
  }

  async #verifiedUser({ name, password, address }: LoginInput): Promise<User> {
    const user = this.#state.users.findOne('name', nameKey(name));
    const isFamiliar = user !== null && this.sessions.isFamiliar(user.id, address);
    const attempt = this.#throttle.begin({ name, address, isFamiliar });
    try {
      // Always hashed, so that the time does not tell which names there are.
      const isSame = await this.#passwords.verify(user?.passwordHash ?? null, password);
      if (user === null || !isSame || user.isDisabled) throw wrongCredentials();
      const current = await this.#withCurrentHash(user, password);
      attempt.end({ isSuccess: true });
      return current;
    } catch (error) {
      // What says nothing about the password does not count against anybody.
      const isWrong = error instanceof ServiceError && error.code === 'WRONG_CREDENTIALS';
      attempt.end({ isSuccess: isWrong ? false : null });
      throw error;
    }
  }

  /** Hashes the right password of a user anew where the settings have changed since. */
  async #withCurrentHash(user: User, password: string): Promise<User> {
    if (!this.#passwords.isOutdated(user.passwordHash!)) return user;
    const passwordHash = await this.#passwords.hash(password);
    const stored = this.#state.users.update(user.id, (held) =>
      held.passwordHash === user.passwordHash ? { ...held, passwordHash } : held,
    );
    if (stored.passwordHash === passwordHash) return stored;
    // Somebody was faster: with another hash of the same password, or with another password.
    if (await this.#passwords.verify(stored.passwordHash, password)) return stored;
    throw wrongCredentials();
  }
}

interface LoginInput {
  readonly name: string;
  readonly password: string;
  readonly address: string | null;
}

/** A user who showed his password, or the session that he got for it. */
function userIdentity({ id, name, isAdmin, groupIds }: User): Identity {
  return { kind: 'user', userId: id, name, isAdmin, groupIds, scopes: null };
}

function wrongCredentials(): ServiceError {
  return new ServiceError('WRONG_CREDENTIALS', 'Wrong name, password or token.');
}
