import { ApiError } from '../api/api-error.ts';
import { onRefused, setCsrfToken } from '../api/client.ts';
import { endSession, openSession, readSession, type SessionInfo, setUp } from '../api/session.ts';
import { Observable } from './observable.ts';

/** Who is signed in; null until the service has said it. */
export const session = new Observable<SessionInfo | null>(null);

/** A service without sessions lets everybody do everything. */
const WITHOUT_SESSIONS: SessionInfo = {
  user: null,
  csrfToken: null,
  mode: 'open',
  publicRead: true,
  needsSetup: false,
};

/** Whether somebody without a name wants to look at what is public. */
export const isGuest = new Observable(false);

function take(next: SessionInfo): void {
  setCsrfToken(next.csrfToken);
  session.set(next);
}

// A session that ended while the page was open: who asks now is somebody else.
onRefused(() => {
  if (session.value?.csrfToken) void loadSession().catch(() => undefined);
});

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

/** Makes the first admin, and signs him in. */
export async function setUpAdmin(body: {
  token: string;
  name: string;
  password: string;
}): Promise<void> {
  await setUp(body);
  await loadSession();
}

export async function logOut(): Promise<void> {
  await endSession();
  await loadSession();
}

/** Whether somebody has to say who he is before he sees anything. */
export function needsLogin({ user, mode, publicRead }: SessionInfo, guest: boolean): boolean {
  return user === null && mode !== 'open' && !publicRead && !guest;
}

/** Whether somebody may see what only admins may. */
export function isAdmin({ user, mode }: SessionInfo): boolean {
  return user?.isAdmin ?? mode === 'open';
}
