import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import {
  type Dashboard,
  type DashboardChart,
  deleteDashboard,
  readDashboard,
  saveDashboard,
} from '../api/dashboards.ts';
import { readStream } from '../api/streams.ts';
import type { StreamInfo } from '../api/types.ts';
import { visualizationOf } from '../chart/visualization.ts';
import { type BoardChart, ChartBoard } from '../components/chart-board.tsx';
import { ConfirmButton } from '../components/confirm-button.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { StreamPicker } from '../components/stream-picker.tsx';
import { moved } from '../format/reorder.ts';
import { streamTitle } from '../format/stream-title.ts';
import { navigate } from '../router/location.ts';
import { useAction } from '../state/use-action.ts';
import { useRequest } from '../state/use-request.ts';
import { usePageTitle } from './use-page-title.ts';

/** A saved dashboard: its charts, to look at and to change. */
export function DashboardPage({ id }: { readonly id: string }): JSX.Element {
  const { data, error, reload } = useRequest((signal) => readDashboard(id, signal), [id]);
  usePageTitle(data?.name ?? 'Dashboard');
  if (data !== null) return <Loaded key={data.id} dashboard={data} />;
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
  const streams = useStreams(charts);
  const save = useAction((changes: Partial<Parameters<typeof saveDashboard>[1]>) =>
    saveDashboard(id, { name, isShared, content: { charts }, ...changes }),
  );
  const take = (next: readonly DashboardChart[]): void => {
    setCharts(next);
    void save.run({ content: { charts: next } });
  };
  const shown = useMemo(
    () =>
      charts.map((chart, index): BoardChart => {
        const members = chart.streams.flatMap((streamId) => streams.get(streamId) ?? []);
        const isEvent = (stream: StreamInfo): boolean => visualizationOf(stream)?.type === 'event';
        return {
          key: `${index} ${chart.streams.join()}`,
          title: chart.title || members.map(streamTitle).join(', '),
          group: {
            id: String(index),
            lines: members.filter((stream) => !isEvent(stream)),
            events: members.filter(isEvent),
          },
          ...(isEditing && {
            actions: (
              <ChartActions
                onMove={(by) => take(moved(charts, index, by))}
                onRemove={() => take(charts.filter((_, at) => at !== index))}
              />
            ),
          }),
        };
      }),
    [charts, streams, isEditing],
  );
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
      {shown.some(({ group }) => group.lines.length + group.events.length > 0) && (
        <ChartBoard charts={shown} />
      )}
      {charts.length === 0 && !isEditing && <p class="muted">This dashboard has no charts yet.</p>}
    </>
  );
}

function ChartActions({
  onMove,
  onRemove,
}: {
  readonly onMove: (by: number) => void;
  readonly onRemove: () => void;
}): JSX.Element {
  return (
    <span class="button-row">
      <button type="button" class="small" onClick={() => onMove(-1)}>
        Up
      </button>
      <button type="button" class="small" onClick={() => onMove(1)}>
        Down
      </button>
      <button type="button" class="small" onClick={onRemove}>
        Remove
      </button>
    </span>
  );
}

function NewChart({ onChart }: { readonly onChart: (chart: DashboardChart) => void }): JSX.Element {
  const [chosen, setChosen] = useState<readonly StreamInfo[]>([]);
  const [title, setTitle] = useState('');
  return (
    <section class="panel">
      <h2>Add a chart</h2>
      <StreamPicker chosen={chosen} onChosen={setChosen} />
      <div class="button-row">
        <input
          aria-label="Title of the chart"
          placeholder="Title; without one, the names of the streams"
          value={title}
          maxLength={200}
          onInput={({ currentTarget }) => setTitle(currentTarget.value)}
        />
        <button
          type="button"
          class="primary"
          disabled={chosen.length === 0}
          onClick={() => {
            onChart({ title: title.trim(), streams: chosen.map(({ id }) => id) });
            setChosen([]);
            setTitle('');
          }}
        >
          Add
        </button>
      </div>
    </section>
  );
}

/** Streams of charts by id; those that are gone, or may not be seen, are missing. */
function useStreams(charts: readonly DashboardChart[]): ReadonlyMap<string, StreamInfo> {
  const ids = [...new Set(charts.flatMap(({ streams }) => streams))];
  const [streams, setStreams] = useState<ReadonlyMap<string, StreamInfo>>(new Map());
  useEffect(() => {
    const controller = new AbortController();
    const missing = ids.filter((id) => !streams.has(id));
    void Promise.allSettled(missing.map((id) => readStream(id, controller.signal))).then(
      (results) => {
        if (controller.signal.aborted) return;
        const found = results.flatMap((result) =>
          result.status === 'fulfilled' ? [result.value] : [],
        );
        if (found.length === 0) return;
        setStreams((before) => new Map([...before, ...found.map((one) => [one.id, one] as const)]));
      },
    );
    return () => controller.abort();
  }, [ids.join()]);
  return streams;
}
