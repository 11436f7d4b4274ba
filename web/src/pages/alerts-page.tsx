import type { JSX } from 'preact';
import {
  type AlertEvent,
  type AlertRule,
  type AlertState,
  deleteAlertRule,
  enableAlertRule,
  readAlertHistory,
  readAlertRules,
  readAlertStates,
} from '../api/alerts.ts';
import { ApiError } from '../api/api-error.ts';
import { readStream } from '../api/streams.ts';
import { ConfirmButton } from '../components/confirm-button.tsx';
import { DataTable } from '../components/data-table.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { streamTitle } from '../format/stream-title.ts';
import { useNow } from '../state/use-now.ts';
import { useRequest } from '../state/use-request.ts';
import { useTimeZone } from '../state/use-time-zone.ts';
import { instantText } from '../time/time-text.ts';
import { NewAlertRule } from './alerts/new-alert-rule.tsx';
import { usePageTitle } from './use-page-title.ts';

const POLL_MS = 5000;
const STREAM_COUNT_MAX = 50;

/** What is wrong now, the rules that say so, and what was. */
export function AlertsPage(): JSX.Element {
  usePageTitle('Alerts');
  const zone = useTimeZone();
  const round = Math.floor(useNow(POLL_MS) / POLL_MS);
  const rules = useRequest(readAlertRules, []);
  const states = useRequest(readAlertStates, [round]);
  const history = useRequest(readAlertHistory, [round]);
  const streamIds = [
    ...new Set([...(states.data ?? []), ...(history.data ?? [])].map(({ streamId }) => streamId)),
  ].slice(0, STREAM_COUNT_MAX);
  const titles = useStreamTitles(streamIds);
  const ruleName = (id: string): string => rules.data?.find((rule) => rule.id === id)?.name ?? id;
  const time = (iso: string): string =>
    instantText(Math.floor(Date.parse(iso) / 1000) * 1000, zone);
  const streamLink = ({ streamId }: { readonly streamId: string }): JSX.Element => (
    <a href={`/streams/${streamId}`}>{titles.get(streamId) ?? streamId}</a>
  );
  if (rules.error instanceof ApiError && rules.error.isMissingRoute) {
    return (
      <EmptyState title="This service has no alerts">
        <p>Its API has no route for them.</p>
      </EmptyState>
    );
  }
  return (
    <>
      <div class="page-head">
        <h1>Alerts</h1>
      </div>
      {rules.error !== null && (
        <ProblemNote doing="Reading the rules" error={rules.error} onRetry={rules.reload} />
      )}
      <section class="panel">
        <h2>Now</h2>
        <DataTable<AlertState>
          caption="Alerts now"
          rows={(states.data ?? []).filter(({ state }) => state !== 'ok')}
          keyOf={({ ruleId, streamId }) => `${ruleId} ${streamId}`}
          empty="Nothing is wrong."
          columns={[
            { title: 'State', cell: ({ state }) => <span class={`badge ${state}`}>{state}</span> },
            { title: 'Stream', cell: streamLink },
            { title: 'Rule', cell: ({ ruleId }) => ruleName(ruleId) },
            { title: 'Since', cell: ({ since }) => time(since) },
          ]}
        />
      </section>
      <section class="panel">
        <h2>Rules</h2>
        <DataTable<AlertRule>
          caption="Rules"
          rows={rules.data ?? []}
          keyOf={({ id }) => id}
          empty="There are no rules yet."
          columns={[
            { title: 'Name', cell: ({ name }) => name },
            {
              title: 'Condition',
              cell: ({ definition }) => <code>{JSON.stringify(definition)}</code>,
            },
            {
              title: 'On',
              cell: ({ id, name, isEnabled }) => (
                <input
                  type="checkbox"
                  aria-label={`${name} is on`}
                  checked={isEnabled}
                  onChange={({ currentTarget }) =>
                    void enableAlertRule(id, currentTarget.checked).finally(rules.reload)
                  }
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
                    rules.reload();
                  }}
                >
                  <p>Its states go with it.</p>
                </ConfirmButton>
              ),
            },
          ]}
        />
        <NewAlertRule onMade={rules.reload} />
      </section>
      <section class="panel">
        <h2>History</h2>
        <DataTable<AlertEvent>
          caption="What happened"
          rows={history.data ?? []}
          keyOf={({ at, ruleId, streamId }, index) => `${at} ${ruleId} ${streamId} ${index}`}
          empty="Nothing has happened."
          columns={[
            { title: 'When', cell: ({ at }) => time(at) },
            { title: 'State', cell: ({ state }) => <span class={`badge ${state}`}>{state}</span> },
            { title: 'Stream', cell: streamLink },
            { title: 'Rule', cell: ({ ruleId }) => ruleName(ruleId) },
          ]}
        />
      </section>
    </>
  );
}

function useStreamTitles(ids: readonly string[]): ReadonlyMap<string, string> {
  const { data } = useRequest(
    async (signal) => {
      const read = await Promise.allSettled(ids.map((id) => readStream(id, signal)));
      return new Map(
        read.flatMap((result) =>
          result.status === 'fulfilled' ? [[result.value.id, streamTitle(result.value)]] : [],
        ),
      );
    },
    [ids.join()],
  );
  return data ?? new Map();
}
