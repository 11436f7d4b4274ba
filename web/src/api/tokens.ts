import { request } from './client.ts';
import { itemsOf } from './items-of.ts';

export const SCOPES = ['view', 'append', 'change', 'delete', 'grant', 'admin'] as const;

export interface ApiToken {
  readonly id: string;
  readonly user: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
}

/** @param user `all`, for admins; default: whoever asks. */
export const readTokens = async (
  user: 'all' | null,
  signal?: AbortSignal,
): Promise<readonly ApiToken[]> =>
  itemsOf(await request('GET', '/tokens', { query: { user }, signal }), 'tokens');

/** The token itself is told once. `expires` is a date or e.g. `+30d`; null: never. */
export const createToken = (body: {
  name: string;
  scopes: readonly string[];
  expires: string | null;
  /** Id of the owner; absent: whoever asks. */
  user?: string;
}): Promise<{ readonly secret: string }> => request('POST', '/tokens', { body });

export const revokeToken = (id: string): Promise<void> => request('DELETE', `/tokens/${id}`);
