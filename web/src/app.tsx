import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiError } from './api/api-error.ts';
import { Header } from './components/header.tsx';
import { ReachabilityBanner } from './components/reachability-banner.tsx';
import { ShortcutsDialog } from './components/shortcuts-dialog.tsx';
import { LoginPage } from './pages/login-page.tsx';
import { pageOf } from './pages/page-of.tsx';
import { navigate, place } from './router/location.ts';
import { routeOf } from './router/routes.ts';
import { isGuest, loadSession, needsLogin, session } from './state/session.ts';
import { useObservable } from './state/use-observable.ts';

const RETRY_MS = 3000;

/** Everything: the header, the page of the address, and what happens when the service is away. */
export function App(): JSX.Element {
  const { path } = useObservable(place);
  const who = useObservable(session);
  const guest = useObservable(isGuest);
  const [failure, setFailure] = useState<string | null>(null);
  const route = routeOf(path);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = (): void => {
      loadSession().then(
        () => setFailure(null),
        (error: unknown) => {
          setFailure(ApiError.textOf(error));
          timer = setTimeout(load, RETRY_MS);
        },
      );
    };
    load();
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    document.getElementById('main')?.focus({ preventScroll: true });
  }, [path]);
  if (who === null) {
    return (
      <main class="page narrow" aria-busy="true">
        <p class="muted">{failure === null ? 'Loading …' : `${failure} Trying again …`}</p>
      </main>
    );
  }
  const isLocked = needsLogin(who, guest) && route.page !== 'setup';
  return (
    <>
      <a class="skip-link" href="#main">
        Skip to content
      </a>
      <Header route={route} session={who} />
      <ReachabilityBanner />
      <main id="main" class="page" tabIndex={-1}>
        {isLocked ? <LoginPage /> : pageOf(route)}
      </main>
      <ShortcutsDialog goTo={navigate} />
    </>
  );
}
