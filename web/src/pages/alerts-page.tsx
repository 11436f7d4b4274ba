import type { JSX } from 'preact';
import { type AlertRule, deleteAlertRule, enableAlertRule, readAlertRules } from '../api/alerts.ts';
import { ConfirmButton } from '../components/confirm-button.tsx';
import { DataTable } from '../components/data-table.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { Toggle } from '../components/toggle.tsx';
import { conditionText, targetText } from '../format/alert-rule.ts';
import { useAction } from '../state/use-action.ts';
import { useNow } from '../state/use-now.ts';
import { type RequestState, useRequest } from '../state/use-request.ts';
import { AlertHistory } from './alerts/alert-history.tsx';
import { AlertsNow } from './alerts/alerts-now.tsx';
import { NewAlertRule } from './alerts/new-alert-rule.tsx';
import { usePageTitle } from './use-page-title.ts';

const POLL_MS = 5000;

/** What is wrong now, the rules that say so, and what was. */
export function AlertsPage(): JSX.Element {
  usePageTitle('Alerts');
  const round = Math.floor(useNow(POLL_MS) / POLL_MS);
  const rules = useRequest(readAlertRules, [round]);
  const own = rules.data ?? [];
  return (
    <>
      <div class="page-head">
        <h1>Alerts</h1>
      </div>
      <AlertsNow round={round} ownRuleIds={own.map(({ id }) => id)} />
      <RulesPanel rules={rules} />
      <AlertHistory round={round} ruleNames={new Map(own.map(({ id, name }) => [id, name]))} />
    </>
  );
}

function RulesPanel({
  rules: { data, error, reload },
}: {
  readonly rules: RequestState<readonly AlertRule[]>;
}): JSX.Element {
  const enable = useAction(async (id: string, isEnabled: boolean) => {
    await enableAlertRule(id, isEnabled);
    reload();
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
            { title: 'Name', cell: nameCell },
            { title: 'Streams', cell: ({ target }) => targetText(target) },
            { title: 'Raised by', cell: ({ condition }) => conditionText(condition) },
            {
              title: 'Firing',
              isNumber: true,
              cell: ({ states }) => String(states['firing'] ?? 0),
            },
            {
              title: 'On',
              cell: ({ id, name, isEnabled }) => (
                <Toggle
                  label={`${name} is on`}
                  isOn={isEnabled}
                  onToggle={(isOn) => enable.run(id, isOn)}
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

function nameCell({ id, name, silences }: AlertRule): JSX.Element {
  return (
    <>
      <a href={`/alerts/${id}`}>{name}</a>{' '}
      {silences.length > 0 && <span class="badge">silenced</span>}
    </>
  );
}
