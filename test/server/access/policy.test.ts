import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Tags } from '../../../src/model/tags.ts';
import { ANONYMOUS, type Identity, type Scope } from '../../../src/server/access/identity.ts';
import { Policy } from '../../../src/server/access/policy.ts';
import {
  type GrantPermission,
  PERMISSIONS,
  type Permission,
} from '../../../src/server/state/permissions.ts';
import type { Grant } from '../../../src/server/state/records/grant.ts';
import type { StateStore } from '../../../src/server/state/state-store.ts';
import { openedState, temporaryFolder, temporaryState } from '../state/support.ts';

const STREAM = { id: 's1', tags: { site: 'a', room: { floor: 1 }, unit: 'W' } };
const OTHER = { id: 's2', tags: { site: 'b' } };

const ANNA: Identity = {
  kind: 'user',
  userId: 'anna',
  name: 'anna',
  isAdmin: false,
  groupIds: ['crew'],
  scopes: null,
};
const BERT: Identity = { ...ANNA, userId: 'bert', name: 'bert', groupIds: [] };
const ADMIN: Identity = { ...ANNA, userId: 'root', name: 'root', groupIds: [], isAdmin: true };

function withScopes(identity: Identity, ...scopes: Scope[]): Identity {
  return { ...identity, kind: 'token', scopes: new Set(scopes) };
}

const SUBJECTS = {
  anna: { kind: 'user', userId: 'anna' },
  crew: { kind: 'group', groupId: 'crew' },
  public: { kind: 'public' },
} as const;
const TARGETS = {
  stream: { kind: 'stream', streamId: 's1' },
  everything: { kind: 'query', tags: {} },
  site: { kind: 'query', tags: { site: 'a' } },
  nested: { kind: 'query', tags: { site: 'a', room: { floor: 1 } } },
  elsewhere: { kind: 'query', tags: { site: 'a', room: { floor: 2 } } },
} as const;

function grant(
  state: StateStore,
  subject: keyof typeof SUBJECTS,
  target: keyof typeof TARGETS,
  ...permissions: GrantPermission[]
): Grant {
  return state.grants.insert({
    id: randomUUID(),
    subject: SUBJECTS[subject],
    permissions,
    target: TARGETS[target],
    giverId: null,
    createdAtMs: 0,
  });
}

function allowed(
  policy: Policy,
  identity: Identity,
  stream = STREAM as Parameters<Policy['can']>[2],
): string {
  return policy.permissionsOn(identity, stream).join(' ');
}

