import type { JSX } from 'preact';
import { type AuditEntry, readAudit } from '../../api/audit.ts';
import type { Json } from '../../api/types.ts';
import { DataTable } from '../../components/data-table.tsx';
import { OlderButton } from '../../components/older-button.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { place, replaceQuery } from '../../router/location.ts';
import { useObservable } from '../../state/use-observable.ts';
import { useOlder } from '../../state/use-older.ts';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { secondText } from '../../time/time-text.ts';
import { AuditFilter } from './audit-filter.tsx';

const FILTERS = ['actor', 'action', 'target', 'from', 'to'] as const;

/** Who changed what. The filter is in the address. */
export function AuditPanel(): JSX.Element {
  const zone = useTimeZone();
  const { query } = useObservable(place);
  const wanted = Object.fromEntries(FILTERS.map((name) => [name, query[name] ?? null]));
  const { items, error, isLoading, hasOlder, readOlder, reload } = useOlder(
    async (cursor, signal) => {
      const { entries, next } = await readAudit({ ...wanted, cursor }, signal);
      return { items: entries, next };
    },
    { listKey: JSON.stringify(wanted) },
  );
  return (
    <section class="panel">
      <h2>Audit log</h2>
      <AuditFilter wanted={wanted} onWanted={replaceQuery} />
      {error !== null && (
        <ProblemNote doing="Reading the audit log" error={error} onRetry={reload} />
      )}
      {items !== null && (
        <DataTable<AuditEntry>
          caption="Audit log"
          rows={items}
          keyOf={({ seq }) => String(seq)}
          empty={hasOlder ? 'Nothing among the newest entries.' : 'There is no such entry.'}
          columns={[
            { title: 'When', cell: ({ at }) => secondText(at, zone) },
            {
              title: 'Who',
              cell: ({ actor }) =>
                actor.address === null ? actor.name : `${actor.name} (${actor.address})`,
            },
            { title: 'Did', cell: ({ action }) => action },
            { title: 'To', cell: ({ target }) => `${target.kind} ${target.name ?? target.id}` },
            {
              title: 'Values',
              cell: ({ before, after }) => <Values before={before} after={after} />,
            },
          ]}
        />
      )}
      <OlderButton hasOlder={hasOlder} isLoading={isLoading} onClick={readOlder} />
    </section>
  );
}

function Values({
  before,
  after,
}: {
  readonly before: Json;
  readonly after: Json;
}): JSX.Element | null {
  if (before === null && after === null) return null;
  return (
    <code class="values">
      {before !== null && `${JSON.stringify(before)} → `}
      {after === null ? 'gone' : JSON.stringify(after)}
    </code>
  );
}
