import type { StateStore } from '../state/state-store.ts';
import type { Audit } from './audit.ts';
import type { Passwords } from './passwords.ts';
import type { Policy } from './policy.ts';
import type { AccessSettings } from './settings.ts';

/** What the parts of access share. */
export interface AccessParts {
  readonly state: StateStore;
  readonly audit: Audit;
  readonly passwords: Passwords;
  readonly policy: Policy;
  readonly settings: AccessSettings;
  readonly now: () => Date;
}
