import type { JSX } from 'preact';
import { type AlertEvent, readAlertHistory } from '../../api/alerts.ts';
import { DataTable } from '../../components/data-table.tsx';
import { OlderButton } from '../../components/older-button.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { useOlder } from '../../state/use-older.ts';
import { useStreamTitles } from '../../state/use-stream-titles.ts';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { secondText } from '../../time/time-text.ts';
import { StateBadge } from './state-badge.tsx';

/** What happened: by one rule, or by all. */
export function AlertHistory({
  round,
  ruleId = null,
  ruleNames = new Map(),
}: {
  /** Another one: ask again. */
  readonly round: number;
  readonly ruleId?: string | null;
  readonly ruleNames?: ReadonlyMap<string, string>;
}): JSX.Element {
  const zone = useTimeZone();
  const { items, error, isLoading, hasOlder, readOlder, reload } = useOlder(
    async (cursor, signal) => {
      const { events, next } = await readAlertHistory({ rule: ruleId, cursor }, signal);
      return { items: events, next };
    },
    { listKey: ruleId ?? 'all', round },
  );
  const titles = useStreamTitles((items ?? []).map(({ stream }) => stream));
  return (
    <section class="panel">
      <h2>History</h2>
      {error !== null && <ProblemNote doing="Reading the history" error={error} onRetry={reload} />}
      {items !== null && (
        <DataTable<AlertEvent>
          caption="What happened"
          rows={items}
          keyOf={({ seq }) => String(seq)}
          empty="Nothing has happened."
          columns={[
            { title: 'When', cell: ({ at }) => secondText(at, zone) },
            { title: 'State', cell: ({ state }) => <StateBadge state={state} /> },
            {
              title: 'Stream',
              cell: ({ stream }) => (
                <a href={`/streams/${stream}`}>{titles.get(stream) ?? stream}</a>
              ),
            },
            ...(ruleId === null
              ? [
                  {
                    title: 'Rule',
                    cell: (event: AlertEvent) => ruleNames.get(event.ruleId) ?? event.ruleId,
                  },
                ]
              : []),
          ]}
        />
      )}
      <OlderButton hasOlder={hasOlder} isLoading={isLoading} onClick={readOlder} />
    </section>
  );
}
