import { randomUUID } from 'node:crypto';
import { canonicalJson, type Json, matchesTags, type Tags } from '../../model/tags.ts';
import { GRANT_PERMISSIONS, type GrantPermission, PERMISSIONS } from '../state/permissions.ts';
import {
  type Grant,
  type GrantSubject,
  type GrantTarget,
  subjectKey,
} from '../state/records/grant.ts';
import { ServiceError } from '../state/service-error.ts';
import type { StateStore } from '../state/state-store.ts';
import type { AccessParts } from './access-parts.ts';
import type { Actor, Audit } from './audit.ts';
import type { Policy } from './policy.ts';
import { assertRoomForOne } from './user-limits.ts';

/** Streams of one call that the audit log names one by one. */
const NAMED_STREAM_COUNT_MAX = 20;

export interface NewGrant {
  readonly subject: GrantSubject;
  readonly permissions: readonly GrantPermission[];
  readonly target: GrantTarget;
}

/** Who was granted what. Whoever has `grant` and the permission itself gives it, and takes it back. */
export class Grants {
  readonly #state: StateStore;
  readonly #audit: Audit;
  readonly #policy: Policy;
  readonly #now: () => Date;
  readonly #givenCountMax: number;

  constructor({ state, audit, policy, settings, now }: AccessParts) {
    this.#givenCountMax = settings.grantsPerUserMax;
    this.#state = state;
    this.#audit = audit;
    this.#policy = policy;
    this.#now = now;
  }

  /** All grants, or those of one subject, oldest first. */
  list({ subject }: { readonly subject?: GrantSubject } = {}): readonly Grant[] {
    const { grants } = this.#state;
    return oldestFirst(
      subject === undefined ? grants.all() : grants.find('subject', subjectKey(subject)),
    );
  }

