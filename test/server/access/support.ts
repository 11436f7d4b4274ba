import { Access } from '../../../src/server/access/access.ts';
import type { Actor } from '../../../src/server/access/audit.ts';
import { type Identity, OPERATOR } from '../../../src/server/access/identity.ts';
import {
  type AccessSettings,
  DEFAULT_ACCESS_SETTINGS,
} from '../../../src/server/access/settings.ts';
import type { UserView } from '../../../src/server/access/users.ts';
import type { StateStore } from '../../../src/server/state/state-store.ts';
import { openedState, temporaryFolder } from '../state/support.ts';

/** As cheap as argon2 allows: the tests are not about its cost. */
export const CHEAP: Partial<AccessSettings> = {
  password: { ...DEFAULT_ACCESS_SETTINGS.password, memoryKib: 8, passCount: 1 },
};

export const BY_OPERATOR: Actor = { identity: OPERATOR, address: null };
export const PASSWORD = 'long enough, and odd';

/** A clock that a test sets. */
class TestClock {
  ms: number = Date.UTC(2026, 0, 1, 12);
  readonly now = (): Date => new Date(this.ms);

  pass(durationMs: number): void {
    this.ms += durationMs;
  }
}

/** Access over a state store of its own. */
export interface AccessFixture {
  readonly folder: string;
  readonly state: StateStore;
  readonly access: Access;
  readonly clock: TestClock;
  /** Adds a user with `PASSWORD`. */
  addUser(name: string, options?: { readonly isAdmin?: boolean }): Promise<UserView>;
  /** What a user does with a session. */
  actor(user: UserView): Actor;
  /** Actions of the audit log, oldest first. */
  audited(): readonly string[];
}

export async function accessFixture(
  settings: Partial<AccessSettings> = {},
): Promise<AccessFixture> {
  const folder = await temporaryFolder();
  const state = await openedState(folder);
  const clock = new TestClock();
  const access = new Access(state, { settings: { ...CHEAP, ...settings }, now: clock.now });
  return {
    folder,
    state,
    access,
    clock,
    addUser: (name, { isAdmin = false } = {}) =>
      access.users.add({ name, password: PASSWORD, isAdmin }, BY_OPERATOR),
    actor: (user) => ({ identity: identityOf(access.users.get(user.id)), address: '192.0.2.1' }),
    audited: () =>
      access.audit
        .page({ limit: 100 })
        .entries.map(({ action }) => action)
        .reverse(),
  };
}

function identityOf({ id, name, isAdmin, groupIds }: UserView): Identity {
  return { kind: 'user', userId: id, name, isAdmin, groupIds, scopes: null };
}
