import type { JSX } from 'preact';
import {
  type Alert,
  type AlertEvent,
  type AlertRule,
  deleteAlertRule,
  enableAlertRule,
  readAlertHistory,
  readAlertRules,
  readAlerts,
} from '../api/alerts.ts';
import { ConfirmButton } from '../components/confirm-button.tsx';
import { DataTable } from '../components/data-table.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { conditionText, targetText } from '../format/alert-rule.ts';
import { numberText } from '../format/number-text.ts';
import { streamTitle } from '../format/stream-title.ts';
import { useAction } from '../state/use-action.ts';
import { useNow } from '../state/use-now.ts';
import { type RequestState, useRequest } from '../state/use-request.ts';
import { useStreamTitles } from '../state/use-stream-titles.ts';
import { useTimeZone } from '../state/use-time-zone.ts';
import { secondText } from '../time/time-text.ts';
import { NewAlertRule } from './alerts/new-alert-rule.tsx';
import { usePageTitle } from './use-page-title.ts';

const POLL_MS = 5000;

/** What is wrong now, the rules that say so, and what was. */
export function AlertsPage(): JSX.Element {
  usePageTitle('Alerts');
  const round = Math.floor(useNow(POLL_MS) / POLL_MS);
  const rules = useRequest(readAlertRules, [round]);
  return (
    <>
      <div class="page-head">
        <h1>Alerts</h1>
      </div>
      <AlertsPanel round={round} />
      <RulesPanel rules={rules} />
      <HistoryPanel round={round} rules={rules.data ?? []} />
    </>
  );
}

function AlertsPanel({ round }: { readonly round: number }): JSX.Element {
  const zone = useTimeZone();
  const { data, error, reload } = useRequest(readAlerts, [round]);
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
                  <StateBadge state={state} />
                  {isSilenced && <span class="badge">silenced</span>}
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
            { title: 'Rule', cell: ({ rule }) => `${rule.name} (${rule.severity})` },
            { title: 'Since', cell: ({ since }) => secondText(since, zone) },
          ]}
        />
      )}
    </section>
  );
}

function RulesPanel({
  rules: { data, error, reload },
}: {
  readonly rules: RequestState<readonly AlertRule[]>;
}): JSX.Element {
  const enable = useAction(async (rule: AlertRule, isEnabled: boolean) => {
    try {
      await enableAlertRule(rule, isEnabled);
    } finally {
      // A change that was refused must not look as if it were made.
      reload();
    }
  });
  return (
    <section class="panel">
      <h2>Rules</h2>
      {error !== null && <ProblemNote doing="Reading the rules" error={error} onRetry={reload} />}
      {enable.error !== null && <ProblemNote doing="Changing the rule" error={enable.error} />}
      {data !== null && (
        <DataTable<AlertRule>
          caption="Rules"
          rows={data}
          keyOf={({ id }) => id}
          empty="There are no rules yet."
          columns={[
            { title: 'Name', cell: ({ name }) => name },
            { title: 'Streams', cell: ({ target }) => targetText(target) },
            { title: 'Raised by', cell: ({ condition }) => conditionText(condition) },
            {
              title: 'Firing',
              isNumber: true,
              cell: ({ states }) => String(states['firing'] ?? 0),
            },
            {
              title: 'On',
              cell: (rule) => (
                <input
                  type="checkbox"
                  aria-label={`${rule.name} is on`}
                  checked={rule.isEnabled}
                  onChange={({ currentTarget }) => void enable.run(rule, currentTarget.checked)}
                />
              ),
            },
            {
              title: 'Delete',
              cell: ({ id, name }) => (
                <ConfirmButton
                  label="Delete"
                  className="danger small"
                  question={`Delete ${name}?`}
                  doing="Deleting the rule"
                  onConfirm={async () => {
                    await deleteAlertRule(id);
                    reload();
                  }}
                >
                  <p>Its alerts end.</p>
                </ConfirmButton>
              ),
            },
          ]}
        />
      )}
      {data !== null && <NewAlertRule onMade={reload} />}
    </section>
  );
}

function HistoryPanel({
  round,
  rules,
}: {
  readonly round: number;
  readonly rules: readonly AlertRule[];
}): JSX.Element {
  const zone = useTimeZone();
  const { data, error, reload } = useRequest(readAlertHistory, [round]);
  const titles = useStreamTitles((data ?? []).map(({ stream }) => stream));
  return (
    <section class="panel">
      <h2>History</h2>
      {error !== null && <ProblemNote doing="Reading the history" error={error} onRetry={reload} />}
      {data !== null && (
        <DataTable<AlertEvent>
          caption="What happened"
          rows={data}
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
            {
              title: 'Rule',
              cell: ({ ruleId }) => rules.find(({ id }) => id === ruleId)?.name ?? ruleId,
            },
          ]}
        />
      )}
    </section>
  );
}

function StateBadge({ state }: { readonly state: string }): JSX.Element {
  return <span class={`badge ${state}`}>{state}</span>;
}
