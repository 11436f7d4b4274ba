import { request } from './client.ts';

interface SessionUser {
  /** Null: nobody in particular, where everybody may do everything. */
  readonly id: string | null;
  readonly name: string;
  readonly isAdmin: boolean;
}

export interface SessionInfo {
  /** Null: nobody is signed in. */
  readonly user: SessionUser | null;
  readonly csrfToken: string | null;
  /** `open`: everybody may do everything. */
  readonly mode: string;
  /** Whether everybody may see all streams. */
  readonly publicRead: boolean;
  /** Whether there is no admin yet. */
  readonly needsSetup: boolean;
}

export const readSession = (): Promise<SessionInfo> => request('GET', '/session');

export const openSession = (body: { name: string; password: string }): Promise<unknown> =>
  request('POST', '/session', { body });

export const endSession = (): Promise<void> => request('DELETE', '/session');

/** Makes the first admin with the link that the service printed. */
export const setUp = (body: { token: string; name: string; password: string }): Promise<unknown> =>
  request('POST', '/setup', { body });

export const changePassword = (body: {
  currentPassword: string;
  newPassword: string;
}): Promise<void> => request('PUT', '/session/password', { body });
