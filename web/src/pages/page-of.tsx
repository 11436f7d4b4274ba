import type { JSX } from 'preact';
import { EmptyState } from '../components/empty-state.tsx';
import type { Route } from '../router/routes.ts';
import { AdminPage } from './admin-page.tsx';
import { AlertRulePage } from './alert-rule-page.tsx';
import { AlertsPage } from './alerts-page.tsx';
import { ChartsPage } from './charts-page.tsx';
import { DashboardPage } from './dashboard-page.tsx';
import { DashboardsPage } from './dashboards-page.tsx';
import { DerivationsPage } from './derivations-page.tsx';
import { LoginPage } from './login-page.tsx';
import { SendPage } from './send-page.tsx';
import { SettingsPage } from './settings-page.tsx';
import { SetupPage } from './setup-page.tsx';
import { StreamPage } from './stream-page.tsx';
import { StreamsPage } from './streams-page.tsx';

/** The page of an address. */
export function pageOf(route: Route): JSX.Element {
  switch (route.page) {
    case 'streams':
      return <StreamsPage />;
    case 'stream':
      return <StreamPage key={route.id} id={route.id} />;
    case 'charts':
      return <ChartsPage />;
    case 'derivations':
      return <DerivationsPage />;
    case 'send':
      return <SendPage />;
    case 'dashboards':
      return <DashboardsPage />;
    case 'dashboard':
      return <DashboardPage key={route.id} id={route.id} />;
    case 'alerts':
      return <AlertsPage />;
    case 'alert-rule':
      return <AlertRulePage key={route.id} id={route.id} />;
    case 'admin':
      return <AdminPage section={route.section} />;
    case 'settings':
      return <SettingsPage />;
    case 'login':
      return <LoginPage />;
    case 'setup':
      return <SetupPage />;
    case 'unknown':
      return (
        <EmptyState title="There is no such page">
          <a class="button" href="/">
            All streams
          </a>
        </EmptyState>
      );
  }
}
