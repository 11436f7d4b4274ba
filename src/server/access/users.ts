import { randomUUID } from 'node:crypto';
import type { Json } from '../../model/tags.ts';
import { subjectKey } from '../state/records/grant.ts';
import { nameKey, type User } from '../state/records/user.ts';
import { ServiceError } from '../state/service-error.ts';
import type { StateStore } from '../state/state-store.ts';
import type { AccessParts } from './access-parts.ts';
import { assertAdmin, assertAdminLeft } from './admin-check.ts';
import type { Actor, Audit } from './audit.ts';
import { hasScope, isAdminWithin } from './identity.ts';
import { checkedName } from './names.ts';
import { assertGoodPassword } from './password-rules.ts';
import type { Passwords } from './passwords.ts';

const PREFERENCES_LENGTH_MAX = 10_000;

/** A user without secrets. */
export type UserView = Omit<User, 'passwordHash'> & { readonly hasPassword: boolean };

export interface NewUser {
  readonly name: string;
  /** Null: no login by password, as for a program that has tokens. */
  readonly password: string | null;
  readonly isAdmin?: boolean;
}

export interface UserChanges {
  readonly name?: string;
  readonly isAdmin?: boolean;
  readonly isDisabled?: boolean;
}

/** The users of the service. Every change is an admin's, but for what is said to be one's own. */
export class Users {
  readonly #state: StateStore;
  readonly #audit: Audit;
  readonly #passwords: Passwords;
  readonly #lengthMin: number;
  readonly #now: () => Date;

  constructor({ state, audit, passwords, settings, now }: AccessParts) {
    this.#state = state;
    this.#audit = audit;
    this.#passwords = passwords;
    this.#lengthMin = settings.password.lengthMin;
    this.#now = now;
  }

  /** All users, by name. */
  list(): readonly UserView[] {
    const users = [...this.#state.users.all()].sort((a, b) =>
      nameKey(a.name) < nameKey(b.name) ? -1 : 1,
    );
    return users.map(viewOf);
  }

