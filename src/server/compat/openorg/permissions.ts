import type { FastifyRequest } from 'fastify';
import type { Permission } from '../../http/viewer.ts';
import { ApiError } from './errors.ts';
import type { Series } from './series.ts';

type Asking = Pick<FastifyRequest, 'identity' | 'viewer'>;

/** Whether a series is there for whoever asks: nobody in particular sees those that are public. */
export function mayRead({ identity, viewer }: Asking, { stream, details }: Series): boolean {
  const isKnown = identity.kind !== 'anonymous' || identity.isAdmin;
  return viewer.can('view', stream) && (details.is_public || isKnown);
}

/** @throws {ApiError} 403 */
export function assertMay(
  { viewer }: Pick<Asking, 'viewer'>,
  permission: Permission,
  { stream, details }: Series,
): void {
  if (viewer.can(permission, stream)) return;
  throw lackingPrivilege(`You may not ${permission} the series ${details.slug}.`);
}

export function lackingPrivilege(message: string): ApiError {
  return new ApiError(403, 'lacking-privilege', message);
}
