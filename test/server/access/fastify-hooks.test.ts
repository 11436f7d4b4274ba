import cookie from '@fastify/cookie';
import { afterEach, describe, expect, test } from '@jest/globals';
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import {
  actorOf,
  identifyAgain,
  protectRoutes,
  type RouteAccess,
} from '../../../src/server/access/fastify-hooks.ts';
import type { Scope } from '../../../src/server/access/identity.ts';
import { clearSessionCookie, setSessionCookie } from '../../../src/server/access/session-cookie.ts';
import type { AccessSettings } from '../../../src/server/access/settings.ts';
import { sendProblem } from '../../../src/server/http/problem.ts';
import { type AccessFixture, accessFixture, BY_OPERATOR, PASSWORD } from './support.ts';

const ROUTES: Readonly<Record<string, RouteAccess>> = {
  public: 'public',
  'signed-in': 'signed-in',
  admin: 'admin',
  view: { scope: 'view' },
  append: { scope: 'append' },
};

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

/** What happens while the route `/long` is being answered. */
const whileLong: { work: () => Promise<void> } = { work: async () => {} };

interface Fixture extends AccessFixture {
  readonly app: FastifyInstance;
  /** A token of a new user. */
  token(name: string, options: { isAdmin?: boolean; scopes: Scope[] }): Promise<string>;
}

async function appFixture(
  settings: Partial<AccessSettings> = {},
  options: FastifyServerOptions = {},
): Promise<Fixture> {
  const base = await accessFixture(settings);
  const { access } = base;
  const app = fastify(options);
  apps.push(app);
  app.setErrorHandler(sendProblem);
  await app.register(cookie);
  protectRoutes(app, access);
  for (const [name, routeAccess] of Object.entries(ROUTES)) {
    app.route({
      method: ['GET', 'POST'],
      url: `/${name}`,
      config: { access: routeAccess },
      handler: async (request) => actorOf(request).identity.name,
    });
  }
  app.get('/feed', { config: { access: 'signed-in', isUnsafe: true } }, async () => 'fed');
  app.post(
    '/influx',
    {
      config: {
        access: { scope: 'append' },
        credentialsInQuery: { name: 'u', password: 'p' },
      },
    },
    async ({ identity }) => identity.name,
  );
  app.get('/long', { config: { access: { scope: 'view' } } }, async (request) => {
    await whileLong.work();
    return (await identifyAgain(request, access))?.name ?? 'over';
  });
  app.post('/login', { config: { access: 'public' } }, async (request, reply) => {
    const { name, password } = request.body as { name: string; password: string };
    const { session } = await access.login({ name, password, address: request.ip });
    setSessionCookie(request, reply, { session, settings: access.settings.session });
    return { csrfToken: session.csrfToken };
  });
  app.post('/logout', { config: { access: 'signed-in' } }, async (request, reply) => {
    access.sessions.close(request.session!.id, actorOf(request));
    clearSessionCookie(request, reply, access.settings.session);
    return {};
  });
  return {
    ...base,
    app,
    token: async (name, { isAdmin = false, scopes }) => {
      const user = await base.addUser(name, { isAdmin });
      const made = access.tokens.create(
        { userId: user.id, name: 'x', scopes, expiresAtMs: null },
        base.actor(user),
      );
      return made.secret;
    },
  };
}

