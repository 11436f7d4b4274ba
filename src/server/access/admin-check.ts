import { ServiceError } from '../state/service-error.ts';
import type { StateStore } from '../state/state-store.ts';
import type { Actor } from './audit.ts';
import { isAdminWithin } from './identity.ts';

/** @throws {ServiceError} FORBIDDEN */
export function assertAdmin({ identity }: Actor): void {
  if (!isAdminWithin(identity)) throw new ServiceError('FORBIDDEN', 'Only an admin may do this.');
}

/** Whether somebody may manage the service. */
export function hasAdmin(state: StateStore): boolean {
  return state.users.all().some(({ isAdmin, isDisabled }) => isAdmin && !isDisabled);
}

/** Called within a write, after a change: it must not be the one that leaves nobody. @throws {ServiceError} LAST_ADMIN */
export function assertAdminLeft(state: StateStore): void {
  if (hasAdmin(state)) return;
  throw new ServiceError('LAST_ADMIN', 'This is the last admin; make somebody else one first.');
}
