import type { JSX } from 'preact';
import { type AuditEntry, readAudit } from '../../api/admin.ts';
import { DataTable } from '../../components/data-table.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { useRequest } from '../../state/use-request.ts';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { secondText } from '../../time/time-text.ts';

/** Who changed what. */
export function AuditPanel(): JSX.Element {
  const zone = useTimeZone();
  const { data, error, reload } = useRequest(readAudit, []);
  return (
    <section class="panel">
      <h2>Audit log</h2>
      {error !== null && (
        <ProblemNote doing="Reading the audit log" error={error} onRetry={reload} />
      )}
      {data !== null && (
        <DataTable<AuditEntry>
          caption="Audit log"
          rows={data}
          keyOf={({ at, action, target }, index) => `${at} ${action} ${target.id} ${index}`}
          empty="Nothing was changed yet."
          columns={[
            {
              title: 'When',
              cell: ({ at }) => secondText(at, zone),
            },
            {
              title: 'Who',
              cell: ({ actor }) =>
                actor.address === null ? actor.name : `${actor.name} (${actor.address})`,
            },
            { title: 'Did', cell: ({ action }) => action },
            { title: 'To', cell: ({ target }) => `${target.kind} ${target.name ?? target.id}` },
          ]}
        />
      )}
    </section>
  );
}
