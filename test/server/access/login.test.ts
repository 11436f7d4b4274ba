import { describe, expect, test } from '@jest/globals';
import { Access } from '../../../src/server/access/access.ts';
import { networkOf } from '../../../src/server/access/addresses.ts';
import { parseAuthorization } from '../../../src/server/access/credentials.ts';
import { DEFAULT_ACCESS_SETTINGS } from '../../../src/server/access/settings.ts';
import { accessFixture, BY_OPERATOR, CHEAP, PASSWORD } from './support.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const LOGIN = { name: 'anna', password: PASSWORD, address: '192.0.2.1' };

describe('sessions', () => {
  test('end when nobody uses them, and at last in any case', async () => {
    const { access, addUser, clock, state } = await accessFixture();
    await addUser('anna');
    const idle = (await access.login(LOGIN)).session;
    const used = (await access.login(LOGIN)).session;
    for (let day = 0; day < 6; day++) {
      clock.pass(DAY_MS);
      expect(access.identifySession(used.secret)).not.toBeNull();
    }
    clock.pass(DAY_MS - 1);
    expect(access.identifySession(idle.secret)).not.toBeNull();
    clock.pass(7 * DAY_MS);
    expect(access.identifySession(idle.secret)).toBeNull();
    expect(access.identifySession(used.secret)).toBeNull();
    const kept = (await access.login(LOGIN)).session;
    for (let day = 0; day < 29; day++) {
      clock.pass(DAY_MS);
      expect(access.identifySession(kept.secret)).not.toBeNull();
    }
    clock.pass(DAY_MS);
    expect(access.identifySession(kept.secret)).toBeNull();
    access.removeEnded();
    expect(state.sessions.isEmpty).toBe(true);
  });

  test('that a clock which was set back has begun in the future are over', async () => {
    const { access, addUser, clock } = await accessFixture();
    await addUser('anna');
    const { session } = await access.login(LOGIN);
    clock.pass(-MINUTE_MS);
    expect(access.identifySession(session.secret)).not.toBeNull();
    clock.pass(-365 * DAY_MS);
    expect(access.identifySession(session.secret)).toBeNull();
  });

  test('are stored without what opens them, and are written once a minute', async () => {
    const { access, addUser, clock, state } = await accessFixture();
    await addUser('anna');
    const { session } = await access.login(LOGIN);
    expect(JSON.stringify(state.sessions.all())).not.toContain(session.secret);
    expect(session.secret).toMatch(/^[\w-]{43}$/);
    const { revision } = state.sessions;
    clock.pass(MINUTE_MS - 1);
    access.identifySession(session.secret);
    expect(state.sessions.revision).toBe(revision);
    clock.pass(1);
    access.identifySession(session.secret);
    expect(state.sessions.revision).not.toBe(revision);
  });

  test('are new at each login, and end at logout, here or everywhere', async () => {
    const { access, addUser, actor, audited } = await accessFixture();
    const anna = await addUser('anna');
    const first = (await access.login(LOGIN)).session;
    const second = (await access.login({ ...LOGIN, replaces: first.secret })).session;
    expect(second.secret).not.toBe(first.secret);
    expect(access.identifySession(first.secret)).toBeNull();
    const third = (await access.login(LOGIN)).session;
    access.sessions.close(second.id, actor(anna));
    expect(access.identifySession(second.secret)).toBeNull();
    expect(access.identifySession(third.secret)).not.toBeNull();
    access.sessions.closeAll(anna.id, actor(anna));
    expect(access.identifySession(third.secret)).toBeNull();
    expect(audited()).toEqual([
      'user.add',
      'session.open',
      'session.open',
      'session.open',
      'session.close',
      'session.close',
    ]);
  });

  test('do not begin with a password that was changed while it was checked', async () => {
    const { access, state, addUser } = await accessFixture();
    const { id } = await addUser('anna');
    const checked = state.users.require(id);
    const open = (): unknown => access.sessions.open(checked, { replaces: null, by: BY_OPERATOR });
    open();
    await access.users.setPassword(id, 'quite another one', BY_OPERATOR);
    expect(open).toThrow(expect.objectContaining({ code: 'WRONG_CREDENTIALS' }));
    expect(state.sessions.isEmpty).toBe(true);
  });

  test('of one user are bounded: the one that was not used for longest ends', async () => {
    const { access, addUser, clock } = await accessFixture({
      session: { ...DEFAULT_ACCESS_SETTINGS.session, countMax: 2 },
    });
    await addUser('anna');
    const secrets: string[] = [];
    for (let i = 0; i < 3; i++) {
      clock.pass(MINUTE_MS);
      secrets.push((await access.login(LOGIN)).session.secret);
    }
    expect(secrets.map((secret) => access.identifySession(secret) !== null)).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe('a login', () => {
  test('tells nothing about which names there are', async () => {
    const { access, addUser } = await accessFixture();
    await addUser('anna');
    await access.users.add({ name: 'robot', password: null }, BY_OPERATOR);
    const errors = await Promise.all(
      ['anna', 'nobody', 'robot'].map((name) =>
        access.login({ name, password: 'wrong', address: null }).catch((error: unknown) => error),
      ),
    );
    for (const error of errors) {
      expect(error).toMatchObject({
        code: 'WRONG_CREDENTIALS',
        message: (errors[0] as Error).message,
      });
    }
  });

  test('takes a password however its characters are composed, and no part of it', async () => {
    const { access } = await accessFixture();
    await access.users.add({ name: 'anna', password: 'r\u00e9sum\u00e9 secret' }, BY_OPERATOR);
    await access.login({ ...LOGIN, password: 're\u0301sume\u0301 secret' });
    for (const password of [
      'r\u00e9sum\u00e9 secre',
      'R\u00e9sum\u00e9 secret',
      '',
      'x'.repeat(5000),
    ]) {
      await expect(access.login({ ...LOGIN, password })).rejects.toMatchObject({
        code: 'WRONG_CREDENTIALS',
      });
    }
  });

  test('hashes the password anew when the settings have changed', async () => {
    const { access, state, addUser } = await accessFixture();
    const { id } = await addUser('anna');
    const before = state.users.require(id).passwordHash!;
    expect(before).toMatch(/^\$argon2id\$v=19\$m=8,t=1,p=1\$/);
    await access.login(LOGIN);
    expect(state.users.require(id).passwordHash).toBe(before);
    const password = { ...CHEAP.password!, passCount: 2, memoryKib: 16 };
    const costlier = new Access(state, { settings: { password } });
    await Promise.all([costlier.login(LOGIN), costlier.login(LOGIN)]);
    expect(state.users.require(id).passwordHash).toMatch(/^\$argon2id\$v=19\$m=16,t=2,p=1\$/);
    await costlier.login(LOGIN);
  });

  test('locks a name out after failures, for longer each time, and forgives success', async () => {
    const { access, addUser, clock } = await accessFixture();
    await addUser('anna');
    const code = async (password: string, address: string): Promise<string> =>
      await access.login({ ...LOGIN, password, address }).then(
        () => 'in',
        (error: { code: string }) => error.code,
      );
    let host = 0;
    const guess = (): Promise<string> => code('wrong', `198.51.100.${host++}`);
    for (let i = 0; i < 5; i++) expect(await guess()).toBe('WRONG_CREDENTIALS');
    expect(await guess()).toBe('LOCKED_OUT');
    expect(await code(PASSWORD, '203.0.113.1')).toBe('LOCKED_OUT');
    clock.pass(999);
    expect(await guess()).toBe('LOCKED_OUT');
    clock.pass(1);
    expect(await guess()).toBe('WRONG_CREDENTIALS');
    clock.pass(1999);
    await expect(access.login(LOGIN)).rejects.toMatchObject({
      code: 'LOCKED_OUT',
      statusCode: 429,
      retryAfterMs: 1,
    });
    clock.pass(1);
    expect(await code(PASSWORD, '203.0.113.1')).toBe('in');
    for (let i = 0; i < 5; i++) expect(await guess()).toBe('WRONG_CREDENTIALS');
    for (let i = 0; i < 20; i++) {
      clock.pass(15 * MINUTE_MS);
      expect(await guess()).toBe('WRONG_CREDENTIALS');
    }
    clock.pass(15 * MINUTE_MS - 1);
    expect(await guess()).toBe('LOCKED_OUT');
    clock.pass(61 * MINUTE_MS);
    for (let i = 0; i < 5; i++) expect(await guess()).toBe('WRONG_CREDENTIALS');
    expect(await guess()).toBe('LOCKED_OUT');
  });

  test('locks out for no longer when the clock is set back', async () => {
    const { access, addUser, clock } = await accessFixture();
    await addUser('anna');
    for (let i = 0; i < 5; i++) {
      await expect(access.login({ ...LOGIN, password: 'wrong' })).rejects.toThrow();
    }
    clock.pass(-DAY_MS);
    await expect(access.login(LOGIN)).rejects.toMatchObject({
      code: 'LOCKED_OUT',
      retryAfterMs: 1000,
    });
    clock.pass(1000);
    await access.login(LOGIN);
  });

  test('is not kept from a user by strangers, where he has been logged in from', async () => {
    const { access, state, addUser, clock } = await accessFixture();
    await addUser('anna');
    const home = '203.0.113.1';
    const codeWith = async (by: Access, password: string, address: string): Promise<string> =>
      await by.login({ ...LOGIN, password, address }).then(
        () => 'in',
        (error: { code: string }) => error.code,
      );
    const code = (password: string, address: string) => codeWith(access, password, address);
    expect(await code(PASSWORD, home)).toBe('in');
    let host = 0;
    const lockForLong = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        await code('wrong', `198.51.${host >> 8}.${host++ & 255}`);
        clock.pass(15 * MINUTE_MS);
      }
      await code('wrong', '198.51.200.1');
    };
    await lockForLong();
    expect(await code(PASSWORD, '192.0.2.9')).toBe('LOCKED_OUT');
    expect(await code(PASSWORD, home)).toBe('in');
    // Nor by those who fail there at other names, as behind the same proxy.
    for (let i = 0; i < 21; i++) {
      await access.login({ name: `n${i}`, password: 'x', address: home }).catch(() => {});
    }
    expect(await code(PASSWORD, home)).toBe('in');
    // After a restart his session still says from where.
    const again = new Access(state, { settings: CHEAP, now: clock.now });
    for (let i = 0; i < 5; i++) await codeWith(again, 'wrong', `198.51.100.${i}`);
    expect(await codeWith(again, PASSWORD, '192.0.2.9')).toBe('LOCKED_OUT');
    expect(await codeWith(again, PASSWORD, home)).toBe('in');
    // Whoever guesses there waits, too.
    for (let i = 0; i < 5; i++) expect(await codeWith(again, 'x', home)).toBe('WRONG_CREDENTIALS');
    expect(await codeWith(again, PASSWORD, home)).toBe('LOCKED_OUT');
  });

  test('at a time when nothing can be hashed says so, and works afterwards', async () => {
    const password = { ...CHEAP.password!, concurrency: 1, waitingCountMax: 1 };
    const { access, addUser } = await accessFixture({ password });
    await addUser('anna');
    const guess = (name: string): Promise<string> =>
      access
        .login({ name, password: 'x', address: null })
        .catch((error) => error.code) as Promise<string>;
    const all = await Promise.all(['anna', 'anna', 'nobody', 'no one'].map(guess));
    expect(all).toContain('TOO_BUSY');
    expect(await guess('nobody')).toBe('WRONG_CREDENTIALS');
  });

  test('locks an address out that tries many names, and only that one', async () => {
    const { access, addUser } = await accessFixture();
    await addUser('anna');
    for (let i = 0; i < 20; i++) {
      const guess = access.login({ name: `n${i}`, password: 'x', address: `2001:db8::${i}` });
      await expect(guess).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' });
    }
    const fromThere = access.login({ ...LOGIN, address: '2001:db8::ffff' });
    await expect(fromThere).rejects.toMatchObject({ code: 'LOCKED_OUT' });
    await access.login({ ...LOGIN, address: '2001:db8:0:1::1' });
  });

  test('of many at once is not a failure, and is bounded', async () => {
    const { access, addUser } = await accessFixture();
    await addUser('anna');
    const all = (count: number): Promise<string[]> =>
      Promise.all(
        Array.from({ length: count }, () =>
          access.login(LOGIN).then(
            () => 'in',
            (error: { code: string }) => error.code,
          ),
        ),
      );
    expect(new Set(await all(10))).toEqual(new Set(['in']));
    expect((await all(11)).filter((result) => result === 'LOCKED_OUT')).toHaveLength(1);
    expect(await all(1)).toEqual(['in']);
  });

  test('with each request costs one hash in five minutes, however many ask at once', async () => {
    const { access, state, addUser, clock } = await accessFixture();
    const { id } = await addUser('anna');
    const credentials = { kind: 'password', name: 'anna', password: PASSWORD } as const;
    const ask = (count: number): Promise<unknown[]> =>
      Promise.all(Array.from({ length: count }, () => access.identify(credentials, null)));
    await ask(50);
    // Nothing is hashed any more: what would be refused there is not even looked at.
    const { passwordHash } = state.users.require(id);
    for (let i = 0; i < 5; i++) {
      await expect(access.login({ ...LOGIN, password: 'x' })).rejects.toThrow();
    }
    await ask(1);
    clock.pass(5 * MINUTE_MS);
    for (let i = 0; i < 6; i++) await access.login({ ...LOGIN, password: 'x' }).catch(() => {});
    await expect(ask(1)).rejects.toMatchObject({ code: 'LOCKED_OUT' });
    clock.pass(MINUTE_MS);
    await ask(1);
    expect(state.users.require(id).passwordHash).toBe(passwordHash);
  });

  test('remembers a bounded number of names', async () => {
    const login = { ...DEFAULT_ACCESS_SETTINGS.login, rememberedCountMax: 3, freeCountByName: 1 };
    const { access } = await accessFixture({ login });
    const guess = (name: string): Promise<string> =>
      access.login({ name, password: 'x', address: null }).then(
        () => 'in',
        (error: { code: string }) => error.code,
      );
    expect([await guess('a'), await guess('a')]).toEqual(['WRONG_CREDENTIALS', 'LOCKED_OUT']);
    for (const name of ['b', 'c', 'd']) await guess(name);
    expect(await guess('a')).toBe('WRONG_CREDENTIALS');
  });
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

test.each([
  [undefined, { kind: 'none' }],
  ['Bearer dse_x', { kind: 'token', secret: 'dse_x' }],
  ['bearer  dse_x ', { kind: 'token', secret: 'dse_x' }],
  ['Token dse_x', { kind: 'token', secret: 'dse_x' }],
  ['Token anna:pass:word', { kind: 'password', name: 'anna', password: 'pass:word' }],
  [basic('anna:pass:wörd'), { kind: 'password', name: 'anna', password: 'pass:wörd' }],
  [basic('anna:dse_x'), { kind: 'token', secret: 'dse_x' }],
  [basic('dse_x:'), { kind: 'token', secret: 'dse_x' }],
  [basic('anna'), { kind: 'malformed' }],
  [basic(':x'), { kind: 'malformed' }],
  ['Digest x', { kind: 'malformed' }],
  ['', { kind: 'malformed' }],
  ['Bearer', { kind: 'malformed' }],
])('the header %j', (header, credentials) => {
  expect(parseAuthorization(header)).toEqual(credentials);
});
