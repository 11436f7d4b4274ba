import type { JSX } from 'preact';
import { actOnJob, type Job, readJobs } from '../../api/admin.ts';
import { DataTable } from '../../components/data-table.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { useAction } from '../../state/use-action.ts';
import { useNow } from '../../state/use-now.ts';
import { useRequest } from '../../state/use-request.ts';
import { agoText, durationText } from '../../time/time-text.ts';

const POLL_MS = 5000;

/** What the service does by itself. */
export function JobsPanel(): JSX.Element {
  const nowMs = useNow(POLL_MS);
  const { data, error, reload } = useRequest(readJobs, [Math.floor(nowMs / POLL_MS)]);
  const act = useAction(async (name: string, action: 'run' | 'pause' | 'resume') => {
    await actOnJob(name, action);
    reload();
  });
  return (
    <section class="panel">
      <h2>Jobs</h2>
      {error !== null && <ProblemNote doing="Reading the jobs" error={error} onRetry={reload} />}
      {act.error !== null && <ProblemNote doing="This" error={act.error} />}
      {data !== null && (
        <DataTable<Job>
          caption="Jobs"
          rows={data}
          keyOf={({ name }) => name}
          empty="This process runs no jobs."
          columns={[
            {
              title: 'Job',
              cell: ({ name, title }) => (
                <>
                  {name}
                  <span class="muted below">{title}</span>
                </>
              ),
            },
            { title: 'State', cell: stateOf },
            { title: 'Schedule', cell: ({ schedule }) => <code class="nowrap">{schedule}</code> },
            {
              title: 'Last run',
              cell: ({ lastRun }) =>
                lastRun === null ? (
                  'never'
                ) : (
                  <span class={lastRun.error === null ? undefined : 'badge bad'}>
                    {agoText(nowMs - Date.parse(lastRun.start))}, {lastRun.outcome} in{' '}
                    {durationText(lastRun.durationMs)}
                    {lastRun.error !== null && `: ${lastRun.error}`}
                  </span>
                ),
            },
            {
              title: 'Next run',
              cell: ({ nextRun }) =>
                nextRun === null ? '–' : agoOrSoon(Date.parse(nextRun) - nowMs),
            },
            {
              title: 'Do',
              cell: ({ name, pause }) => (
                <span class="button-row one-line">
                  <button type="button" class="small" onClick={() => void act.run(name, 'run')}>
                    Run now
                  </button>
                  <button
                    type="button"
                    class="small"
                    onClick={() => void act.run(name, pause === null ? 'pause' : 'resume')}
                  >
                    {pause === null ? 'Pause' : 'Resume'}
                  </button>
                </span>
              ),
            },
          ]}
        />
      )}
    </section>
  );
}

function stateOf({ pause, runningSince, isEnabled }: Job): JSX.Element {
  if (runningSince !== null) return <span class="badge ok">running</span>;
  if (pause !== null) return <span class="badge pending">{`paused by ${pause.by}`}</span>;
  if (!isEnabled) return <span class="badge">not in this process</span>;
  return <span class="muted">waiting</span>;
}

function agoOrSoon(inMs: number): string {
  return inMs <= 1000 ? 'now' : `in ${durationText(inMs)}`;
}
