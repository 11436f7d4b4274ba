import { describe, expect, test } from '@jest/globals';
import { accessFixture, BY_OPERATOR, PASSWORD } from './support.ts';

describe('users', () => {
  test('are added by admins, with names that differ in more than case', async () => {
    const { access, addUser, actor } = await accessFixture();
    const anna = await addUser('Anna');
    expect(anna).toMatchObject({ name: 'Anna', isAdmin: false, hasPassword: true });
    expect(anna).not.toHaveProperty('passwordHash');
    await expect(addUser('aNNa')).rejects.toMatchObject({ code: 'ALREADY_EXISTS', field: 'name' });
    const again = access.users.add({ name: 'bert', password: null }, actor(anna));
    await expect(again).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(access.users.list().map(({ name }) => name)).toEqual(['Anna']);
    expect(access.users.byName('ANNA').id).toBe(anna.id);
    expect(() => access.users.byName('bert')).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    );
  });

  test.each(['', ' anna', 'a:b', 'a b', '-x', 'a'.repeat(65), 'a\u0000', 'a/b'])(
    'are not named %j',
    async (name) => {
      const { addUser } = await accessFixture();
      await expect(addUser(name)).rejects.toMatchObject({ code: 'INVALID_FIELD', field: 'name' });
    },
  );

  test.each([
    ['short'],
    ['nine char'],
    ['1234567890'],
    ['Password123'],
    ['aaaaaaaaaaaaaa'],
    ['ababababababab'],
    ['abcdefghijklmno'],
    ['Longer-Name'],
    ['x'.repeat(600) + 'abcdef'.repeat(100)],
  ])('do not get the password %j', async (password) => {
    const { access } = await accessFixture();
    const added = access.users.add({ name: 'longer-name', password }, BY_OPERATOR);
    await expect(added).rejects.toMatchObject({ code: 'WEAK_PASSWORD', field: 'password' });
    expect(access.hasUsers).toBe(false);
  });

  test('the last admin is not removed, disabled or demoted', async () => {
    const { access, addUser, actor } = await accessFixture();
    const root = await addUser('root', { isAdmin: true });
    const by = actor(root);
    const lastAdmin = expect.objectContaining({ code: 'LAST_ADMIN' });
    const { users } = access;
    expect(() => users.remove(root.id, by)).toThrow(lastAdmin);
    expect(() => users.update(root.id, { isAdmin: false }, by)).toThrow(lastAdmin);
    expect(() => users.update(root.id, { isDisabled: true }, by)).toThrow(lastAdmin);
    const other = await addUser('other', { isAdmin: true });
    users.update(other.id, { isDisabled: true }, by);
    expect(() => users.remove(root.id, BY_OPERATOR)).toThrow(lastAdmin);
    expect(users.get(root.id)).toMatchObject({ isAdmin: true, isDisabled: false });
    users.update(other.id, { isDisabled: false }, by);
    users.update(root.id, { isAdmin: false }, by);
    expect(() => users.remove(other.id, BY_OPERATOR)).toThrow(lastAdmin);
  });

  test('leave nothing behind that could be used, and what they made without an owner', async () => {
    const { access, state, addUser, actor, audited } = await accessFixture();
    const anna = await addUser('anna');
    const bert = await addUser('bert');
    const { session } = await access.login({ name: 'anna', password: PASSWORD, address: null });
    const { secret } = access.tokens.create(
      { userId: anna.id, name: 'script', scopes: ['view'], expiresAtMs: null },
      actor(anna),
    );
    access.grants.noteCreated(['s1'], actor(anna));
    access.grants.noteCreated(['s2'], actor(bert));
    const record = { name: 'x', ownerId: anna.id, createdAtMs: 0, updatedAtMs: 0 };
    state.dashboards.insert({ ...record, id: 'd', isShared: false, content: null });
    state.alertRules.insert({ ...record, id: 'r', isEnabled: true, definition: null });

    access.users.remove(anna.id, BY_OPERATOR);
    expect(access.identifySession(session.secret)).toBeNull();
    expect(access.tokens.find(secret)).toBeNull();
    expect(state.tokens.isEmpty && state.sessions.isEmpty).toBe(true);
    expect(access.grants.list().map(({ target }) => target)).toEqual([
      { kind: 'stream', streamId: 's2' },
    ]);
    expect([state.dashboards.require('d').ownerId, state.alertRules.require('r').ownerId]).toEqual([
      null,
      null,
    ]);
    expect(audited().at(-1)).toBe('user.remove');
  });

  test('a disabled user has no way in, and one that is enabled again has to log in', async () => {
    const { access, addUser, actor } = await accessFixture();
    const anna = await addUser('anna');
    const login = { name: 'anna', password: PASSWORD, address: null };
    const { session } = await access.login(login);
    const { secret } = access.tokens.create(
      { userId: anna.id, name: 'script', scopes: ['view'], expiresAtMs: null },
      actor(anna),
    );
    const basic = { kind: 'password', name: 'anna', password: PASSWORD } as const;
    expect(await access.identify(basic, null)).toMatchObject({ name: 'anna' });
    access.users.update(anna.id, { isDisabled: true }, BY_OPERATOR);
    const wrong = { code: 'WRONG_CREDENTIALS' };
    await expect(access.login(login)).rejects.toMatchObject(wrong);
    await expect(access.identify(basic, null)).rejects.toMatchObject(wrong);
    await expect(access.identify({ kind: 'token', secret }, null)).rejects.toMatchObject(wrong);
    expect(access.identifySession(session.secret)).toBeNull();
    access.users.update(anna.id, { isDisabled: false }, BY_OPERATOR);
    expect(access.identifySession(session.secret)).toBeNull();
    expect(await access.identify({ kind: 'token', secret }, null)).toMatchObject({ name: 'anna' });
  });

  test('change their own passwords when they know them, and other sessions end', async () => {
    const { access, addUser, actor } = await accessFixture();
    const anna = await addUser('anna');
    const login = { name: 'anna', password: PASSWORD, address: null };
    const here = (await access.login(login)).session;
    const elsewhere = (await access.login(login)).session;
    const basic = { kind: 'password', name: 'anna', password: PASSWORD } as const;
    await access.identify(basic, null);
    const newPassword = 'another one, also odd';
    const change = (currentPassword: string): Promise<void> =>
      access.changeOwnPassword(
        { currentPassword, newPassword, keptSessionId: here.id },
        actor(anna),
      );
    await expect(change('wrong wrong')).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' });
    await change(PASSWORD);
    expect(access.identifySession(here.secret)).not.toBeNull();
    expect(access.identifySession(elsewhere.secret)).toBeNull();
    await expect(access.login(login)).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' });
    await expect(access.identify(basic, null)).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' });
    await access.login({ ...login, password: newPassword });
    await access.users.setPassword(anna.id, PASSWORD, BY_OPERATOR);
    expect(access.identifySession(here.secret)).toBeNull();
    const token = { identity: { ...actor(anna).identity, kind: 'token' as const }, address: null };
    await expect(
      access.changeOwnPassword(
        { currentPassword: PASSWORD, newPassword, keptSessionId: null },
        token,
      ),
    ).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  test('are noted in the audit log with what changed, and without secrets', async () => {
    const { access, state, addUser, actor } = await accessFixture();
    const root = await addUser('root', { isAdmin: true });
    const anna = await addUser('anna');
    access.users.update(anna.id, { isAdmin: true, name: 'annie' }, actor(root));
    expect(access.audit.page({ limit: 1 }).entries[0]).toEqual({
      seq: 3,
      atMs: Date.UTC(2026, 0, 1, 12),
      actor: { kind: 'user', userId: root.id, name: 'root', address: '192.0.2.1' },
      action: 'user.change',
      target: { kind: 'user', id: anna.id, name: 'annie' },
      before: { name: 'anna', isAdmin: false, isDisabled: false, groupIds: [] },
      after: { name: 'annie', isAdmin: true, isDisabled: false, groupIds: [] },
    });
    await access.users.setPassword(anna.id, 'quite another one', actor(root));
    access.users.remove(anna.id, actor(root));
    const log = JSON.stringify(access.audit.page({ limit: 100 }));
    expect(log).toContain('user.password');
    expect(log).not.toMatch(/argon2|quite another|passwordHash/);
    // A change that fails is not noted.
    const { length } = state.audit.page({ limit: 100 }).entries;
    expect(() => access.users.remove(root.id, BY_OPERATOR)).toThrow();
    expect(state.audit.page({ limit: 100 }).entries).toHaveLength(length);
  });

  test('set their own preferences, and nobody else’s', async () => {
    const { access, addUser, actor } = await accessFixture();
    const [anna, bert] = [await addUser('anna'), await addUser('bert')];
    access.users.setPreferences(anna.id, { timeZone: 'Europe/Vienna' }, actor(anna));
    expect(access.users.get(anna.id).preferences).toEqual({ timeZone: 'Europe/Vienna' });
    expect(() => access.users.setPreferences(anna.id, {}, actor(bert))).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    );
    expect(() =>
      access.users.setPreferences(anna.id, { x: 'x'.repeat(10_000) }, actor(anna)),
    ).toThrow(expect.objectContaining({ code: 'INVALID_FIELD' }));
  });
});
