import { randomUUID } from 'node:crypto';
import type { Json } from '../../model/tags.ts';
import { SCOPES, type Scope } from '../state/permissions.ts';
import type { Token } from '../state/records/token.ts';
import type { User } from '../state/records/user.ts';
import { ServiceError } from '../state/service-error.ts';
import type { StateStore } from '../state/state-store.ts';
import type { AccessParts } from './access-parts.ts';
import type { Actor, Audit } from './audit.ts';
import { hasScope, isAdminWithin } from './identity.ts';
import { checkedLabel } from './names.ts';
import { hashOfSecret, isApiToken, newApiToken } from './secrets.ts';
import { assertRoomForOne } from './user-limits.ts';

/** Uses within this time of each other are stored once. */
const USED_STEP_MS = 10 * 60_000;
/** How long a token that is over stays on the list. */
const KEPT_AFTER_END_MS = 90 * 86_400_000;

/** A token as its owner sees it. */
export type TokenView = Omit<Token, 'hash'>;

export interface NewToken {
  readonly userId: string;
  /** What its owner calls it. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Null: never. */
  readonly expiresAtMs: number | null;
}

/** API tokens. Users see to their own; admins to all. */
export class Tokens {
  readonly #state: StateStore;
  readonly #audit: Audit;
  readonly #now: () => Date;
  readonly #countMax: number;

  constructor({ state, audit, settings, now }: AccessParts) {
    this.#countMax = settings.tokensPerUserMax;
    this.#state = state;
    this.#audit = audit;
    this.#now = now;
  }

  /** The tokens of a user, or of all, newest first. @throws {ServiceError} FORBIDDEN */
  list({ userId }: { readonly userId: string | null }, by: Actor): readonly TokenView[] {
    assertOwn(userId, by);
    const { tokens } = this.#state;
    const found = userId === null ? tokens.all() : tokens.find('user', userId);
    return [...found].sort((a, b) => b.createdAtMs - a.createdAtMs).map(viewOf);
  }