function basic(pair: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function bearer(secret: string): Record<string, string> {
  return { authorization: `Bearer ${secret}` };
}

describe('the access of routes', () => {
  test('is a condition of becoming ready', async () => {
    const { app } = await appFixture();
    app.get('/forgotten', async () => '');
    await expect(app.ready()).rejects.toThrow('GET /forgotten');
  });

  test.each([
    ['nobody', { public: 200, 'signed-in': 401, admin: 401, view: 401, append: 401 }],
    ['a user', { public: 200, 'signed-in': 200, admin: 403, view: 200, append: 200 }],
    ['an admin', { public: 200, 'signed-in': 200, admin: 200, view: 200, append: 200 }],
    ['a viewing token', { public: 200, 'signed-in': 200, admin: 403, view: 200, append: 403 }],
    [
      'a viewing admin token',
      { public: 200, 'signed-in': 200, admin: 403, view: 200, append: 403 },
    ],
    ['an admin token', { public: 200, 'signed-in': 200, admin: 200, view: 403, append: 403 }],
    ['a token with the scope of an admin it is not', { admin: 403 }],
    ['a wrong token', { public: 401, 'signed-in': 401, admin: 401, view: 401, append: 401 }],
    ['a wrong password', { public: 401 }],
  ])('for %s', async (who, expected) => {
    const { app, access, state, addUser, token } = await appFixture();
    await addUser('anna');
    await addUser('boss', { isAdmin: true });
    const demoted = await token('demoted', { isAdmin: true, scopes: ['admin'] });
    state.users.update(access.users.byName('demoted').id, (user) => ({ ...user, isAdmin: false }));
    const headers: Record<string, Record<string, string>> = {
      nobody: {},
      'a user': basic(`anna:${PASSWORD}`),
      'an admin': basic(`boss:${PASSWORD}`),
      'a viewing token': bearer(await token('v', { scopes: ['view'] })),
      'a viewing admin token': bearer(await token('w', { isAdmin: true, scopes: ['view'] })),
      'an admin token': bearer(await token('x', { isAdmin: true, scopes: ['admin'] })),
      'a token with the scope of an admin it is not': bearer(demoted),
      'a wrong token': bearer(`dse_${'x'.repeat(43)}`),
      'a wrong password': basic('anna:wrong'),
    };
    const statuses: Record<string, number> = {};
    for (const name of Object.keys(expected)) {
      for (const method of ['GET', 'HEAD', 'POST'] as const) {
        const { statusCode } = await app.inject({
          method,
          url: `/${name}`,
          headers: headers[who]!,
        });
        // All methods of a route are the same here.
        expect(statuses[name] ?? statusCode).toBe(statusCode);
        statuses[name] = statusCode;
      }
    }
    expect(statuses).toEqual(expected);
  });

  test('lets nobody in particular view where something is public', async () => {
    const { app, state } = await appFixture();
    state.grants.insert({
      id: '1',
      subject: { kind: 'public' },
      permissions: ['view'],
      target: { kind: 'stream', streamId: 's1' },
      giverId: null,
      createdAtMs: 0,
    });
    expect((await app.inject('/view')).statusCode).toBe(200);
    expect((await app.inject('/append')).statusCode).toBe(401);
    const open = await appFixture({ publicRead: true });
    expect((await open.app.inject('/view')).body).toBe('anonymous');
    expect((await open.app.inject('/signed-in')).statusCode).toBe(401);
  });

  test('does not hide that something does not exist', async () => {
    const { app } = await appFixture();
    expect((await app.inject('/nothing')).statusCode).toBe(404);
  });

  test('asks a program for a password, and leaves browsers to our page', async () => {
    const { app } = await appFixture();
    const challenges = async (headers: Record<string, string>): Promise<unknown> =>
      (await app.inject({ url: '/view', headers })).headers['www-authenticate'];
    const both = ['Bearer realm="datastream"', 'Basic realm="datastream", charset="UTF-8"'];
    expect(await challenges({})).toEqual(both);
    expect(await challenges(basic('a:b'))).toEqual(both);
    expect(await challenges({ 'sec-fetch-mode': 'cors' })).toEqual([both[0]]);
  });
});

describe('a refusal', () => {
  test('says why, and when to try again', async () => {
    const { app, addUser } = await appFixture();
    await addUser('anna');
    const get = (
      headers: Record<string, string>,
    ): Promise<Awaited<ReturnType<typeof app.inject>>> => app.inject({ url: '/admin', headers });
    const forbidden = await get(basic(`anna:${PASSWORD}`));
    expect(forbidden.headers['content-type']).toBe('application/problem+json');
    expect(forbidden.headers).not.toHaveProperty('www-authenticate');
    expect(forbidden.json()).toEqual({
      type: 'about:blank',
      title: 'Not allowed',
      status: 403,
      detail: 'This needs an admin.',
      code: 'FORBIDDEN',
    });
    expect((await get({})).json()).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
    for (let i = 0; i < 5; i++) await get(basic('anna:wrong'));
    const locked = await get(basic('anna:wrong'));
    expect(locked.headers['retry-after']).toBe('1');
    expect(locked.json()).toMatchObject({ status: 429, code: 'LOCKED_OUT' });
  });
});

describe('credentials in the query', () => {
  test('count where the route takes them, and nowhere else', async () => {
    const { app, addUser, token } = await appFixture();
    await addUser('anna');
    const secret = await token('bert', { scopes: ['append'] });
    const post = (url: string): Promise<{ statusCode: number; body: string }> =>
      app.inject({ method: 'POST', url });
    const pair = `u=anna&p=${encodeURIComponent(PASSWORD)}`;
    expect((await post(`/influx?${pair}`)).body).toBe('anna');
    expect((await post(`/influx?u=x&p=${secret}`)).body).toBe('bert');
    expect((await post('/influx?u=anna&p=wrong')).statusCode).toBe(401);
    expect((await post('/influx?u=anna&u=bert&p=')).statusCode).toBe(401);
    expect((await post('/influx')).statusCode).toBe(401);
    expect((await post(`/append?${pair}`)).statusCode).toBe(401);
  });
});

describe('a session of a browser', () => {
  interface Browser {
    readonly cookies: Record<string, string>;
    readonly csrfToken: string;
    readonly setCookie: string;
  }

  async function logIn({ app }: Fixture, headers: Record<string, string> = {}): Promise<Browser> {
    const response = await app.inject({
      method: 'POST',
      url: '/login',
      payload: { name: 'anna', password: PASSWORD },
      headers,
    });
    const [held] = response.cookies;
    return {
      cookies: { [held!.name]: held!.value },
      csrfToken: response.json<{ csrfToken: string }>().csrfToken,
      setCookie: String(response.headers['set-cookie']),
    };
  }

  test('reads with the cookie, and changes only with the token of the session', async () => {
    const fixture = await appFixture();
    const { app, addUser } = fixture;
    await addUser('anna');
    const { cookies, csrfToken, setCookie } = await logIn(fixture);
    const other = await logIn(fixture);
    expect(setCookie).toMatch(
      /^datastream=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    );
    const status = async (
      method: 'GET' | 'POST',
      url: string,
      headers: Record<string, string> = {},
    ): Promise<number> => (await app.inject({ method, url, cookies, headers })).statusCode;
    const withToken = { 'x-csrf-token': csrfToken };
    expect(await status('GET', '/view')).toBe(200);
    expect(await status('POST', '/append')).toBe(403);
    expect(await status('POST', '/append', { 'x-csrf-token': other.csrfToken })).toBe(403);
    expect(await status('POST', '/append', withToken)).toBe(200);
    expect(await status('GET', '/feed')).toBe(403);
    expect(await status('GET', '/feed', withToken)).toBe(200);
    expect(await status('POST', '/logout')).toBe(403);
    const out = await app.inject({ method: 'POST', url: '/logout', cookies, headers: withToken });
    expect(String(out.headers['set-cookie'])).toMatch(
      /^datastream=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970/,
    );
    expect(await status('GET', '/view')).toBe(401);
    // A stale cookie is no reason to be refused what everybody may do.
    expect(await status('POST', '/public')).toBe(200);
  });

  test('has a cookie for TLS alone behind TLS', async () => {
    const fixture = await appFixture({}, { trustProxy: true });
    await fixture.addUser('anna');
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.9' };
    const { cookies, setCookie } = await logIn(fixture, headers);
    expect(setCookie).toMatch(/^__Host-datastream=.*; HttpOnly; Secure; SameSite=Lax$/);
    const get = (more: Record<string, string>): Promise<{ statusCode: number }> =>
      fixture.app.inject({ url: '/view', cookies, headers: more });
    expect((await get(headers)).statusCode).toBe(200);
    expect((await get({})).statusCode).toBe(401);
    const [entry] = fixture.access.audit.page({ limit: 1 }).entries;
    expect(entry).toMatchObject({ action: 'session.open', actor: { address: '192.0.2.9' } });
  });

  test('does not let another page use a password that the browser kept', async () => {
    const { app, addUser } = await appFixture();
    await addUser('anna');
    const post = async (site: string): Promise<number> => {
      const headers = { ...basic(`anna:${PASSWORD}`), 'sec-fetch-site': site };
      return (await app.inject({ method: 'POST', url: '/append', headers })).statusCode;
    };
    expect([await post('cross-site'), await post('same-site')]).toEqual([403, 403]);
    expect([await post('same-origin'), await post('none')]).toEqual([200, 200]);
  });
});

describe('a request that goes on for long', () => {
  test('is over when what it showed is no longer good', async () => {
    const { app, access, addUser, token, audited } = await appFixture({ isOpen: true });
    const ask = async (headers: Record<string, string>, work: () => unknown): Promise<string> => {
      whileLong.work = async () => void (await work());
      return (await app.inject({ url: '/long', headers: { host: 'localhost', ...headers } })).body;
    };
    expect(await ask({}, () => {})).toBe('local');
    expect(await ask({}, () => addUser('root', { isAdmin: true }))).toBe('over');
    const secret = await token('anna', { scopes: ['view'] });
    const anna = access.users.byName('anna');
    expect(await ask(bearer(secret), () => {})).toBe('anna');
    expect(await ask(basic(`anna:${PASSWORD}`), () => {})).toBe('anna');
    const [held] = access.tokens.list({ userId: anna.id }, BY_OPERATOR);
    expect(await ask(bearer(secret), () => access.tokens.revoke(held!.id, BY_OPERATOR))).toBe(
      'over',
    );
    const { session } = await access.login({ name: 'anna', password: PASSWORD, address: null });
    const cookie = { cookie: `datastream=${session.secret}` };
    expect(await ask(cookie, () => {})).toBe('anna');
    expect(await ask(cookie, () => access.sessions.close(session.id, BY_OPERATOR))).toBe('over');
    const disable = (): unknown => access.users.update(anna.id, { isDisabled: true }, BY_OPERATOR);
    expect(await ask(basic(`anna:${PASSWORD}`), disable)).toBe('over');
    expect(audited()).toContain('token.revoke');
  });

  test('goes on for nobody in particular as long as something is public', async () => {
    const { app, access } = await appFixture();
    const subject = { kind: 'public' } as const;
    const target = { kind: 'stream', streamId: 's1' } as const;
    const { id } = access.grants.add({ subject, permissions: ['view'], target }, BY_OPERATOR);
    whileLong.work = async () => {};
    expect((await app.inject('/long')).body).toBe('anonymous');
    whileLong.work = async () => access.grants.remove(id, {}, BY_OPERATOR);
    expect((await app.inject('/long')).body).toBe('over');
  });
});

describe('an open service', () => {
  test.each([
    ['this host', {}, 200],
    ['our own page', { origin: 'http://localhost:80', 'sec-fetch-site': 'same-origin' }, 200],
    ['a client of InfluxDB', { authorization: 'Token whatever' }, 200],
    ['a name and a password', basic('root:root'), 200],
    ['a token', { authorization: 'Bearer dse_whatever' }, 401],
    ['a token that is none', { authorization: 'Bearer' }, 401],
    ['what is no credentials', { authorization: 'Basic !' }, 401],
    ['a scheme that nobody knows', { authorization: 'Digest a=b' }, 401],
    ['a proxy', { 'x-forwarded-for': '192.0.2.1' }, 401],
    ['a name that leads here', { host: 'evil.example' }, 401],
    ['a page from elsewhere', { origin: 'https://evil.example' }, 401],
    ['a page from elsewhere, without its origin', { 'sec-fetch-site': 'cross-site' }, 401],
    [
      'a page of another port',
      { origin: 'http://localhost:81', 'sec-fetch-site': 'same-site' },
      401,
    ],
  ])('lets %s do everything, or nothing', async (_who, headers, status) => {
    const { app, addUser } = await appFixture({ isOpen: true });
    const post = (): Promise<{ statusCode: number }> =>
      app.inject({ method: 'POST', url: '/admin', headers: { host: 'localhost:80', ...headers } });
    expect((await post()).statusCode).toBe(status);
    await addUser('anna');
    expect((await post()).statusCode).toBe(401);
  });

  test('stays closed to other hosts, and everywhere unless that is said', async () => {
    const { app } = await appFixture({ isOpen: true });
    const fromElsewhere = await app.inject({ url: '/view', remoteAddress: '192.0.2.1' });
    expect(fromElsewhere.statusCode).toBe(401);
    const closed = await appFixture();
    expect((await closed.app.inject('/view')).statusCode).toBe(401);
  });
});
