import { request } from './client.ts';
import { itemsOf } from './items-of.ts';

/** A chart of a dashboard. */
export type DashboardChart = {
  readonly title: string;
} & (
  | {
      /** Ids of its streams. */
      readonly streams: readonly string[];
    }
  | {
      /** A search, as it is typed: its streams are those that match, also later ones. */
      readonly query: string;
    }
);

interface DashboardContent {
  readonly charts: readonly DashboardChart[];
}

export interface Dashboard {
  readonly id: string;
  readonly name: string;
  /** Whether everybody who is signed in sees it. */
  readonly isShared: boolean;
  /** Whether whoever asks may change it. */
  readonly isOwn: boolean;
  readonly content: DashboardContent;
}

type SavedDashboard = Pick<Dashboard, 'name' | 'isShared' | 'content'>;

export const readDashboards = async (signal?: AbortSignal): Promise<readonly Dashboard[]> =>
  itemsOf<Dashboard>(await request('GET', '/dashboards', { signal }), 'dashboards').map(checked);

export const readDashboard = async (id: string, signal?: AbortSignal): Promise<Dashboard> =>
  checked(await request('GET', `/dashboards/${id}`, { signal }));

export const createDashboard = (name: string): Promise<Dashboard> =>
  request('POST', '/dashboards', { body: { name, content: { charts: [] } } });

export const saveDashboard = (id: string, body: SavedDashboard): Promise<unknown> =>
  request('PUT', `/dashboards/${id}`, { body });

export const deleteDashboard = (id: string): Promise<void> =>
  request('DELETE', `/dashboards/${id}`);

/** The service keeps any content: what is no chart is left out. */
function checked(dashboard: Dashboard): Dashboard {
  const charts: unknown = dashboard.content?.charts;
  return {
    ...dashboard,
    content: { charts: Array.isArray(charts) ? charts.flatMap(chartOf) : [] },
  };
}

function chartOf(
  chart: {
    readonly title?: unknown;
    readonly streams?: unknown;
    readonly query?: unknown;
  } | null,
): readonly DashboardChart[] {
  const { title, streams, query } = chart ?? {};
  const head = { title: String(title ?? '') };
  if (typeof query === 'string') return [{ ...head, query }];
  return Array.isArray(streams) ? [{ ...head, streams: streams.map(String) }] : [];
}
