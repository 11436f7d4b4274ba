import type { Tags } from '../../model/tags.ts';
import { type GrantPermission, PERMISSIONS, type Permission } from '../state/permissions.ts';
import type { GrantSubject, GrantTarget } from '../state/records/grant.ts';
import { subjectKey } from '../state/records/grant.ts';
import type { StateStore } from '../state/state-store.ts';
import { GrantBoard } from './grant-board.ts';
import { maskOf, NO_PERMISSION, type PermissionMask, type WantedOn } from './grant-rules.ts';
import { hasScope, type Identity } from './identity.ts';

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
  readonly #board: GrantBoard;
  /** What everybody may do, whatever was granted. */
  readonly #everybody: PermissionMask;

  /** With `publicRead`, everybody may view every stream. */
  constructor(state: StateStore, { publicRead }: { readonly publicRead: boolean }) {
    this.#board = new GrantBoard(state);
    this.#everybody = publicRead ? maskOf(['view']) : NO_PERMISSION;
  }

  can(identity: Identity, permission: Permission, stream: PolicyStream): boolean {
    return this.filter(identity, permission)(stream);
  }

  /** Decides many streams by the grants of this moment: use it at once, do not keep it. */
  filter(identity: Identity, permission: Permission): (stream: PolicyStream) => boolean {
    if (!hasScope(identity, permission)) return () => false;
    if (identity.isAdmin) return () => true;
    return this.#allows(identity, maskOf([permission]));
  }

  /** Whether there may be a stream at all on which the identity has the permission. */
  canAnywhere(identity: Identity, permission: Permission): boolean {
    if (!hasScope(identity, permission)) return false;
    if (identity.isAdmin) return true;
    const wanted = maskOf([permission]);
    const rules = this.#board.rulesOf(subjectKeysOf(identity));
    return [this.#everybody, ...rules.map(({ anything }) => anything)].some(
      (mask) => (mask & wanted) !== 0,
    );
  }

  /** Whether the identity has the permission on every stream with these tags, whatever other tags it has. */
  canOnAll(identity: Identity, permission: Permission, tags: Tags): boolean {
    if (!hasScope(identity, permission)) return false;
    return identity.isAdmin || this.#allows(identity, maskOf([permission]))({ id: null, tags });
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
    const on = { id: null, tags };
    const may = (...permissions: GrantPermission[]): boolean =>
      this.#allows(identity, maskOf(permissions))(on);
    return may('create') || may('append', 'change');
  }

  /**
   * Whether the identity may give the stream other tags: it may change it, and nobody would gain permissions by
   * the tags that it could not grant on the stream, neither itself nor others.
   */
  canRetag(identity: Identity, stream: PolicyStream, tags: Tags): boolean {
    if (!this.can(identity, 'change', stream)) return false;
    const grantable = this.can(identity, 'grant', stream)
      ? maskOf(this.permissionsOn(identity, stream))
      : NO_PERMISSION;
    return (this.#gainedByTags(stream, tags) & ~grantable) === 0;
  }

  /** What somebody may do with the stream when it has these tags, and may not now. */
  #gainedByTags(stream: PolicyStream, tags: Tags): PermissionMask {
    const [rulesOfPublic] = this.#board.rulesOf([subjectKey({ kind: 'public' })]);
    const ofAll = this.#everybody | (rulesOfPublic?.granted(stream) ?? NO_PERMISSION);
    let gained = NO_PERMISSION;
    for (const rules of this.#board.allRules()) {
      gained |= rules.granted({ id: stream.id, tags }) & ~rules.granted(stream) & ~ofAll;
    }
    // `create` is about streams that are yet to come.
    return gained & maskOf(PERMISSIONS);
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
    return this.#allows(identity, maskOf([...permissions, 'grant']))(on);
  }

  /** Whether the grants of the identity, together, give all of the wanted permissions. */
  #allows(identity: Identity, wanted: PermissionMask): (on: WantedOn) => boolean {
    const rules = this.#board.rulesOf(subjectKeysOf(identity));
    const wantedOfRules = wanted & ~this.#everybody;
    return (on) => {
      let missing = wantedOfRules;
      for (const held of rules) {
        if (missing === 0) break;
        missing = held.missing(missing, on);
      }
      return missing === 0;
    };
  }
}

/** Everybody is part of the public. */
function subjectKeysOf({ userId, groupIds }: Identity): readonly string[] {
  const subjects: readonly GrantSubject[] = [
    { kind: 'public' },
    ...(userId === null ? [] : [{ kind: 'user' as const, userId }]),
    ...groupIds.map((groupId) => ({ kind: 'group' as const, groupId })),
  ];
  return subjects.map(subjectKey);
}

/** Creating a stream changes what there is. */
function scopeOf(permission: GrantPermission): Permission {
  return permission === 'create' ? 'change' : permission;
}
