import { SETUP_LINK_ID } from '../state/records/setup-link.ts';
import { ServiceError } from '../state/service-error.ts';
import type { StateStore } from '../state/state-store.ts';
import type { AccessParts } from './access-parts.ts';
import { hasAdmin } from './admin-check.ts';
import { OPERATOR } from './identity.ts';
import { hashOfSecret, isSameSecret, newSecret } from './secrets.ts';
import type { Users, UserView } from './users.ts';

/** The way to the first admin: a link that whoever started the service is shown. */
export class SetupLink {
  readonly #state: StateStore;
  readonly #users: Users;
  readonly #validMs: number;
  readonly #now: () => Date;

  constructor({ state, settings, now }: AccessParts, users: Users) {
    this.#state = state;
    this.#users = users;
    this.#validMs = settings.setupLinkMs;
    this.#now = now;
  }

  /** The secret of a new link, which ends the one before it; null when there is an admin already. */
  issue(): string | null {
    const secret = newSecret();
    return this.#state.write(() => {
      if (hasAdmin(this.#state)) return null;
      const expiresAtMs = this.#now().getTime() + this.#validMs;
      this.#state.setupLinks.put({ id: SETUP_LINK_ID, hash: hashOfSecret(secret), expiresAtMs });
      return secret;
    });
  }

  /**
   * Makes the first admin; the link is over then.
   * @throws {ServiceError} SETUP_LINK_INVALID, INVALID_FIELD, WEAK_PASSWORD, ALREADY_EXISTS
   */
  async redeem(
    {
      secret,
      name,
      password,
    }: { readonly secret: string; readonly name: string; readonly password: string },
    address: string | null,
  ): Promise<UserView> {
    // Before the password is hashed, and once more within the transaction.
    this.#assertGood(secret);
    const by = { identity: { ...OPERATOR, name: 'setup link' }, address };
    return await this.#users.add({ name, password, isAdmin: true }, by, () => {
      this.#assertGood(secret);
      this.#state.setupLinks.remove(SETUP_LINK_ID);
    });
  }

  #assertGood(secret: string): void {
    const link = this.#state.setupLinks.get(SETUP_LINK_ID);
    const isGood =
      link !== null &&
      isSameSecret(link.hash, hashOfSecret(secret)) &&
      this.#now().getTime() < link.expiresAtMs &&
      !hasAdmin(this.#state);
    if (isGood) return;
    throw new ServiceError(
      'SETUP_LINK_INVALID',
      'This link is used up or too old; the service prints a new one when it starts without an admin.',
    );
  }
}
