import type { JSX } from 'preact';
import { isAdmin, session } from '../state/session.ts';
import { useObservable } from '../state/use-observable.ts';
import { AuditPanel } from './admin/audit-panel.tsx';
import { JobsPanel } from './admin/jobs-panel.tsx';
import { StatusPanel } from './admin/status-panel.tsx';
import { AllTokensPanel } from './admin/tokens-panel.tsx';
import { UsersPanel } from './admin/users-panel.tsx';
import { usePageTitle } from './use-page-title.ts';

/** What only admins see: people, jobs, numbers, and what was changed by whom. */
export function AdminPage(): JSX.Element {
  usePageTitle('Admin');
  const who = useObservable(session);
  if (who === null || !isAdmin(who)) return <h1>Only admins may see this</h1>;
  return (
    <>
      <div class="page-head">
        <h1>Admin</h1>
      </div>
      <JobsPanel />
      <UsersPanel />
      <AllTokensPanel />
      <StatusPanel />
      <AuditPanel />
    </>
  );
}