  /**
   * Makes a token. Its text is given here and never again.
   * @throws {ServiceError} FORBIDDEN for another's, or with scopes that whoever asks has not; NOT_FOUND; INVALID_FIELD;
   * LIMIT_REACHED
   */
  create(
    { userId, name, scopes, expiresAtMs }: NewToken,
    by: Actor,
  ): { readonly secret: string; readonly token: TokenView } {
    assertOwn(userId, by);
    const nowMs = this.#now().getTime();
    if (expiresAtMs !== null && !(expiresAtMs > nowMs)) {
      throw new ServiceError('INVALID_FIELD', 'A token expires in the future.', {
        field: 'expires',
      });
    }
    if (scopes.length === 0) {
      throw new ServiceError('INVALID_FIELD', 'A token has at least one scope.', {
        field: 'scopes',
      });
    }
    const label = checkedLabel(name);
    const secret = newApiToken();
    return this.#state.write(() => {
      const owner = this.#state.users.require(userId);
      assertScopes(scopes, owner, by);
      this.#makeRoom(userId, by);
      const token = this.#state.tokens.insert({
        id: randomUUID(),
        userId,
        name: label,
        hash: hashOfSecret(secret),
        scopes: SCOPES.filter((scope) => scopes.includes(scope)),
        createdAtMs: nowMs,
        expiresAtMs,
        lastUsedAtMs: null,
        revokedAtMs: null,
      });
      this.#audit.record(
        { action: 'token.create', target: targetOf(token), after: auditedOf(token, owner) },
        by,
      );
      return { secret, token: viewOf(token) };
    });
  }

  /** Ends a token at once. @throws {ServiceError} NOT_FOUND for none, and for another's that is not one's to see. */
  revoke(tokenId: string, by: Actor): TokenView {
    return this.#state.write(() => {
      const before = this.#state.tokens.require(tokenId);
      if (before.userId !== by.identity.userId && !isAdminWithin(by.identity)) {
        throw new ServiceError('NOT_FOUND', `No token ${JSON.stringify(tokenId)}.`);
      }
      assertOwn(before.userId, by);
      if (before.revokedAtMs !== null) return viewOf(before);
      const token = this.#state.tokens.put({ ...before, revokedAtMs: this.#now().getTime() });
      this.#audit.record({ action: 'token.revoke', target: targetOf(token) }, by);
      return viewOf(token);
    });
  }

  /** The token and its owner, as long as both are good; notes the use. */
  find(secret: string): { readonly token: TokenView; readonly user: User } | null {
    if (!isApiToken(secret)) return null;
    const { token, user } = this.#state.read(() => {
      const held = this.#state.tokens.findOne('hash', hashOfSecret(secret));
      return { token: held, user: held && this.#state.users.get(held.userId) };
    });
    const nowMs = this.#now().getTime();
    if (token === null || !isGood(token, nowMs) || user === null || user.isDisabled) return null;
    if (nowMs - (token.lastUsedAtMs ?? Number.NEGATIVE_INFINITY) >= USED_STEP_MS) {
      this.#noteUse(token.id, nowMs);
    }
    return { token: viewOf(token), user };
  }

  /** Forgets tokens that expired or were revoked long ago. */
  removeEnded(): void {
    const limitMs = this.#now().getTime() - KEPT_AFTER_END_MS;
    this.#state.write(() => {
      for (const { id, expiresAtMs, revokedAtMs } of this.#state.tokens.all()) {
        const endedAtMs = Math.min(expiresAtMs ?? Infinity, revokedAtMs ?? Infinity);
        if (endedAtMs < limitMs) this.#state.tokens.remove(id);
      }
    });
  }

  /** Those that are over make room before anything is refused. */
  #makeRoom(userId: string, by: Actor): void {
    const { tokens } = this.#state;
    if (tokens.count('user', userId) < this.#countMax) return;
    const nowMs = this.#now().getTime();
    const [ended] = tokens
      .find('user', userId)
      .filter((token) => !isGood(token, nowMs))
      .sort((a, b) => a.createdAtMs - b.createdAtMs);
    if (ended !== undefined) tokens.remove(ended.id);
    const limit = {
      heldCount: tokens.count('user', userId),
      countMax: this.#countMax,
      what: 'API tokens',
      setting: 'limits.tokensPerUser',
    };
    assertRoomForOne(limit, by);
  }

  #noteUse(tokenId: string, nowMs: number): void {
    this.#state.write(() => {
      // Another process may have removed or revoked it in the meantime.
      const token = this.#state.tokens.get(tokenId);
      if (token !== null) this.#state.tokens.put({ ...token, lastUsedAtMs: nowMs });
    });
  }
}

function isGood({ expiresAtMs, revokedAtMs }: Token, nowMs: number): boolean {
  return revokedAtMs === null && (expiresAtMs === null || nowMs < expiresAtMs);
}

/** A token sees to tokens only with the scope `admin`: one that leaked must not outlive its end. */
function assertOwn(userId: string | null, { identity }: Actor): void {
  if (isAdminWithin(identity)) return;
  if (identity.kind === 'user' && identity.userId !== null && identity.userId === userId) return;
  throw new ServiceError('FORBIDDEN', 'These are the tokens of others.');
}

function assertScopes(scopes: readonly Scope[], owner: User, { identity }: Actor): void {
  for (const scope of scopes) {
    if (scope === 'admin' && !owner.isAdmin) {
      throw new ServiceError('FORBIDDEN', `${owner.name} is no admin.`, { field: 'scopes' });
    }
    if (!hasScope(identity, scope)) {
      throw new ServiceError('FORBIDDEN', `A token without the scope ${scope} cannot give it.`, {
        field: 'scopes',
      });
    }
  }
}

function viewOf({ hash: _hash, ...token }: Token): TokenView {
  return token;
}

function targetOf({ id, name }: Token): { kind: string; id: string; name: string } {
  return { kind: 'token', id, name };
}

function auditedOf({ userId, scopes, expiresAtMs }: Token, owner: User): Json {
  return { userId, user: owner.name, scopes, expiresAtMs };
}
