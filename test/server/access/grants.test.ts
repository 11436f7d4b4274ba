import { describe, expect, test } from '@jest/globals';
import type { GrantPermission } from '../../../src/server/state/permissions.ts';
import type { GrantSubject } from '../../../src/server/state/records/grant.ts';
import { accessFixture, BY_OPERATOR } from './support.ts';

const SITE_A = { kind: 'query', tags: { site: 'a' } } as const;
const STREAM = { id: 's1', tags: { site: 'a' } };
const ON_STREAM = { kind: 'stream', streamId: 's1' } as const;

describe('grants', () => {
  test('of the creator are all there are, until the stream is deleted', async () => {
    const { access, addUser, actor, audited } = await accessFixture();
    const anna = actor(await addUser('anna'));
    const bert = await addUser('bert');
    access.grants.noteCreated(['s1', 's2'], anna);
    access.grants.noteCreated([], anna);
    access.grants.noteCreated(['s3'], BY_OPERATOR);
    expect(access.policy.permissionsOn(anna.identity, STREAM)).toEqual([
      'view',
      'append',
      'change',
      'delete',
      'grant',
    ]);
    const subject = { kind: 'user', userId: bert.id } as const;
    access.grants.add({ subject, permissions: ['view'], target: ON_STREAM, tags: {} }, anna);
    expect(access.grants.ofStream('s1')).toHaveLength(2);
    access.grants.noteDeleted(['s1'], anna);
    expect(access.grants.list().map(({ target }) => target)).toEqual([
      { kind: 'stream', streamId: 's2' },
    ]);
    expect(audited().slice(2)).toEqual([
      'stream.create',
      'stream.create',
      'grant.add',
      'stream.delete',
    ]);
    expect(access.audit.page({ limit: 1 }).entries[0]).toMatchObject({
      actor: { kind: 'user', userId: anna.identity.userId, name: 'anna', address: '192.0.2.1' },
      target: { kind: 'stream', id: 's1', name: null },
      after: { streamIds: ['s1'], streamCount: 1 },
    });
  });

  test('on the same target add up, and are taken back as a whole', async () => {
    const { access, addUser, actor } = await accessFixture();
    const user = await addUser('anna');
    const subject = { kind: 'user', userId: user.id } as const;
    const add = (...permissions: GrantPermission[]): string =>
      access.grants.add({ subject, permissions, target: SITE_A }, BY_OPERATOR).id;
    const id = add('append');
    expect(add('view', 'append')).toBe(id);
    expect(access.grants.get(id).permissions).toEqual(['view', 'append']);
    expect(access.audit.page({ limit: 1 }).entries[0]).toMatchObject({
      before: { permissions: ['append'] },
      after: { permissions: ['view', 'append'], target: SITE_A, subject },
    });
    const anna = actor(user);
    expect(() => access.grants.remove(id, {}, anna)).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    );
    access.grants.remove(id, {}, BY_OPERATOR);
    expect(access.policy.can(anna.identity, 'view', STREAM)).toBe(false);
    expect(() => access.grants.remove(id, {}, BY_OPERATOR)).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    );
  });

  test('are given by whoever has them, as far as he has them', async () => {
    const { access, addUser, actor } = await accessFixture();
    const [user, other] = [await addUser('anna'), await addUser('bert')];
    const anna = actor(user);
    const give = (permission: GrantPermission, target: typeof SITE_A | typeof ON_STREAM): unknown =>
      access.grants.add(
        {
          subject: { kind: 'user', userId: other.id },
          permissions: [permission],
          target,
          tags: STREAM.tags,
        },
        anna,
      );
    const forbidden = expect.objectContaining({ code: 'FORBIDDEN' });
    expect(() => give('view', ON_STREAM)).toThrow(forbidden);
    const subject = { kind: 'user', userId: user.id } as const;
    access.grants.add({ subject, permissions: ['view', 'grant'], target: SITE_A }, BY_OPERATOR);
    give('view', ON_STREAM);
    give('grant', SITE_A);
    expect(() => give('append', ON_STREAM)).toThrow(forbidden);
    // Bert passes on what he got, and no more.
    const bert = actor(other);
    expect(access.policy.permissionsOn(bert.identity, STREAM)).toEqual(['view', 'grant']);
    expect(access.policy.permissionsOn(bert.identity, { id: 's2', tags: STREAM.tags })).toEqual([
      'grant',
    ]);
  });

  test.each<[string, object]>([
    ['nothing', { permissions: [] }],
    ['more than view to the public', { subject: { kind: 'public' }, permissions: ['append'] }],
    ['create on a stream', { permissions: ['create'], target: ON_STREAM }],
    ['an id as a tag', { target: { kind: 'query', tags: { stream_id: 's1' } } }],
  ])('do not give %s', async (_what, wrong) => {
    const { access, addUser } = await accessFixture();
    const subject: GrantSubject = { kind: 'user', userId: (await addUser('anna')).id };
    const grant = { subject, permissions: ['view' as const], target: SITE_A };
    expect(() => access.grants.add({ ...grant, ...wrong }, BY_OPERATOR)).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD' }),
    );
    expect(access.grants.list()).toEqual([]);
  });

  test('need somebody who gets them', async () => {
    const { access } = await accessFixture();
    for (const subject of [
      { kind: 'user', userId: 'nobody' },
      { kind: 'group', groupId: 'nobody' },
    ] as const) {
      expect(() =>
        access.grants.add({ subject, permissions: ['view'], target: SITE_A }, BY_OPERATOR),
      ).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    }
  });
});

