import { request } from './client.ts';

interface SessionUser {
  readonly id: string;
  readonly name: string;
  readonly isAdmin: boolean;
  readonly preferences?: Readonly<Record<string, unknown>>;
}

export interface SessionInfo {
  /** Null: nobody is signed in. */
  readonly user: SessionUser | null;
  readonly csrfToken: string | null;
  /** `open`: everybody may do everything. */
  readonly mode: string;
}

export const readSession = (): Promise<SessionInfo> => request('GET', '/session');

export const openSession = (body: { name: string; password: string }): Promise<unknown> =>
  request('POST', '/session', { body });

export const endSession = (): Promise<void> => request('DELETE', '/session');

/** Makes the first admin with the link that the service printed. */
export const setUp = (body: { token: string; name: string; password: string }): Promise<unknown> =>
  request('POST', '/setup', { body });
