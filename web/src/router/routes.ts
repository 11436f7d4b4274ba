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
  | { readonly page: 'admin' }
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
  'admin',
  'settings',
  'login',
  'setup',
] as const;

/** The page of a path. */
export function routeOf(path: string): Route {
  const [first = '', id, ...rest] = path.split('/').filter((part) => part !== '');
  if (first === '' || (first === 'streams' && id === undefined)) return { page: 'streams' };
  if (rest.length > 0) return { page: 'unknown' };
  if (id !== undefined) {
    if (first === 'streams') return { page: 'stream', id: decodeURIComponent(id) };
    if (first === 'dashboards') return { page: 'dashboard', id: decodeURIComponent(id) };
    return { page: 'unknown' };
  }
  const page = PLAIN.find((name) => name === first);
  return page === undefined ? { page: 'unknown' } : { page };
}

/** Paths that the service answers itself: links to them leave the dashboard. */
export function isOutside(path: string): boolean {
  return /^\/(?:api|docs|metrics|healthz|readyz)(?:\/|$)/.test(path);
}
