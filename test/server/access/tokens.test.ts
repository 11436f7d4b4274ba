import { describe, expect, test } from '@jest/globals';
import type { Actor } from '../../../src/server/access/audit.ts';
import type { Scope } from '../../../src/server/access/identity.ts';
import { type AccessFixture, accessFixture, BY_OPERATOR } from './support.ts';

const DAY_MS = 86_400_000;

async function fixture(): Promise<
  AccessFixture & { readonly anna: Actor; readonly root: Actor; readonly annaId: string }
> {
  const base = await accessFixture();
  const anna = await base.addUser('anna');
  const root = await base.addUser('root', { isAdmin: true });
  return { ...base, anna: base.actor(anna), root: base.actor(root), annaId: anna.id };
}

function withScopes(actor: Actor, ...scopes: Scope[]): Actor {
  return { ...actor, identity: { ...actor.identity, kind: 'token', scopes: new Set(scopes) } };
}

describe('API tokens', () => {
  test('are shown once and stored as a hash', async () => {
    const { access, state, anna, annaId } = await fixture();
    const { secret, token } = access.tokens.create(
      { userId: annaId, name: ' script ', scopes: ['append', 'view'], expiresAtMs: null },
      anna,
    );
    expect(secret).toMatch(/^dse_[\w-]{43}$/);
    expect(token).toMatchObject({ name: 'script', scopes: ['view', 'append'], lastUsedAtMs: null });
    expect(token).not.toHaveProperty('hash');
    const stored = JSON.stringify([state.tokens.all(), access.audit.page({ limit: 10 })]);
    expect(stored).not.toContain(secret.slice(4));
    expect(await access.identify({ kind: 'token', secret }, null)).toEqual({
      ...anna.identity,
      kind: 'token',
      scopes: new Set(['view', 'append']),
    });
    const wrong = access.identify({ kind: 'token', secret: `${secret.slice(0, -1)}!` }, null);
    await expect(wrong).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' });
  });

  test('expire, are revoked, note roughly when they were used, and are forgotten much later', async () => {
    const { access, state, clock, anna, annaId, audited } = await fixture();
    const create = (expiresAtMs: number | null): { secret: string; id: string } => {
      const made = access.tokens.create(
        { userId: annaId, name: 'x', scopes: ['view'], expiresAtMs },
        anna,
      );
      return { secret: made.secret, id: made.token.id };
    };
    const brief = create(clock.ms + DAY_MS);
    const lasting = create(null);
    clock.pass(DAY_MS - 1);
    expect(access.tokens.find(brief.secret)).not.toBeNull();
    const { revision } = state.tokens;
    clock.pass(1);
    expect(access.tokens.find(brief.secret)).toBeNull();
    expect(state.tokens.revision).toBe(revision);
    expect(state.tokens.require(brief.id).lastUsedAtMs).toBe(clock.ms - 1);
    expect(access.tokens.find(lasting.secret)).not.toBeNull();
    access.tokens.revoke(lasting.id, anna);
    access.tokens.revoke(lasting.id, anna);
    expect(access.tokens.find(lasting.secret)).toBeNull();
    expect(audited().filter((action) => action === 'token.revoke')).toHaveLength(1);
    access.removeEnded();
    expect(state.tokens.all()).toHaveLength(2);
    clock.pass(91 * DAY_MS);
    access.removeEnded();
    expect(state.tokens.isEmpty).toBe(true);
  });

  test('are seen to by their owner and by admins', async () => {
    const { access, anna, root, annaId } = await fixture();
    const rootId = root.identity.userId!;
    const make = (userId: string, by: Actor, ...scopes: Scope[]): unknown =>
      access.tokens.create({ userId, name: 'x', scopes, expiresAtMs: null }, by);
    const forbidden = expect.objectContaining({ code: 'FORBIDDEN' });
    expect(() => make(rootId, anna, 'view')).toThrow(forbidden);
    expect(() => make(annaId, anna, 'admin')).toThrow(forbidden);
    expect(() => make(annaId, root, 'admin')).toThrow(forbidden);
    expect(() => make(annaId, withScopes(anna, 'view'), 'view')).toThrow(forbidden);
    expect(() => make(rootId, withScopes(root, 'admin', 'view'), 'append')).toThrow(forbidden);
    make(annaId, root, 'append');
    make(rootId, withScopes(root, 'admin', 'view'), 'view', 'admin');
    make(annaId, BY_OPERATOR, 'view');
    expect(access.tokens.list({ userId: annaId }, anna)).toHaveLength(2);
    expect(access.tokens.list({ userId: null }, root)).toHaveLength(3);
    expect(() => access.tokens.list({ userId: null }, anna)).toThrow(forbidden);
    expect(() => access.tokens.list({ userId: rootId }, anna)).toThrow(forbidden);
    const [ofRoot] = access.tokens.list({ userId: rootId }, root);
    expect(() => access.tokens.revoke(ofRoot!.id, anna)).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    );
    const [ofAnna] = access.tokens.list({ userId: annaId }, anna);
    expect(access.tokens.revoke(ofAnna!.id, root).revokedAtMs).not.toBeNull();
  });

  test.each([
    ['no scope', { scopes: [] }, 'scopes'],
    ['an end in the past', { expiresAtMs: 1 }, 'expires'],
    ['an end that is no time', { expiresAtMs: Number.NaN }, 'expires'],
    ['no name', { name: ' ' }, 'name'],
    ['a name of two lines', { name: 'a\nb' }, 'name'],
  ])('are refused with %s', async (_what, wrong, field) => {
    const { access, anna, annaId } = await fixture();
    const input = { userId: annaId, name: 'x', scopes: ['view' as const], expiresAtMs: null };
    expect(() => access.tokens.create({ ...input, ...wrong }, anna)).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD', field }),
    );
  });
});

describe('the link to the first admin', () => {
  const admin = { name: 'root', password: 'quite a long one' };

  test('works once, until its end, and only while there is no admin', async () => {
    const { access, clock, addUser, audited } = await accessFixture();
    await addUser('anna');
    const invalid = { code: 'SETUP_LINK_INVALID' };
    const first = access.setupLink.issue()!;
    const second = access.setupLink.issue()!;
    const redeem = (secret: string): Promise<unknown> =>
      access.setupLink.redeem({ secret, ...admin }, '192.0.2.1');
    await expect(redeem(first)).rejects.toMatchObject(invalid);
    await expect(redeem('')).rejects.toMatchObject(invalid);
    clock.pass(DAY_MS);
    await expect(redeem(second)).rejects.toMatchObject(invalid);
    const third = access.setupLink.issue()!;
    await expect(
      access.setupLink.redeem({ secret: third, name: 'root', password: 'short' }, null),
    ).rejects.toMatchObject({ code: 'WEAK_PASSWORD' });
    const results = await Promise.allSettled([
      redeem(third),
      access.setupLink.redeem({ ...admin, secret: third, name: 'second' }, null),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(access.hasAdmin).toBe(true);
    expect(access.setupLink.issue()).toBeNull();
    expect(audited()).toEqual(['user.add', 'user.add']);
  });

  test('is worthless once somebody else made an admin', async () => {
    const { access, addUser } = await accessFixture();
    const secret = access.setupLink.issue()!;
    await addUser('boss', { isAdmin: true });
    await expect(access.setupLink.redeem({ secret, ...admin }, null)).rejects.toMatchObject({
      code: 'SETUP_LINK_INVALID',
    });
  });
});
