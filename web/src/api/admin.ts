import { request } from './client.ts';
import { itemsOf } from './items-of.ts';
import type { Tags } from './types.ts';

export interface User {
  readonly id: string;
  readonly name: string;
  readonly isAdmin: boolean;
  readonly isDisabled: boolean;
  /** False: only tokens let the user in. */
  readonly hasPassword: boolean;
  /** Ids of groups. */
  readonly groups: readonly string[];
  readonly createdAt: string;
}

export interface Job {
  readonly name: string;
  readonly title: string;
  /** A cron expression. */
  readonly schedule: string;
  /** Whether this process runs it by its schedule. */
  readonly isEnabled: boolean;
  readonly pause: { readonly since: string; readonly by: string } | null;
  readonly runningSince: string | null;
  readonly lastRun: {
    readonly start: string;
    readonly durationMs: number;
    readonly outcome: string;
    readonly error: string | null;
  } | null;
  readonly nextRun: string | null;
}

export const readUsers = async (signal?: AbortSignal): Promise<readonly User[]> =>
  itemsOf(await request('GET', '/users', { signal }), 'users');

export const createUser = (body: {
  name: string;
  /** Null: the user has tokens only. */
  password: string | null;
  isAdmin: boolean;
}): Promise<unknown> => request('POST', '/users', { body });

export const changeUser = (
  id: string,
  body: Partial<Pick<User, 'name' | 'isAdmin' | 'isDisabled'>> & { password?: string },
): Promise<unknown> => request('PATCH', `/users/${id}`, { body });

export const deleteUser = (id: string): Promise<void> => request('DELETE', `/users/${id}`);

export const readJobs = async (signal?: AbortSignal): Promise<readonly Job[]> =>
  itemsOf(await request('GET', '/jobs', { signal }), 'jobs');

export const actOnJob = (name: string, action: 'run' | 'pause' | 'resume'): Promise<unknown> =>
  request('POST', `/jobs/${name}/${action}`);

/** What maintenance has to do for a stream. */
export interface StreamStatus {
  readonly stream: string;
  readonly tags: Tags;
  /** Whether it derives from history that was never processed. */
  readonly pendingBackprocess: boolean;
  readonly oldest: string | null;
  readonly bucketCount: number;
}

interface MaintenanceStatus {
  readonly streamCount: number;
  /** Streams with work to come, of which `streams` are the first. */
  readonly staleCount: number;
  readonly bucketCount: number;
  readonly streams: readonly StreamStatus[];
}

export const readStatus = (signal?: AbortSignal): Promise<MaintenanceStatus> =>
  request('GET', '/status', { signal, query: { limit: 20 } });
