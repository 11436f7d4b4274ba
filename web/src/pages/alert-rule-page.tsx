import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import {
  type AlertRule,
  deleteAlertRule,
  enableAlertRule,
  readAlertRule,
  testAlertRule,
} from '../api/alerts.ts';
import { ApiError } from '../api/api-error.ts';
import type { Json } from '../api/types.ts';
import { ConfirmButton } from '../components/confirm-button.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { conditionText, destinationText, targetText } from '../format/alert-rule.ts';
import { navigate } from '../router/location.ts';
import { useAction } from '../state/use-action.ts';
import { useNow } from '../state/use-now.ts';
import { useRequest } from '../state/use-request.ts';
import { AlertHistory } from './alerts/alert-history.tsx';
import { AlertsNow } from './alerts/alerts-now.tsx';
import { DeliveriesPanel } from './alerts/deliveries-panel.tsx';
import { EditAlertRule } from './alerts/edit-alert-rule.tsx';
import { SilencesPanel } from './alerts/silences-panel.tsx';
import { usePageTitle } from './use-page-title.ts';

const POLL_MS = 5000;

/** One rule: what it says, who was told, for how long nobody is, and what happened. */
export function AlertRulePage({ id }: { readonly id: string }): JSX.Element {
  const round = Math.floor(useNow(POLL_MS) / POLL_MS);
  const { data: rule, error, reload } = useRequest((signal) => readAlertRule(id, signal), [round]);
  usePageTitle(rule === null ? 'Alert rule' : rule.name);
  if (rule === null) {
    if (error === null) return <p class="muted">Loading …</p>;
    if (!(error instanceof ApiError && error.status === 404)) {
      return <ProblemNote doing="Reading the rule" error={error} onRetry={reload} />;
    }
    return (
      <EmptyState title="There is no such rule">
        <p>It was deleted, or it is somebody else’s.</p>
        <a class="button" href="/alerts">
          All alerts
        </a>
      </EmptyState>
    );
  }
  return (
    <>
      <div class="page-head">
        <h1>{rule.name}</h1>
        <span class="badge">{rule.severity}</span>
        {!rule.isEnabled && <span class="badge pending">off</span>}
        <span class="spacer" />
        <a href="/alerts">All alerts</a>
      </div>
      {error !== null && <ProblemNote doing="Reading the rule" error={error} onRetry={reload} />}
      <RulePanel rule={rule} onChanged={reload} />
      <AlertsNow round={round} ruleId={id} />
      <SilencesPanel rule={rule} onChanged={reload} />
      <DeliveriesPanel ruleId={id} round={round} />
      <AlertHistory round={round} ruleId={id} />
    </>
  );
}

function RulePanel({
  rule,
  onChanged,
}: {
  readonly rule: AlertRule;
  readonly onChanged: () => void;
}): JSX.Element {
  const { id, name, isEnabled, description, target, condition } = rule;
  const { destinations, notifyResolved } = rule;
  const enable = useAction(async () => {
    await enableAlertRule(id, !isEnabled);
    onChanged();
  });
  const places: readonly Json[] = Array.isArray(destinations) ? destinations : [];
  return (
    <section class="panel">
      <h2>Rule</h2>
      {enable.error !== null && <ProblemNote doing="Changing the rule" error={enable.error} />}
      <dl class="facts">
        {description !== '' && (
          <>
            <dt>Description</dt>
            <dd>{description}</dd>
          </>
        )}
        <dt>Streams</dt>
        <dd>{targetText(target)}</dd>
        <dt>Raised by</dt>
        <dd>{conditionText(condition)}</dd>
        <dt>Told</dt>
        <dd>{places.length === 0 ? 'nobody' : places.map(destinationText).join(', ')}</dd>
        <dt>When it is over</dt>
        <dd>{notifyResolved ? 'they are told, too' : 'nobody is told'}</dd>
      </dl>
      <div class="button-row">
        <EditAlertRule rule={rule} onChanged={onChanged} />
        <button type="button" disabled={enable.isRunning} onClick={() => void enable.run()}>
          {isEnabled ? 'Turn it off' : 'Turn it on'}
        </button>
        <ConfirmButton
          label="Delete"
          question={`Delete ${name}?`}
          doing="Deleting the rule"
          onConfirm={async () => {
            await deleteAlertRule(id);
            navigate('/alerts');
          }}
        >
          <p>Its alerts end.</p>
        </ConfirmButton>
      </div>
      {places.length > 0 && <TestMessage ruleId={id} />}
    </section>
  );
}

function TestMessage({ ruleId }: { readonly ruleId: string }): JSX.Element {
  const [results, setResults] = useState<Awaited<ReturnType<typeof testAlertRule>>>([]);
  const send = useAction(async () => setResults(await testAlertRule(ruleId)));
  return (
    <div class="test-message">
      {send.error !== null && <ProblemNote doing="Sending the message" error={send.error} />}
      <button type="button" disabled={send.isRunning} onClick={() => void send.run()}>
        Send a test message
      </button>
      <div role="status">
        <ul class="list-links">
          {results.map(({ destination, error }) => (
            <li key={destinationText(destination)}>
              {destinationText(destination)}
              <span class={`badge ${error === null ? 'ok' : 'bad'}`}>
                {error === null ? 'sent' : error}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
