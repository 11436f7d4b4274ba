import { request } from './client.ts';
import { itemsOf } from './items-of.ts';

export interface Group {
  readonly id: string;
  readonly name: string;
  /** Ids of users. */
  readonly members: readonly string[];
  readonly createdAt: string;
}

export const readGroups = async (signal?: AbortSignal): Promise<readonly Group[]> =>
  itemsOf(await request('GET', '/groups', { signal }), 'groups');

export const createGroup = (name: string): Promise<unknown> =>
  request('POST', '/groups', { body: { name } });

export const renameGroup = (id: string, name: string): Promise<unknown> =>
  request('PATCH', `/groups/${id}`, { body: { name } });

export const deleteGroup = (id: string): Promise<void> => request('DELETE', `/groups/${id}`);

export const setMember = (groupId: string, userId: string, isMember: boolean): Promise<unknown> =>
  request(isMember ? 'PUT' : 'DELETE', `/groups/${groupId}/members/${userId}`);
