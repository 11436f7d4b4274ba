import type { JSX } from 'preact';
import type { SessionInfo } from '../api/session.ts';
import { navigate } from '../router/location.ts';
import type { Route } from '../router/routes.ts';
import { isAdmin, logOut } from '../state/session.ts';

const LINKS: readonly {
  readonly page: Route['page'];
  readonly to: string;
  readonly text: string;
}[] = [
  { page: 'streams', to: '/', text: 'Streams' },
  { page: 'charts', to: '/charts', text: 'Charts' },
  { page: 'dashboards', to: '/dashboards', text: 'Dashboards' },
  { page: 'derivations', to: '/derivations', text: 'Derivations' },
  { page: 'alerts', to: '/alerts', text: 'Alerts' },
  { page: 'send', to: '/send', text: 'Send data' },
];

/** The page that a page belongs to in the navigation. */
const PARENTS: Partial<Record<Route['page'], Route['page']>> = {
  stream: 'streams',
  dashboard: 'dashboards',
  'alert-rule': 'alerts',
};

export function Header({
  route,
  session: who,
}: {
  readonly route: Route;
  readonly session: SessionInfo;
}): JSX.Element {
  const current = PARENTS[route.page] ?? route.page;
  const { user, mode, csrfToken } = who;
  const link = ({ page, to, text }: (typeof LINKS)[number]): JSX.Element => (
    <a key={page} href={to} aria-current={page === current ? 'page' : undefined}>
      {text}
    </a>
  );
  return (
    <header class="header">
      <a class="brand" href="/" aria-label="datastream: list of streams">
        <svg viewBox="0 0 24 16" width="24" height="16" aria-hidden="true">
          <path d="M1 11h4l3-8 5 12 3.5-8 2 4H23" />
        </svg>
        <span>datastream</span>
      </a>
      <nav aria-label="Pages" class="nav">
        {LINKS.map(link)}
        {isAdmin(who) && link({ page: 'admin', to: '/admin', text: 'Admin' })}
      </nav>
      <nav aria-label="You" class="nav you">
        {link({ page: 'settings', to: '/settings', text: 'Settings' })}
        {user !== null && csrfToken !== null && logOutButton(user.name)}
        {user === null && mode !== 'open' && link({ page: 'login', to: '/login', text: 'Log in' })}
      </nav>
    </header>
  );
}

function logOutButton(name: string): JSX.Element {
  return (
    <button
      type="button"
      class="link-button"
      title={`Signed in as ${name}`}
      onClick={() => void logOut().then(() => navigate('/login'))}
    >
      Log out
    </button>
  );
}
