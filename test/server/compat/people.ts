import type { Tags } from '../../../src/model/tags.ts';
import { OPERATOR } from '../../../src/server/access/identity.ts';
import type { Service } from '../../../src/server/service.ts';
import type { GrantPermission, Scope } from '../../../src/server/state/permissions.ts';

const PASSWORD = 'long enough, and odd';
/** As cheap as argon2 allows: the tests are not about its cost. */
export const WITH_USERS = {
  access: { mode: 'users', passwordMemoryKib: 8, passwordPasses: 1 },
};
const BY_OPERATOR = { identity: OPERATOR, address: null };

/** Somebody with a name and `PASSWORD`. */
export interface Person {
  readonly id: string;
  /** Headers with which he shows who he is. */
  readonly headers: Readonly<Record<string, string>>;
  /** Those with a token of his instead. */
  tokenHeaders(scopes: readonly Scope[]): Readonly<Record<string, string>>;
}

/** Adds a user; what he is granted holds for all streams with the tags. */
export async function addPerson(
  { access }: Service,
  name: string,
  {
    isAdmin = false,
    grants = [],
    on = {},
  }: { isAdmin?: boolean; grants?: readonly GrantPermission[]; on?: Tags } = {},
): Promise<Person> {
  const { id } = await access.users.add({ name, password: PASSWORD, isAdmin }, BY_OPERATOR);
  if (grants.length > 0) {
    await access.grants.add(
      {
        subject: { kind: 'user', userId: id },
        permissions: grants,
        target: { kind: 'query', tags: on },
      },
      BY_OPERATOR,
    );
  }
  return {
    id,
    headers: { authorization: basic(name, PASSWORD) },
    tokenHeaders: (scopes) => {
      const token = { userId: id, name: 'a token', scopes, expiresAtMs: null };
      return { authorization: `Bearer ${access.tokens.create(token, BY_OPERATOR).secret}` };
    },
  };
}

export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}
