import type { Tags } from '../../model/tags.ts';
import { type GrantPermission, PERMISSIONS, type Permission } from '../state/permissions.ts';
import type { GrantSubject, GrantTarget } from '../state/records/grant.ts';
import { subjectKey } from '../state/records/grant.ts';
import type { StateStore } from '../state/state-store.ts';
import { GrantRules, maskOf, NO_PERMISSION } from './grant-rules.ts';
import { hasScope, type Identity } from './identity.ts';

/** Identities whose rules are kept ready. */
const CACHED_COUNT_MAX = 500;

/** What the policy knows of a stream. */
export interface PolicyStream {
  readonly id: string;
  readonly tags: Tags;
}

/**
 * Who may do what. Permissions come from the grants of the user, of his groups and of the public; an admin
 * has them all; the scopes of a token take away. Grants that any process changed count from the next call on.
 */
export class Policy {
  readonly #state: StateStore;
  readonly #everywhere: number;
  readonly #rules: Map<string, GrantRules> = new Map();
  #revision: string | null = null;

  /** With `publicRead`, everybody may view every stream. */
  constructor(state: StateStore, { publicRead }: { readonly publicRead: boolean }) {
    this.#state = state;
    this.#everywhere = publicRead ? maskOf(['view']) : NO_PERMISSION;
  }

  can(identity: Identity, permission: Permission, stream: PolicyStream): boolean {
    return this.filter(identity, permission)(stream);
  }

  /** Decides many streams by the grants of this moment: use it at once, do not keep it. */
  filter(identity: Identity, permission: Permission): (stream: PolicyStream) => boolean {
    if (!hasScope(identity, permission)) return () => false;
    if (identity.isAdmin) return () => true;
    const rules = this.#rulesOf(identity);
    const wanted = maskOf([permission]);
    return (stream) => rules.allows(wanted, stream);
  }

  /** Whether there may be a stream at all on which the identity has the permission. */
  canAnywhere(identity: Identity, permission: Permission): boolean {
    if (!hasScope(identity, permission)) return false;
    return identity.isAdmin || this.#rulesOf(identity).allowsAnything(maskOf([permission]));
  }

  /** The permissions on a stream, in the order of `PERMISSIONS`. */
  permissionsOn(identity: Identity, stream: PolicyStream): readonly Permission[] {
    return PERMISSIONS.filter((permission) => this.can(identity, permission, stream));
  }

  /**
   * Whether the identity may create a stream with these tags: it may append to and change every stream that
   * has them, or a grant says `create`. A token needs the scopes `append` and `change`.
   */
  canCreate(identity: Identity, tags: Tags): boolean {
    if (!hasScope(identity, 'append') || !hasScope(identity, 'change')) return false;
    if (identity.isAdmin) return true;
    const rules = this.#rulesOf(identity);
    const target = { id: null, tags };
    return (
      rules.allows(maskOf(['create']), target) || rules.allows(maskOf(['append', 'change']), target)
    );
  }

  /**
   * Whether the identity may give the stream other tags: it may change it, and would not gain permissions
   * by the tags. Whoever may grant on the stream decides for others, so he needs no more.
   */
  canRetag(identity: Identity, stream: PolicyStream, tags: Tags): boolean {
    if (!this.can(identity, 'change', stream)) return false;
    const isGained = (permission: Permission): boolean =>
      this.can(identity, permission, { id: stream.id, tags }) &&
      !this.can(identity, permission, stream);
    return this.can(identity, 'grant', stream) || !PERMISSIONS.some(isGained);
  }

  /**
   * Whether the identity may give, and take back, these permissions: it has `grant` and each of them on the
   * whole target. `create` is an admin's to give. Of a stream the tags are asked for, null where it is gone.
   */
  canGrant(
    identity: Identity,
    permissions: readonly GrantPermission[],
    { target, tags }: { readonly target: GrantTarget; readonly tags: Tags | null },
  ): boolean {
    if (permissions.some((permission) => !hasScope(identity, scopeOf(permission)))) return false;
    if (!hasScope(identity, 'grant')) return false;
    if (identity.isAdmin) return true;
    if (permissions.includes('create')) return false;
    const on =
      target.kind === 'stream'
        ? { id: target.streamId, tags: tags ?? {} }
        : { id: null, tags: target.tags };
    return this.#rulesOf(identity).allows(maskOf([...permissions, 'grant']), on);
  }

  #rulesOf(identity: Identity): GrantRules {
    const { revision } = this.#state.grants;
    if (revision !== this.#revision || this.#rules.size >= CACHED_COUNT_MAX) {
      this.#rules.clear();
      this.#revision = revision;
    }
    const keys = subjectsOf(identity).map(subjectKey);
    const cacheKey = keys.join('\n');
    let rules = this.#rules.get(cacheKey);
    if (rules === undefined) {
      const grants = keys.flatMap((key) => this.#state.grants.find('subject', key));
      rules = new GrantRules(grants, this.#everywhere);
      this.#rules.set(cacheKey, rules);
    }
    return rules;
  }
}

/** Everybody is part of the public. */
function subjectsOf({ userId, groupIds }: Identity): readonly GrantSubject[] {
  return [
    { kind: 'public' },
    ...(userId === null ? [] : [{ kind: 'user' as const, userId }]),
    ...groupIds.map((groupId) => ({ kind: 'group' as const, groupId })),
  ];
}

/** Creating a stream changes what there is. */
function scopeOf(permission: GrantPermission): Permission {
  return permission === 'create' ? 'change' : permission;
}