  /** @throws {ServiceError} NOT_FOUND */
  get(userId: string): UserView {
    return viewOf(this.#state.users.require(userId));
  }

  /** @throws {ServiceError} NOT_FOUND */
  byName(name: string): UserView {
    const user = this.#state.users.findOne('name', nameKey(name));
    if (user !== null) return viewOf(user);
    throw new ServiceError('NOT_FOUND', `No user named ${JSON.stringify(name)}.`);
  }

  /**
   * Adds a user. `alongside` runs in the same transaction, before anything is stored.
   * @throws {ServiceError} FORBIDDEN, INVALID_FIELD, WEAK_PASSWORD, ALREADY_EXISTS
   */
  async add(
    { name, password, isAdmin = false }: NewUser,
    by: Actor,
    alongside: () => void = () => {},
  ): Promise<UserView> {
    assertAdmin(by);
    const checked = checkedName(name);
    const passwordHash = password === null ? null : await this.#hashOfNew(password, checked);
    return this.#state.write(() => {
      alongside();
      const user = this.#state.users.insert({
        id: randomUUID(),
        name: checked,
        passwordHash,
        isAdmin,
        isDisabled: false,
        groupIds: [],
        preferences: {},
        createdAtMs: this.#now().getTime(),
      });
      this.#audit.record(
        { action: 'user.add', target: targetOf(user), after: auditedOf(user) },
        by,
      );
      return viewOf(user);
    });
  }

  /**
   * Changes a user as a whole, or not at all. With another password his sessions end.
   * @throws {ServiceError} FORBIDDEN, NOT_FOUND, LAST_ADMIN, INVALID_FIELD, WEAK_PASSWORD, ALREADY_EXISTS
   */
  async change(
    userId: string,
    { password, ...changes }: UserChanges & { readonly password?: string },
    by: Actor,
  ): Promise<UserView> {
    assertAdmin(by);
    const passwordHash =
      password === undefined
        ? null
        : await this.#hashOfNew(password, changes.name ?? this.get(userId).name);
    return this.#state.write(() => {
      if (Object.keys(changes).length > 0) this.update(userId, changes, by);
      if (passwordHash !== null) this.#putPassword(userId, { passwordHash, by });
      return this.get(userId);
    });
  }

  /** @throws {ServiceError} FORBIDDEN, NOT_FOUND, LAST_ADMIN, INVALID_FIELD, ALREADY_EXISTS */
  update(userId: string, changes: UserChanges, by: Actor): UserView {
    assertAdmin(by);
    return this.#state.write(() => {
      const before = this.#state.users.require(userId);
      const after = this.#state.users.update(userId, (user) => ({
        ...user,
        isAdmin: changes.isAdmin ?? user.isAdmin,
        isDisabled: changes.isDisabled ?? user.isDisabled,
        name: changes.name === undefined ? user.name : checkedName(changes.name),
      }));
      if (isActiveAdmin(before)) assertAdminLeft(this.#state);
      if (after.isDisabled) this.#endSessions(userId);
      const values = { before: auditedOf(before), after: auditedOf(after) };
      this.#audit.record({ action: 'user.change', target: targetOf(after), ...values }, by);
      return viewOf(after);
    });
  }

  /**
   * Gives a user another password, and ends his sessions. For one's own, `Access.changeOwnPassword`.
   * @throws {ServiceError} FORBIDDEN, NOT_FOUND, WEAK_PASSWORD
   */
  async setPassword(userId: string, password: string, by: Actor): Promise<void> {
    assertAdmin(by);
    await this.replacePassword(userId, { password, keptSessionId: null, by });
  }

  /**
   * As `setPassword`, for whoever has shown the right to: the caller checks that.
   * @throws {ServiceError} NOT_FOUND, WEAK_PASSWORD
   */
  async replacePassword(
    userId: string,
    {
      password,
      keptSessionId,
      by,
    }: { readonly password: string; readonly keptSessionId: string | null; readonly by: Actor },
  ): Promise<void> {
    const passwordHash = await this.#hashOfNew(password, this.get(userId).name);
    this.#putPassword(userId, { passwordHash, keptSessionId, by });
  }

  /** Remembers what the dashboard shows a user: his own, or an admin's to change. @throws {ServiceError} FORBIDDEN, NOT_FOUND, INVALID_FIELD */
  setPreferences(userId: string, preferences: Readonly<Record<string, Json>>, by: Actor): UserView {
    const { identity } = by;
    const isOwn = identity.userId === userId && hasScope(identity, 'change');
    if (!isOwn && !isAdminWithin(identity)) {
      throw new ServiceError('FORBIDDEN', 'These are the preferences of another user.');
    }
    if (JSON.stringify(preferences).length > PREFERENCES_LENGTH_MAX) {
      throw new ServiceError(
        'INVALID_FIELD',
        `Preferences have at most ${PREFERENCES_LENGTH_MAX} characters of JSON.`,
        { field: 'preferences' },
      );
    }
    return viewOf(this.#state.users.update(userId, (user) => ({ ...user, preferences })));
  }

  /**
   * Removes a user with his sessions, tokens and grants. What he made stays, without an owner.
   * @throws {ServiceError} FORBIDDEN, NOT_FOUND, LAST_ADMIN
   */
  remove(userId: string, by: Actor): void {
    assertAdmin(by);
    const { users, tokens, grants, dashboards, alertRules } = this.#state;
    this.#state.write(() => {
      const user = users.require(userId);
      users.remove(userId);
      if (isActiveAdmin(user)) assertAdminLeft(this.#state);
      this.#endSessions(userId);
      for (const { id } of tokens.find('user', userId)) tokens.remove(id);
      for (const { id } of grants.find('subject', subjectKey({ kind: 'user', userId }))) {
        grants.remove(id);
      }
      for (const dashboard of dashboards.find('owner', userId)) {
        dashboards.put({ ...dashboard, ownerId: null });
      }
      // Nobody says any more on whose streams they may look.
      for (const rule of alertRules.find('owner', userId)) {
        alertRules.put({ ...rule, ownerId: null, isEnabled: false });
      }
      this.#audit.record(
        { action: 'user.remove', target: targetOf(user), before: auditedOf(user) },
        by,
      );
    });
  }

  #putPassword(
    userId: string,
    {
      passwordHash,
      keptSessionId = null,
      by,
    }: {
      readonly passwordHash: string;
      readonly keptSessionId?: string | null;
      readonly by: Actor;
    },
  ): void {
    this.#state.write(() => {
      const user = this.#state.users.update(userId, (held) => ({ ...held, passwordHash }));
      this.#endSessions(userId, keptSessionId);
      this.#audit.record({ action: 'user.password', target: targetOf(user) }, by);
    });
  }

  async #hashOfNew(password: string, name: string): Promise<string> {
    assertGoodPassword(password, { name, lengthMin: this.#lengthMin });
    return await this.#passwords.hash(password);
  }

  #endSessions(userId: string, keptSessionId: string | null = null): void {
    for (const { id } of this.#state.sessions.find('user', userId)) {
      if (id !== keptSessionId) this.#state.sessions.remove(id);
    }
  }
}

function isActiveAdmin({ isAdmin, isDisabled }: User): boolean {
  return isAdmin && !isDisabled;
}

function viewOf({ passwordHash, ...user }: User): UserView {
  return { ...user, hasPassword: passwordHash !== null };
}

function targetOf({ id, name }: User): { kind: string; id: string; name: string } {
  return { kind: 'user', id, name };
}

function auditedOf({ name, isAdmin, isDisabled, groupIds }: User): Json {
  return { name, isAdmin, isDisabled, groupIds };
}