describe('groups', () => {
  test('give their users what they are granted, as long as there is the group', async () => {
    const { access, addUser, actor, audited } = await accessFixture();
    const user = await addUser('anna');
    const may = (): boolean => access.policy.can(actor(user).identity, 'view', STREAM);
    const group = access.groups.add('Crew', BY_OPERATOR);
    const subject = { kind: 'group', groupId: group.id } as const;
    access.grants.add({ subject, permissions: ['view'], target: SITE_A }, BY_OPERATOR);
    expect(may()).toBe(false);
    const member = { groupId: group.id, userId: user.id };
    access.groups.setMember({ ...member, isMember: true }, BY_OPERATOR);
    access.groups.setMember({ ...member, isMember: true }, BY_OPERATOR);
    expect(may()).toBe(true);
    expect(access.groups.memberIds(group.id)).toEqual([user.id]);
    access.groups.setMember({ ...member, isMember: false }, BY_OPERATOR);
    expect(may()).toBe(false);
    access.groups.setMember({ ...member, isMember: true }, BY_OPERATOR);
    access.groups.remove(group.id, BY_OPERATOR);
    expect(may()).toBe(false);
    expect(access.users.get(user.id).groupIds).toEqual([]);
    expect(access.grants.list()).toEqual([]);
    expect(audited().slice(1)).toEqual([
      'group.add',
      'grant.add',
      'group.join',
      'group.leave',
      'group.join',
      'group.remove',
    ]);
  });

  test('have names of their own, and admins who see to them', async () => {
    const { access, addUser, actor } = await accessFixture();
    const anna = actor(await addUser('anna'));
    const crew = access.groups.add('crew', BY_OPERATOR);
    expect(() => access.groups.add('CREW', BY_OPERATOR)).toThrow(
      expect.objectContaining({ code: 'ALREADY_EXISTS' }),
    );
    expect(access.groups.rename(crew.id, 'Crew', BY_OPERATOR).name).toBe('Crew');
    expect(access.groups.list().map(({ name }) => name)).toEqual(['Crew']);
    const forbidden = expect.objectContaining({ code: 'FORBIDDEN' });
    const member = { groupId: crew.id, userId: anna.identity.userId!, isMember: true };
    for (const change of [
      () => access.groups.add('other', anna),
      () => access.groups.rename(crew.id, 'x', anna),
      () => access.groups.remove(crew.id, anna),
      () => access.groups.setMember(member, anna),
    ]) {
      expect(change).toThrow(forbidden);
    }
  });
});