  /** Those that name the stream; tag queries that match it are not among them. */
  ofStream(streamId: string): readonly Grant[] {
    return oldestFirst(this.#state.grants.find('stream', streamId));
  }

  /** Those by tag queries that give something on a stream with these tags, oldest first. */
  ofTags(tags: Tags): readonly Grant[] {
    const matching = [...this.#state.grants.all()].filter(
      ({ target, permissions }) =>
        target.kind === 'query' &&
        permissions.some((permission) => permission !== 'create') &&
        matchesTags(tags, target.tags),
    );
    return oldestFirst(matching);
  }

  /** Who has had the stream the longest of those who decide about it: mostly who created it. Null: nobody. */
  ownerIdOf(streamId: string): string | null {
    for (const { subject, permissions } of this.ofStream(streamId)) {
      if (subject.kind === 'user' && permissions.includes('grant')) return subject.userId;
    }
    return null;
  }

  /** @throws {ServiceError} NOT_FOUND */
  get(grantId: string): Grant {
    return this.#state.grants.require(grantId);
  }

  /**
   * Grants; adds to what the subject has on the same target, if he has something. `tags` are those of the
   * stream that the target names, as its permissions may come from its tags.
   * @throws {ServiceError} FORBIDDEN, NOT_FOUND for the subject, INVALID_FIELD, LIMIT_REACHED
   */
  add(
    { subject, permissions, target, tags = null }: NewGrant & { readonly tags?: Tags | null },
    by: Actor,
  ): Grant {
    assertSensible({ subject, permissions, target });
    return this.#state.write(() => {
      // First: who may not grant is not told who there is.
      this.assertMayGrant(permissions, { target, tags }, by);
      this.#assertSubject(subject);
      const before = this.#same(subject, target);
      const { userId } = by.identity;
      if (before === null && userId !== null) this.#assertRoom(userId, by);
      const all = [...permissions, ...(before?.permissions ?? [])];
      const grant = this.#state.grants.put({
        id: before?.id ?? randomUUID(),
        subject,
        permissions: GRANT_PERMISSIONS.filter((permission) => all.includes(permission)),
        target,
        giverId: before === null ? userId : before.giverId,
        createdAtMs: before?.createdAtMs ?? this.#now().getTime(),
      });
      const values = {
        before: before === null ? null : auditedOf(before),
        after: auditedOf(grant),
      };
      this.#audit.record({ action: 'grant.add', target: targetOf(grant), ...values }, by);
      return grant;
    });
  }

  /** Takes a grant back. @throws {ServiceError} FORBIDDEN, NOT_FOUND */
  remove(grantId: string, { tags = null }: { readonly tags?: Tags | null }, by: Actor): void {
    this.#state.write(() => {
      const grant = this.#state.grants.require(grantId);
      this.assertMayGrant(grant.permissions, { target: grant.target, tags }, by);
      this.#state.grants.remove(grantId);
      this.#audit.record(
        { action: 'grant.remove', target: targetOf(grant), before: auditedOf(grant) },
        by,
      );
    });
  }

  /** Notes that somebody created streams: he gets every permission on them. */
  noteCreated(streamIds: readonly string[], by: Actor): void {
    if (streamIds.length === 0) return;
    const { userId } = by.identity;
    this.#state.write(() => {
      const creator = userId === null ? null : this.#state.users.get(userId);
      for (const streamId of creator === null ? [] : streamIds) {
        this.#state.grants.insert({
          id: randomUUID(),
          subject: { kind: 'user', userId: creator!.id },
          permissions: PERMISSIONS,
          target: { kind: 'stream', streamId },
          giverId: null,
          createdAtMs: this.#now().getTime(),
        });
      }
      this.#recordStreams('stream.create', streamIds, by);
    });
  }

  /** Notes that somebody deleted streams: what was granted on them is over. */
  noteDeleted(streamIds: readonly string[], by: Actor): void {
    if (streamIds.length === 0) return;
    this.#state.write(() => {
      for (const streamId of streamIds) {
        for (const { id } of this.#state.grants.find('stream', streamId))
          this.#state.grants.remove(id);
      }
      this.#recordStreams('stream.delete', streamIds, by);
    });
  }

  #recordStreams(action: string, streamIds: readonly string[], by: Actor): void {
    const named = streamIds.slice(0, NAMED_STREAM_COUNT_MAX);
    this.#audit.record(
      {
        action,
        target: { kind: 'stream', id: streamIds[0]! },
        after: { streamIds: named, streamCount: streamIds.length },
      },
      by,
    );
  }

  #assertRoom(giverId: string, by: Actor): void {
    const limit = {
      heldCount: this.#state.grants.count('giver', giverId),
      countMax: this.#givenCountMax,
      what: 'grants that he has given',
      setting: 'limits.grantsPerUser',
    };
    assertRoomForOne(limit, by);
  }

  #assertSubject(subject: GrantSubject): void {
    if (subject.kind === 'user') this.#state.users.require(subject.userId);
    if (subject.kind === 'group') this.#state.groups.require(subject.groupId);
  }

  /** @throws {ServiceError} FORBIDDEN */
  assertMayGrant(
    permissions: readonly GrantPermission[],
    on: { readonly target: GrantTarget; readonly tags: Tags | null },
    by: Actor,
  ): void {
    if (this.#policy.canGrant(by.identity, permissions, on)) return;
    throw new ServiceError(
      'FORBIDDEN',
      `Granting ${permissions.join(', ')} here needs the permission grant, and each of these, on all of it.`,
    );
  }

  #same(subject: GrantSubject, target: GrantTarget): Grant | null {
    const wanted = canonicalJson(target);
    const held = this.#state.grants.find('subject', subjectKey(subject));
    return held.find((grant) => canonicalJson(grant.target) === wanted) ?? null;
  }
}

/** @throws {ServiceError} INVALID_FIELD */
function assertSensible({ subject, permissions, target }: NewGrant): void {
  const problem = (message: string, field: string): ServiceError =>
    new ServiceError('INVALID_FIELD', message, { field });
  if (permissions.length === 0)
    throw problem('A grant has at least one permission.', 'permissions');
  if (subject.kind === 'public' && permissions.some((permission) => permission !== 'view')) {
    throw problem('The public gets nothing but view.', 'permissions');
  }
  if (target.kind === 'stream' && permissions.includes('create')) {
    throw problem('create is granted on tags, not on a stream.', 'permissions');
  }
  if (target.kind === 'query' && Object.hasOwn(target.tags, 'stream_id')) {
    throw problem('stream_id is no tag; grant on the stream instead.', 'target');
  }
}

function oldestFirst(grants: readonly Grant[]): readonly Grant[] {
  return [...grants].sort((a, b) => a.createdAtMs - b.createdAtMs);
}

function targetOf({ id }: Grant): { kind: string; id: string } {
  return { kind: 'grant', id };
}

function auditedOf({ subject, permissions, target }: Grant): Json {
  return { subject: { ...subject }, permissions, target: { ...target } };
}
