import type { Scope } from '../state/permissions.ts';

export type { Permission, Scope } from '../state/permissions.ts';

/** Who asks, as far as the service knows. */
export interface Identity {
  readonly kind: 'anonymous' | 'user' | 'token';
  /** Null: nobody in particular. */
  readonly userId: string | null;
  /** For people and the audit log. */
  readonly name: string;
  /** May everything, within the scopes. */
  readonly isAdmin: boolean;
  readonly groupIds: readonly string[];
  /** What a token is limited to; null: nothing, as with a session. */
  readonly scopes: ReadonlySet<Scope> | null;
}

/** Who has shown no credentials. */
export const ANONYMOUS: Identity = Object.freeze({
  kind: 'anonymous',
  userId: null,
  name: 'anonymous',
  isAdmin: false,
  groupIds: [],
  scopes: null,
});

/** Whoever can read and write the files of the service, and the service itself. */
export const OPERATOR: Identity = Object.freeze({
  kind: 'user',
  userId: null,
  name: 'operator',
  isAdmin: true,
  groupIds: [],
  scopes: null,
});

/** Whether the scopes allow it; whether the identity may do it at all is another question. */
export function hasScope(identity: Identity, scope: Scope): boolean {
  return identity.scopes === null || identity.scopes.has(scope);
}

/** Whether the identity may manage the service: users, jobs, everything. */
export function isAdminWithin(identity: Identity): boolean {
  return identity.isAdmin && hasScope(identity, 'admin');
}
