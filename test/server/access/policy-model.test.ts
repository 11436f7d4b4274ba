import { test } from '@jest/globals';
import fc from 'fast-check';
import { matchesTags, type Tags } from '../../../src/model/tags.ts';
import type { Identity, Scope } from '../../../src/server/access/identity.ts';
import { Policy } from '../../../src/server/access/policy.ts';
import {
  GRANT_PERMISSIONS,
  type GrantPermission,
  PERMISSIONS,
  type Permission,
  SCOPES,
} from '../../../src/server/state/permissions.ts';
import { type Grant, subjectKey } from '../../../src/server/state/records/grant.ts';
import { openedState, temporaryFolder } from '../state/support.ts';

/** Tags of streams and of queries, small enough that they often match. */
const tagsArbitrary: fc.Arbitrary<Tags> = fc.record(
  {
    site: fc.constantFrom('a', 'b'),
    room: fc.constantFrom({ floor: 1 }, { floor: 2 }, { floor: 1, wing: 'x' }, {}),
    list: fc.constantFrom([1], [1, 2]),
  },
  { requiredKeys: [] },
);
const streamIdArbitrary = fc.constantFrom('s0', 's1', 's2', 's3');
const subjectArbitrary: fc.Arbitrary<Grant['subject']> = fc.constantFrom(
  { kind: 'public' as const },
  { kind: 'user' as const, userId: 'u0' },
  { kind: 'user' as const, userId: 'u1' },
  { kind: 'group' as const, groupId: 'g0' },
  { kind: 'group' as const, groupId: 'g1' },
);
const permissionsArbitrary = fc.uniqueArray(fc.constantFrom(...GRANT_PERMISSIONS), {
  minLength: 1,
});
const targetArbitrary: fc.Arbitrary<Grant['target']> = fc.oneof(
  streamIdArbitrary.map((streamId) => ({ kind: 'stream' as const, streamId })),
  tagsArbitrary.map((tags) => ({ kind: 'query' as const, tags })),
);
const grantArbitrary: fc.Arbitrary<Grant> = fc.record({
  // Few ids, so that grants are replaced and removed.
  id: fc.constantFrom('0', '1', '2', '3', '4', '5'),
  subject: subjectArbitrary,
  permissions: permissionsArbitrary,
  target: targetArbitrary,
  giverId: fc.constant(null),
  createdAtMs: fc.constant(0),
});
const identityArbitrary: fc.Arbitrary<Identity> = fc.record({
  kind: fc.constant('user' as const),
  userId: fc.constantFrom('u0', 'u1', null),
  name: fc.constant('x'),
  isAdmin: fc.constantFrom(false, false, false, true),
  groupIds: fc.subarray(['g0', 'g1']),
  scopes: fc.option(fc.subarray<Scope>([...SCOPES]).map((scopes) => new Set(scopes))),
});
const stepArbitrary = fc.record({
  byAnother: fc.boolean(),
  grant: grantArbitrary,
  isRemoved: fc.boolean(),
  fails: fc.boolean(),
});
const questionArbitrary = fc.record({
  identity: identityArbitrary,
  stream: fc.record({ id: streamIdArbitrary, tags: tagsArbitrary }),
  permission: fc.constantFrom(...PERMISSIONS),
  permissions: permissionsArbitrary,
  target: targetArbitrary,
});

/** The policy as its documentation says it, without a thought for speed. */
class NaivePolicy {
  readonly grants: Map<string, Grant> = new Map();
  readonly #publicRead: boolean;

  constructor(publicRead: boolean) {
    this.#publicRead = publicRead;
  }