describe('the policy', () => {
  test.each([
    ['anna', 'stream', 'view append', { anna: 'view append', bert: '', anonymous: '' }, ''],
    ['anna', 'everything', 'view', { anna: 'view', bert: '', anonymous: '' }, 'view'],
    ['anna', 'site', 'view delete', { anna: 'view delete', bert: '', anonymous: '' }, ''],
    ['anna', 'nested', 'change', { anna: 'change', bert: '', anonymous: '' }, ''],
    ['anna', 'elsewhere', 'view', { anna: '', bert: '', anonymous: '' }, ''],
    ['crew', 'site', 'view grant', { anna: 'view grant', bert: '', anonymous: '' }, ''],
    ['public', 'stream', 'view', { anna: 'view', bert: 'view', anonymous: 'view' }, ''],
    ['public', 'everything', 'view', { anna: 'view', bert: 'view', anonymous: 'view' }, 'view'],
  ] as const)('a grant to %s on %s of %s', async (subject, target, names, expected, elsewhere) => {
    const state = await temporaryState();
    const policy = new Policy(state, { publicRead: false });
    for (const identity of [ANNA, BERT, ANONYMOUS]) {
      expect(allowed(policy, identity)).toBe('');
    }
    grant(state, subject, target, ...(names.split(' ') as Permission[]));
    expect({
      anna: allowed(policy, ANNA),
      bert: allowed(policy, BERT),
      anonymous: allowed(policy, ANONYMOUS),
    }).toEqual(expected);
    expect(allowed(policy, ANNA, OTHER)).toBe(elsewhere);
  });

  test('lets an admin do everything, and the scopes of a token take away', async () => {
    const state = await temporaryState();
    const policy = new Policy(state, { publicRead: true });
    grant(state, 'anna', 'stream', ...PERMISSIONS);
    expect(allowed(policy, ADMIN)).toBe(PERMISSIONS.join(' '));
    expect(policy.canCreate(ADMIN, {})).toBe(true);
    for (const scope of PERMISSIONS) {
      expect(allowed(policy, withScopes(ADMIN, scope))).toBe(scope);
      expect(allowed(policy, withScopes(ANNA, scope))).toBe(scope);
    }
    expect(allowed(policy, withScopes(ADMIN, 'admin'))).toBe('');
    expect(policy.canCreate(withScopes(ADMIN, 'append'), {})).toBe(false);
    expect(policy.canCreate(withScopes(ADMIN, 'append', 'change'), {})).toBe(true);
    expect(policy.canAnywhere(withScopes(ANNA, 'append'), 'view')).toBe(false);
  });

  test('publicRead lets everybody view, and do nothing else', async () => {
    const policy = new Policy(await temporaryState(), { publicRead: true });
    for (const identity of [ANNA, ANONYMOUS]) {
      expect(allowed(policy, identity)).toBe('view');
      expect(policy.canAnywhere(identity, 'view')).toBe(true);
      expect(policy.canAnywhere(identity, 'append')).toBe(false);
      expect(policy.canCreate(identity, STREAM.tags)).toBe(false);
    }
  });

  test('creating needs append and change on what the tags match, or create', async () => {
    const state = await temporaryState();
    const policy = new Policy(state, { publicRead: false });
    const mayCreate = (tags: Tags): boolean => policy.canCreate(ANNA, tags);
    grant(state, 'anna', 'site', 'append');
    grant(state, 'anna', 'stream', 'change');
    expect(mayCreate(STREAM.tags)).toBe(false);
    grant(state, 'crew', 'nested', 'change');
    expect(mayCreate(STREAM.tags)).toBe(true);
    expect(mayCreate({ site: 'a' })).toBe(false);
    expect(mayCreate({})).toBe(false);
    grant(state, 'anna', 'everything', 'create');
    expect(mayCreate({})).toBe(true);
    expect(policy.canCreate(BERT, {})).toBe(false);
    expect(policy.canCreate(withScopes(ANNA, 'append', 'change'), {})).toBe(true);
    expect(policy.canCreate(withScopes(ANNA, 'append', 'view', 'admin'), {})).toBe(false);
  });

  test('nobody grants what he has not, nor beyond what he has it on', async () => {
    const state = await temporaryState();
    const policy = new Policy(state, { publicRead: false });
    grant(state, 'anna', 'site', 'view', 'append', 'grant');
    grant(state, 'anna', 'stream', 'delete');
    const mayGrant = (target: keyof typeof TARGETS, ...permissions: GrantPermission[]): boolean =>
      policy.canGrant(ANNA, permissions, { target: TARGETS[target], tags: STREAM.tags });
    expect(mayGrant('site', 'view', 'append')).toBe(true);
    expect(mayGrant('nested', 'view')).toBe(true);
    expect(mayGrant('stream', 'view', 'delete', 'grant')).toBe(true);
    expect(mayGrant('nested', 'delete')).toBe(false);
    expect(mayGrant('everything', 'view')).toBe(false);
    expect(mayGrant('site', 'view', 'change')).toBe(false);
    expect(mayGrant('site', 'create')).toBe(false);
    const asToken = (...scopes: Scope[]): boolean =>
      policy.canGrant(withScopes(ANNA, ...scopes), ['view'], { target: TARGETS.site, tags: null });
    expect(asToken('grant', 'view')).toBe(true);
    expect(asToken('grant')).toBe(false);
    expect(asToken('view', 'admin')).toBe(false);
    expect(policy.canGrant(ADMIN, ['create'], { target: TARGETS.everything, tags: null })).toBe(
      true,
    );
    expect(policy.canGrant(BERT, ['view'], { target: TARGETS.stream, tags: {} })).toBe(false);
  });

  test('nobody gains permissions by changing the tags of a stream', async () => {
    const state = await temporaryState();
    const policy = new Policy(state, { publicRead: false });
    state.grants.insert({
      id: '1',
      subject: SUBJECTS.anna,
      permissions: ['delete'],
      target: { kind: 'query', tags: { site: 'b' } },
      giverId: null,
      createdAtMs: 0,
    });
    grant(state, 'anna', 'site', 'change');
    expect(policy.canRetag(ANNA, STREAM, { site: 'a' })).toBe(true);
    expect(policy.canRetag(ANNA, STREAM, { site: 'c' })).toBe(true);
    expect(policy.canRetag(ANNA, STREAM, { site: 'b' })).toBe(false);
    expect(policy.canRetag(ANNA, OTHER, { site: 'a' })).toBe(false);
    // Whoever may grant on it gives no more than he has there, not even to himself.
    grant(state, 'anna', 'site', 'grant');
    expect(policy.canRetag(ANNA, STREAM, { site: 'b' })).toBe(false);
    grant(state, 'anna', 'stream', 'delete');
    expect(policy.canRetag(ANNA, STREAM, { site: 'b' })).toBe(true);
    expect(policy.canRetag(ADMIN, STREAM, { site: 'b' })).toBe(true);
  });

  test('nobody gives others permissions by changing the tags of a stream', async () => {
    const state = await temporaryState();
    const policy = new Policy(state, { publicRead: false });
    grant(state, 'public', 'elsewhere', 'view');
    grant(state, 'anna', 'stream', 'view', 'change');
    const shown = { site: 'a', room: { floor: 2 } };
    expect(policy.canRetag(ANNA, STREAM, shown)).toBe(false);
    expect(policy.canRetag(ANNA, STREAM, { site: 'a', unit: 'kW' })).toBe(true);
    expect(policy.canRetag(withScopes(ADMIN, 'view', 'change'), STREAM, shown)).toBe(false);
    expect(policy.canRetag(withScopes(ADMIN, 'view', 'change', 'grant'), STREAM, shown)).toBe(true);
    grant(state, 'anna', 'stream', 'grant');
    expect(policy.canRetag(ANNA, STREAM, shown)).toBe(true);
    expect(new Policy(state, { publicRead: true }).canRetag(BERT, STREAM, shown)).toBe(false);
  });

  test('sees grants that come and go, also by another opener of the file', async () => {
    const folder = await temporaryFolder();
    const policy = new Policy(await openedState(folder), { publicRead: false });
    const elsewhere = await openedState(folder);
    expect(allowed(policy, ANNA)).toBe('');
    const { id } = grant(elsewhere, 'anna', 'stream', 'view');
    expect(allowed(policy, ANNA)).toBe('view');
    elsewhere.grants.update(id, (held) => ({ ...held, permissions: ['append'] }));
    expect(allowed(policy, ANNA)).toBe('append');
    elsewhere.grants.remove(id);
    expect(allowed(policy, ANNA)).toBe('');
  });
});
