import { request } from './client.ts';
import { itemsOf } from './items-of.ts';
import type { Tags } from './types.ts';

/** What can be granted on a stream. */
export const PERMISSIONS = ['view', 'append', 'change', 'delete', 'grant'] as const;

export interface GrantSubject {
  readonly kind: 'user' | 'group' | 'public';
  /** Of the user or the group. */
  readonly name?: string;
}

export type GrantTarget =
  | { readonly kind: 'stream'; readonly streamId: string }
  | { readonly kind: 'query'; readonly tags: Tags };

export interface NewGrant {
  readonly subject: GrantSubject;
  readonly permissions: readonly string[];
  readonly target: GrantTarget;
}

export interface Grant extends NewGrant {
  readonly id: string;
  readonly createdAt: string;
}

/** Those that reach a stream; of null, all there are. */
export const readGrants = async (
  stream: string | null,
  signal?: AbortSignal,
): Promise<readonly Grant[]> =>
  itemsOf(await request('GET', '/grants', { query: { stream }, signal }), 'grants');

export const addGrant = (body: NewGrant): Promise<unknown> => request('POST', '/grants', { body });

export const removeGrant = (id: string): Promise<void> => request('DELETE', `/grants/${id}`);
