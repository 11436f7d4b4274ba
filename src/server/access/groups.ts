import { randomUUID } from 'node:crypto';
import { subjectKey } from '../state/records/grant.ts';
import type { Group } from '../state/records/group.ts';
import { nameKey } from '../state/records/user.ts';
import { ServiceError } from '../state/service-error.ts';
import type { StateStore } from '../state/state-store.ts';
import type { AccessParts } from './access-parts.ts';
import { assertAdmin } from './admin-check.ts';
import type { Actor, Audit } from './audit.ts';
import { checkedName } from './names.ts';

/** Groups of users. Every change is an admin's. */
export class Groups {
  readonly #state: StateStore;
  readonly #audit: Audit;
  readonly #now: () => Date;

  constructor({ state, audit, now }: AccessParts) {
    this.#state = state;
    this.#audit = audit;
    this.#now = now;
  }

  /** All groups, by name. */
  list(): readonly Group[] {
    return [...this.#state.groups.all()].sort((a, b) =>
      nameKey(a.name) < nameKey(b.name) ? -1 : 1,
    );
  }

  /** @throws {ServiceError} NOT_FOUND */
  get(groupId: string): Group {
    return this.#state.groups.require(groupId);
  }

  /** @throws {ServiceError} NOT_FOUND */
  byName(name: string): Group {
    const group = this.#state.groups.findOne('name', nameKey(name));
    if (group !== null) return group;
    throw new ServiceError('NOT_FOUND', `No group named ${JSON.stringify(name)}.`);
  }

  /** Ids of the users in the group. @throws {ServiceError} NOT_FOUND */
  memberIds(groupId: string): readonly string[] {
    this.#state.groups.require(groupId);
    return this.#state.users.find('group', groupId).map(({ id }) => id);
  }

  /** @throws {ServiceError} FORBIDDEN, INVALID_FIELD, ALREADY_EXISTS */
  add(name: string, by: Actor): Group {
    assertAdmin(by);
    return this.#state.write(() => {
      const createdAtMs = this.#now().getTime();
      const group = this.#state.groups.insert({
        id: randomUUID(),
        name: checkedName(name),
        createdAtMs,
      });
      this.#audit.record({ action: 'group.add', target: targetOf(group) }, by);
      return group;
    });
  }

  /** @throws {ServiceError} FORBIDDEN, NOT_FOUND, INVALID_FIELD, ALREADY_EXISTS */
  rename(groupId: string, name: string, by: Actor): Group {
    assertAdmin(by);
    return this.#state.write(() => {
      const before = this.#state.groups.require(groupId);
      const group = this.#state.groups.put({ ...before, name: checkedName(name) });
      const values = { before: { name: before.name }, after: { name: group.name } };
      this.#audit.record({ action: 'group.change', target: targetOf(group), ...values }, by);
      return group;
    });
  }

  /** Removes a group and what was granted to it; its users stay. @throws {ServiceError} FORBIDDEN, NOT_FOUND */
  remove(groupId: string, by: Actor): void {
    assertAdmin(by);
    const { groups, users, grants } = this.#state;
    this.#state.write(() => {
      const group = groups.require(groupId);
      for (const user of users.find('group', groupId)) {
        users.put({ ...user, groupIds: user.groupIds.filter((id) => id !== groupId) });
      }
      for (const { id } of grants.find('subject', subjectKey({ kind: 'group', groupId }))) {
        grants.remove(id);
      }
      groups.remove(groupId);
      this.#audit.record({ action: 'group.remove', target: targetOf(group) }, by);
    });
  }

  /** Adds a user to a group, or takes him out; nothing happens where it is so already. @throws {ServiceError} FORBIDDEN, NOT_FOUND */
  setMember(
    { groupId, userId, isMember }: { groupId: string; userId: string; isMember: boolean },
    by: Actor,
  ): void {
    assertAdmin(by);
    const { groups, users } = this.#state;
    this.#state.write(() => {
      const group = groups.require(groupId);
      const user = users.require(userId);
      if (user.groupIds.includes(groupId) === isMember) return;
      const others = user.groupIds.filter((id) => id !== groupId);
      users.put({ ...user, groupIds: isMember ? [...others, groupId] : others });
      const action = isMember ? 'group.join' : 'group.leave';
      const member = { userId, name: user.name };
      this.#audit.record({ action, target: targetOf(group), after: member }, by);
    });
  }
}

function targetOf({ id, name }: Group): { kind: string; id: string; name: string } {
  return { kind: 'group', id, name };
}
