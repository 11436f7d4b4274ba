import { ServiceError } from '../state/service-error.ts';
import type { Actor } from './audit.ts';
import { isAdminWithin } from './identity.ts';

/** How many of something a user may have who is no admin. */
export interface UserLimit {
  /** Of the one that comes now not counted. */
  readonly heldCount: number;
  readonly countMax: number;
  /** The plural, as in `API tokens`. */
  readonly what: string;
  /** Which setting says so, as in `limits.tokensPerUser`. */
  readonly setting: string;
}

/** Called within the write that adds one. @throws {ServiceError} LIMIT_REACHED */
export function assertRoomForOne(
  { heldCount, countMax, what, setting }: UserLimit,
  { identity }: Actor,
): void {
  if (heldCount < countMax || isAdminWithin(identity)) return;
  throw new ServiceError(
    'LIMIT_REACHED',
    `A user has at most ${countMax} ${what} (${setting}): delete some, or ask an admin.`,
  );
}
