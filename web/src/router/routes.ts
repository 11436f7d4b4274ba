/** The pages, each with what its address names. */
export type Route =
  | { readonly page: 'streams' }
  | { readonly page: 'stream'; readonly id: string }
  | { readonly page: 'charts' }
  | { readonly page: 'derivations' }
  | { readonly page: 'send' }
  | { readonly page: 'dashboards' }
  | { readonly page: 'dashboard'; readonly id: string }
  | { readonly page: 'alerts' }
  | { readonly page: 'alert-rule'; readonly id: string }
  | { readonly page: 'admin'; readonly section: AdminSection }
  | { readonly page: 'settings' }
  | { readonly page: 'login' }
  | { readonly page: 'setup' }
  | { readonly page: 'unknown' };

const PLAIN = [
  'charts',
  'derivations',
  'send',
  'dashboards',
  'alerts',
  'settings',
  'login',
  'setup',
] as const;

/** What the page of the admins has. */
const ADMIN_SECTIONS = [
  'statistics',
  'users',
  'groups',
  'grants',
  'tokens',
  'jobs',
  'audit',
] as const;

export type AdminSection = (typeof ADMIN_SECTIONS)[number];

/** The page of a path. */
export function routeOf(path: string): Route {
  const [first = '', id, ...rest] = path.split('/').filter((part) => part !== '');
  if (first === '' || (first === 'streams' && id === undefined)) return { page: 'streams' };
  if (rest.length > 0) return { page: 'unknown' };
  if (first === 'admin') return adminRoute(id ?? 'statistics');
  if (id !== undefined) {
    if (first === 'streams') return { page: 'stream', id: decodeURIComponent(id) };
    if (first === 'dashboards') return { page: 'dashboard', id: decodeURIComponent(id) };
    if (first === 'alerts') return { page: 'alert-rule', id: decodeURIComponent(id) };
    return { page: 'unknown' };
  }
  const page = PLAIN.find((name) => name === first);
  return page === undefined ? { page: 'unknown' } : { page };
}

function adminRoute(name: string): Route {
  const section = ADMIN_SECTIONS.find((known) => known === name);
  return section === undefined ? { page: 'unknown' } : { page: 'admin', section };
}

/** Paths that the service answers itself: links to them leave the dashboard. */
export function isOutside(path: string): boolean {
  return /^\/(?:api|docs|metrics|healthz|readyz)(?:\/|$)/.test(path);
}
