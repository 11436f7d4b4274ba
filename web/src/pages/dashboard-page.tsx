import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError } from '../api/api-error.ts';
import {
  type Dashboard,
  type DashboardChart,
  deleteDashboard,
  readDashboard,
  saveDashboard,
} from '../api/dashboards.ts';
import { type BoardChart, ChartBoard } from '../components/chart-board.tsx';
import { ConfirmButton } from '../components/confirm-button.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { moved } from '../format/reorder.ts';
import { navigate } from '../router/location.ts';
import { useAction } from '../state/use-action.ts';
import { useDashboardStreams } from '../state/use-dashboard-streams.ts';
import { useRequest } from '../state/use-request.ts';
import { boardChart } from './dashboard/board-chart.ts';
import { ChartActions } from './dashboard/chart-actions.tsx';
import { NewChart } from './dashboard/new-chart.tsx';
import { usePageTitle } from './use-page-title.ts';

/** A saved dashboard: its charts, to look at and to change. */
export function DashboardPage({ id }: { readonly id: string }): JSX.Element {
  const { data, error, reload } = useRequest((signal) => readDashboard(id, signal), [id]);
  usePageTitle(data?.name ?? 'Dashboard');
  if (data !== null) return <Loaded key={data.id} dashboard={data} />;
  if (error instanceof ApiError && error.status === 404) {
    return (
      <EmptyState title="There is no such dashboard">
        <p>It was deleted, or it is not shared with you.</p>
        <a class="button" href="/dashboards">
          All dashboards
        </a>
      </EmptyState>
    );
  }
  if (error !== null) {
    return <ProblemNote doing="Reading the dashboard" error={error} onRetry={reload} />;
  }
  return <p class="muted">Loading …</p>;
}

function Loaded({ dashboard }: { readonly dashboard: Dashboard }): JSX.Element {
  const { id, isOwn } = dashboard;
  const [name, setName] = useState(dashboard.name);
  const [isShared, setShared] = useState(dashboard.isShared);
  const [charts, setCharts] = useState(dashboard.content.charts);
  const [isEditing, setEditing] = useState(isOwn && charts.length === 0);
  const streams = useDashboardStreams(charts);
  const save = useAction((changes: Partial<Parameters<typeof saveDashboard>[1]>) =>
    saveDashboard(id, { name, isShared, content: { charts }, ...changes }),
  );
  const take = (next: readonly DashboardChart[]): void => {
    setCharts(next);
    void save.run({ content: { charts: next } });
  };
  const shown = charts.map((chart, index): BoardChart => {
    const found = streams.of(chart);
    return {
      ...boardChart(chart, found, index),
      actions: (
        <>
          {'query' in chart && <StreamsOf search={chart.query} count={found.streams.length} />}
          {isEditing && (
            <ChartActions
              onMove={(by) => take(moved(charts, index, by))}
              onRemove={() => take(charts.filter((_, at) => at !== index))}
            />
          )}
        </>
      ),
    };
  });
  return (
    <>
      <div class="page-head">
        {isEditing ? (
          <input
            class="title-input"
            aria-label="Name of the dashboard"
            value={name}
            maxLength={200}
            onChange={({ currentTarget }) => {
              setName(currentTarget.value);
              void save.run({ name: currentTarget.value });
            }}
          />
        ) : (
          <h1>{name}</h1>
        )}
        <span class="spacer" />
        {isEditing && (
          <label class="button-row">
            <input
              type="checkbox"
              checked={isShared}
              onChange={({ currentTarget }) => {
                setShared(currentTarget.checked);
                void save.run({ isShared: currentTarget.checked });
              }}
            />
            Everybody signed in sees it
          </label>
        )}
        {isOwn && (
          <button type="button" aria-pressed={isEditing} onClick={() => setEditing(!isEditing)}>
            {isEditing ? 'Done' : 'Change'}
          </button>
        )}
        {isEditing && (
          <ConfirmButton
            label="Delete"
            question={`Delete ${name}?`}
            doing="Deleting the dashboard"
            onConfirm={async () => {
              await deleteDashboard(id);
              navigate('/dashboards');
            }}
          >
            <p>The streams and their data stay.</p>
          </ConfirmButton>
        )}
      </div>
      {save.error !== null && <ProblemNote doing="Saving the dashboard" error={save.error} />}
      {isEditing && <NewChart onChart={(chart) => take([...charts, chart])} />}
      {streams.error !== null && <ProblemNote doing="Reading the streams" error={streams.error} />}
      {charts.length > 0 &&
        (streams.isRead ? <ChartBoard charts={shown} /> : <p class="muted">Loading …</p>)}
      {charts.length === 0 && !isEditing && <p class="muted">This dashboard has no charts yet.</p>}
    </>
  );
}

/** The list of what a search finds, to go to. */
function StreamsOf({
  search,
  count,
}: {
  readonly search: string;
  readonly count: number;
}): JSX.Element {
  return (
    <a href={`/?q=${encodeURIComponent(search)}`} title={`The streams of ${search}`}>
      {count} {count === 1 ? 'stream' : 'streams'}
    </a>
  );
}
