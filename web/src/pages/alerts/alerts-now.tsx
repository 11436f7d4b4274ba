import type { JSX } from 'preact';
import { type Alert, readAlerts } from '../../api/alerts.ts';
import { DataTable } from '../../components/data-table.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { numberText } from '../../format/number-text.ts';
import { streamTitle } from '../../format/stream-title.ts';
import { useRequest } from '../../state/use-request.ts';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { secondText } from '../../time/time-text.ts';
import { StateBadge } from './state-badge.tsx';

/** What is wrong now: by one rule, or by all. */
export function AlertsNow({
  round,
  ruleId = null,
  ownRuleIds = [],
}: {
  /** Another one: ask again. */
  readonly round: number;
  readonly ruleId?: string | null;
  /** Rules that have a page for whoever looks. */
  readonly ownRuleIds?: readonly string[];
}): JSX.Element {
  const zone = useTimeZone();
  const { data, error, reload } = useRequest(
    (signal) => readAlerts(ruleId, signal),
    [round, ruleId],
  );
  const ruleText = ({ rule }: Alert): JSX.Element | string => {
    const text = `${rule.name} (${rule.severity})`;
    return ownRuleIds.includes(rule.id) ? <a href={`/alerts/${rule.id}`}>{text}</a> : text;
  };
  return (
    <section class="panel">
      <h2>Now</h2>
      {error !== null && <ProblemNote doing="Reading the alerts" error={error} onRetry={reload} />}
      {data !== null && (
        <DataTable<Alert>
          caption="Alerts now"
          rows={data.filter(({ state }) => state !== 'ok')}
          keyOf={({ rule, stream }) => `${rule.id} ${stream}`}
          empty="Nothing is wrong."
          columns={[
            {
              title: 'State',
              cell: ({ state, isSilenced }) => (
                <>
                  <StateBadge state={state} /> {isSilenced && <span class="badge">silenced</span>}
                </>
              ),
            },
            {
              title: 'Stream',
              cell: ({ stream, tags }) => (
                <a href={`/streams/${stream}`}>{streamTitle({ id: stream, tags })}</a>
              ),
            },
            {
              title: 'Value',
              isNumber: true,
              cell: ({ value }) => (value === null ? '' : numberText(value)),
            },
            ...(ruleId === null ? [{ title: 'Rule', cell: ruleText }] : []),
            { title: 'Since', cell: ({ since }) => secondText(since, zone) },
          ]}
        />
      )}
    </section>
  );
}