  /** Whether one grant or another gives it on the stream; without an id, on whatever has the tags. */
  has(identity: Identity, permission: GrantPermission, id: string | null, tags: Tags): boolean {
    if (identity.isAdmin || (this.#publicRead && permission === 'view')) return true;
    return this.#of(identity).some(
      ({ permissions, target }) =>
        permissions.includes(permission) &&
        (target.kind === 'stream' ? target.streamId === id : matchesTags(tags, target.tags)),
    );
  }

  hasAnywhere(identity: Identity, permission: GrantPermission): boolean {
    if (identity.isAdmin || (this.#publicRead && permission === 'view')) return true;
    return this.#of(identity).some(({ permissions }) => permissions.includes(permission));
  }

  /** What one subject or another has with the new tags, and neither it nor everybody had with the old ones. */
  gained({ id, tags }: { id: string; tags: Tags }, newTags: Tags): readonly Permission[] {
    const all = [...this.grants.values()];
    const hasBy = (by: Grant['subject'], permission: Permission, on: Tags): boolean =>
      all.some(
        ({ subject, permissions, target }) =>
          subjectKey(subject) === subjectKey(by) &&
          permissions.includes(permission) &&
          (target.kind === 'stream' ? target.streamId === id : matchesTags(on, target.tags)),
      );
    const everybodyHas = (permission: Permission): boolean =>
      (this.#publicRead && permission === 'view') || hasBy({ kind: 'public' }, permission, tags);
    return PERMISSIONS.filter((permission) =>
      all.some(
        ({ subject }) =>
          hasBy(subject, permission, newTags) &&
          !hasBy(subject, permission, tags) &&
          !everybodyHas(permission),
      ),
    );
  }

  #of({ userId, groupIds }: Identity): readonly Grant[] {
    return [...this.grants.values()].filter(
      ({ subject }) =>
        subject.kind === 'public' ||
        (subject.kind === 'user' && subject.userId === userId) ||
        (subject.kind === 'group' && groupIds.includes(subject.groupId)),
    );
  }
}

function hasScopes({ scopes }: Identity, ...wanted: readonly Scope[]): boolean {
  return scopes === null || wanted.every((scope) => scopes.has(scope));
}

function assertSame(actual: boolean, expected: boolean, what: string): void {
  if (actual !== expected) throw new Error(`${what} is ${actual}, not ${expected}`);
}

test('the policy answers as the naive one, whoever changes the grants, and whatever fails', async () => {
  const folder = await temporaryFolder();
  const states = [await openedState(folder), await openedState(folder)] as const;
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(fc.tuple(stepArbitrary, questionArbitrary), { minLength: 1, maxLength: 25 }),
      (publicRead, steps) => {
        for (const { id } of states[0].grants.all()) states[0].grants.remove(id);
        const policy = new Policy(states[0], { publicRead });
        const model = new NaivePolicy(publicRead);
        for (const [{ byAnother, grant, isRemoved, fails }, question] of steps) {
          const state = states[byAnother ? 1 : 0];
          try {
            state.write(() => {
              if (isRemoved) state.grants.remove(grant.id);
              else state.grants.put(grant);
              // What is seen within a write that fails must not stay.
              policy.can(question.identity, question.permission, question.stream);
              if (fails) throw new Error('no');
            });
            if (isRemoved) model.grants.delete(grant.id);
            else model.grants.set(grant.id, grant);
          } catch (error) {
            if (!fails) throw error;
          }
          ask(policy, model, question);
        }
      },
    ),
    { numRuns: 150 },
  );
});

function ask(
  policy: Policy,
  model: NaivePolicy,
  {
    identity,
    stream,
    permission,
    permissions,
    target,
  }: typeof questionArbitrary extends fc.Arbitrary<infer Question> ? Question : never,
): void {
  const { id, tags } = stream;
  const canDo = hasScopes(identity, permission) && model.has(identity, permission, id, tags);
  assertSame(policy.can(identity, permission, stream), canDo, `can ${permission}`);
  const canAnywhere = hasScopes(identity, permission) && model.hasAnywhere(identity, permission);
  assertSame(policy.canAnywhere(identity, permission), canAnywhere, `can ${permission} anywhere`);
  const mayCreate =
    hasScopes(identity, 'append', 'change') &&
    (model.has(identity, 'create', null, tags) ||
      (model.has(identity, 'append', null, tags) && model.has(identity, 'change', null, tags)));
  assertSame(policy.canCreate(identity, tags), mayCreate, 'can create');
  const newTags = target.kind === 'query' ? target.tags : {};
  const may = (name: Permission): boolean =>
    hasScopes(identity, name) && model.has(identity, name, id, tags);
  const mayRetag =
    may('change') && model.gained(stream, newTags).every((gained) => may('grant') && may(gained));
  assertSame(policy.canRetag(identity, stream, newTags), mayRetag, 'can retag');
  const on: [string | null, Tags] =
    target.kind === 'stream' ? [target.streamId, tags] : [null, target.tags];
  const needed: GrantPermission[] = [...permissions, 'grant'];
  const mayGrant =
    hasScopes(identity, ...needed.map((name) => (name === 'create' ? 'change' : name))) &&
    (identity.isAdmin || !permissions.includes('create')) &&
    needed.every((name) => model.has(identity, name, ...on));
  assertSame(policy.canGrant(identity, permissions, { target, tags }), mayGrant, 'can grant');
  // What is granted on tags is less than, or as much as, what whoever grants it has on each such stream.
  if (mayGrant && target.kind === 'query' && matchesTags(tags, target.tags)) {
    for (const name of needed) assertSame(model.has(identity, name, id, tags), true, `has ${name}`);
  }
}
