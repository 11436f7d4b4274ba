import type { JSX } from 'preact';
import { createDashboard, readDashboards } from '../api/dashboards.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { navigate } from '../router/location.ts';
import { useRequest } from '../state/use-request.ts';
import { usePageTitle } from './use-page-title.ts';

/** Saved dashboards, and a new one. */
export function DashboardsPage(): JSX.Element {
  usePageTitle('Dashboards');
  const { data, error, reload } = useRequest(readDashboards, []);
  return (
    <>
      <div class="page-head">
        <h1>Dashboards</h1>
      </div>
      {error !== null && (
        <ProblemNote doing="Reading the dashboards" error={error} onRetry={reload} />
      )}
      {data?.length === 0 && (
        <EmptyState title="There are no dashboards yet">
          <p>A dashboard is a page of charts that you choose and order yourself.</p>
        </EmptyState>
      )}
      {data !== null && data.length > 0 && (
        <section class="panel">
          <ul class="list-links">
            {data.map(({ id, name, content, isShared, isOwn }) => (
              <li key={id}>
                <a href={`/dashboards/${id}`}>{name}</a>
                <span class="muted">
                  {content.charts.length} {content.charts.length === 1 ? 'chart' : 'charts'}
                </span>
                {isShared && <span class="badge">{isOwn ? 'shared' : 'of somebody else'}</span>}
              </li>
            ))}
          </ul>
        </section>
      )}
      {data !== null && (
        <section class="panel">
          <h2>New dashboard</h2>
          <Form
            doing="Creating the dashboard"
            submit="Create"
            onSubmit={async ({ name = '' }) => {
              const made = await createDashboard(name.trim());
              navigate(`/dashboards/${made.id}`);
            }}
          >
            <Field label="Name">
              {(ids) => <input {...ids} name="name" required maxLength={200} />}
            </Field>
          </Form>
        </section>
      )}
    </>
  );
}
