import type { JSX } from 'preact';
import { SectionLinks } from '../components/section-links.tsx';
import type { AdminSection } from '../router/routes.ts';
import { isAdmin, session } from '../state/session.ts';
import { useObservable } from '../state/use-observable.ts';
import { AuditPanel } from './admin/audit-panel.tsx';
import { GrantsPanel } from './admin/grants-panel.tsx';
import { GroupsPanel } from './admin/groups-panel.tsx';
import { JobsPanel } from './admin/jobs-panel.tsx';
import { StatusPanel } from './admin/status-panel.tsx';
import { StreamStatisticsPanel } from './admin/stream-statistics-panel.tsx';
import { AllTokensPanel } from './admin/tokens-panel.tsx';
import { TotalsPanel } from './admin/totals-panel.tsx';
import { UsersPanel } from './admin/users-panel.tsx';
import { usePageTitle } from './use-page-title.ts';

const SECTIONS: Readonly<
  Record<AdminSection, { readonly text: string; readonly show: () => JSX.Element }>
> = {
  statistics: { text: 'Statistics', show: Overview },
  users: { text: 'Users', show: UsersPanel },
  groups: { text: 'Groups', show: GroupsPanel },
  grants: { text: 'Grants', show: GrantsPanel },
  tokens: { text: 'Tokens', show: AllTokensPanel },
  jobs: { text: 'Jobs', show: JobsPanel },
  audit: { text: 'Audit log', show: AuditPanel },
};

/** What only admins see: numbers, people and what they may, jobs, and what was changed by whom. */
export function AdminPage({ section }: { readonly section: AdminSection }): JSX.Element {
  const { text, show: Section } = SECTIONS[section];
  usePageTitle(`Admin: ${text}`);
  const who = useObservable(session);
  if (who === null || !isAdmin(who)) return <h1>Only admins may see this</h1>;
  return (
    <>
      <div class="page-head">
        <h1>Admin</h1>
      </div>
      <SectionLinks
        label="Admin"
        links={Object.entries(SECTIONS).map(([name, { text: label }]) => ({
          to: addressOf(name),
          text: label,
        }))}
        current={addressOf(section)}
      />
      <Section />
    </>
  );
}

function addressOf(section: string): string {
  return section === 'statistics' ? '/admin' : `/admin/${section}`;
}

function Overview(): JSX.Element {
  return (
    <>
      <TotalsPanel />
      <StreamStatisticsPanel />
      <StatusPanel />
    </>
  );
}
