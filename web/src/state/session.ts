import { ApiError } from '../api/api-error.ts';
import { setCsrfToken } from '../api/client.ts';
import { endSession, openSession, readSession, type SessionInfo } from '../api/session.ts';
import { Observable } from './observable.ts';

/** Who is signed in; null until the service has said it. */
export const session = new Observable<SessionInfo | null>(null);

/** A service without sessions lets everybody do everything. */
const WITHOUT_SESSIONS: SessionInfo = { user: null, csrfToken: null, mode: 'open' };

function take(next: SessionInfo): void {
  setCsrfToken(next.csrfToken);
  session.set(next);
}

/** @throws {ApiError} when the service cannot be reached. */
export async function loadSession(): Promise<void> {
  try {
    take(await readSession());
  } catch (error) {
    if (!(error instanceof ApiError) || !error.isMissingRoute) throw error;
    take(WITHOUT_SESSIONS);
  }
}

export async function logIn(credentials: { name: string; password: string }): Promise<void> {
  await openSession(credentials);
  await loadSession();
}

export async function logOut(): Promise<void> {
  await endSession();
  await loadSession();
}

/** Whether nobody has to sign in. */
export function isOpenMode({ mode }: SessionInfo): boolean {
  return mode === 'open';
}
