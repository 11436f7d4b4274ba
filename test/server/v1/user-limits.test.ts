import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { addPerson, type Person, WITH_USERS } from '../compat/people.ts';
import { openTestService, type TestService } from '../service.fixture.ts';

const COUNT_MAX = 2;

let opened: TestService;
let admin: Person;
let bob: Person;

beforeEach(async () => {
  opened = await openTestService({
    ...WITH_USERS,
    limits: {
      alertRulesPerUser: COUNT_MAX,
      dashboardsPerUser: COUNT_MAX,
      tokensPerUser: COUNT_MAX,
      grantsPerUser: COUNT_MAX,
    },
  });
  const { service } = opened;
  admin = await addPerson(service, 'ada', { isAdmin: true });
  bob = await addPerson(service, 'bob', { grants: ['view', 'change', 'grant'], on: { of: 'bob' } });
});
afterEach(async () => {
  await opened.close();
});

async function call(
  method: 'POST' | 'DELETE',
  url: string,
  { by = bob, payload }: { readonly by?: Person; readonly payload?: object } = {},
) {
  const { headers } = by;
  const answer = await opened.app.inject({
    method,
    url: `/api/v1${url}`,
    headers,
    ...(payload && { payload }),
  });
  return { status: answer.statusCode, body: answer.payload === '' ? null : answer.json() };
}

const RULE = { target: { query: { of: 'bob' } }, condition: { kind: 'stale', after: '1h' } };

const THINGS = [
  {
    url: '/alerts/rules',
    setting: 'alertRulesPerUser',
    bodyOf: (name: string) => ({ name, ...RULE }),
  },
  {
    url: '/dashboards',
    setting: 'dashboardsPerUser',
    bodyOf: (name: string) => ({ name, content: [] }),
  },
  {
    url: '/grants',
    setting: 'grantsPerUser',
    bodyOf: (name: string) => ({
      subject: { kind: 'public' },
      permissions: ['view'],
      target: { kind: 'query', tags: { of: 'bob', name } },
    }),
  },
] as const;

describe('what one user may have of something', () => {
  test.each(THINGS)('is bounded by limits.$setting, but for admins', async (thing) => {
    const { url, setting, bodyOf } = thing;
    const add = (name: string, by?: Person) =>
      call('POST', url, { payload: bodyOf(name), ...(by && { by }) });
    const first = await add('a');
    expect([first.status, (await add('b')).status]).toEqual([201, 201]);
    const refused = await add('c');
    expect([refused.status, refused.body.code]).toEqual([409, 'LIMIT_REACHED']);
    expect(refused.body.detail).toContain(`at most ${COUNT_MAX} `);
    expect(refused.body.detail).toContain(`limits.${setting}`);
    for (const name of ['d', 'e', 'f']) expect((await add(name, admin)).status).toBe(201);
    expect((await add('c')).status).toBe(409);
    expect((await call('DELETE', `${url}/${first.body.id}`)).status).toBe(204);
    expect((await add('c')).status).toBe(201);
  });

  test('of grants, those that add to others are none more', async () => {
    const [, , { url, bodyOf }] = THINGS;
    for (const name of ['a', 'b']) await call('POST', url, { payload: bodyOf(name) });
    const again = await call('POST', url, { payload: bodyOf('a') });
    expect(again.status).toBe(201);
    expect((await call('POST', url, { payload: bodyOf('c') })).status).toBe(409);
  });

  test('of tokens, those that are over make room', () => {
    const { access } = opened.service;
    const by = { identity: access.identityOf(bob.id)!, address: null };
    const create = (): string =>
      access.tokens.create({ userId: bob.id, name: 't', scopes: ['view'], expiresAtMs: null }, by)
        .token.id;
    const heldIds = () => access.tokens.list({ userId: bob.id }, by).map(({ id }) => id);
    const before = heldIds();
    const made = Array.from({ length: COUNT_MAX - before.length }, create);
    expect(create).toThrow(
      expect.objectContaining({
        code: 'LIMIT_REACHED',
        message: expect.stringContaining('limits.tokensPerUser'),
      }),
    );
    const [lost] = made;
    access.tokens.revoke(lost!, by);
    const id = create();
    expect(heldIds()).toContain(id);
    expect(heldIds()).not.toContain(lost);
    expect(create).toThrow(expect.objectContaining({ code: 'LIMIT_REACHED' }));
  });
});
