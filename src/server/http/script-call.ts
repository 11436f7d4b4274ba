import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

/** Names of functions, also of members. */
const CALLBACK = /^[\w$.]{1,100}$/;

/**
 * JSON as a call of a function of the page that loads it. Pages from elsewhere may: they get what anybody gets.
 * @throws {Problem} 400 when that is no name of a function, 403 for such a page with somebody's credentials.
 */
export function scriptCall(
  { identity, headers }: Pick<FastifyRequest, 'identity' | 'headers'>,
  { callback, json }: { readonly callback: string; readonly json: string },
): string {
  const site = headers['sec-fetch-site'];
  const isElsewhere = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (isElsewhere && identity.kind !== 'anonymous') {
    throw new Problem(403, 'callback: not with credentials, for a page from elsewhere.', {
      field: 'callback',
    });
  }
  if (CALLBACK.test(callback)) return `/**/${callback}(${json})`;
  throw new Problem(400, `Invalid callback: '${callback.slice(0, 100)}'`, { field: 'callback' });
}
