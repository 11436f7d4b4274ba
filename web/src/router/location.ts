import { Observable } from '../state/observable.ts';
import { isOutside } from './routes.ts';

export interface Place {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

function currentPlace(): Place {
  return {
    path: location.pathname,
    query: Object.fromEntries(new URLSearchParams(location.search)),
  };
}

/** Where the person is. */
export const place = new Observable<Place>(currentPlace());

/** Goes to a path of the dashboard, with its query. */
export function navigate(to: string): void {
  history.pushState(null, '', to);
  place.set(currentPlace());
  scrollTo(0, 0);
}

/** Changes parameters of the address, without a step in the history; null takes one away. */
export function replaceQuery(changes: Readonly<Record<string, string | null>>): void {
  const parameters = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') parameters.delete(name);
    else parameters.set(name, value);
  }
  const text = parameters.toString();
  const to = `${location.pathname}${text === '' ? '' : `?${text}`}`;
  if (to === location.pathname + location.search) return;
  history.replaceState(null, '', to);
  place.set(currentPlace());
}

/** Makes plain links go to pages without loading anything. */
export function followLinks(): void {
  addEventListener('popstate', () => place.set(currentPlace()));
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.target !== '' || link.hasAttribute('download')) return;
    const url = new URL(link.href, location.href);
    if (url.origin !== location.origin || isOutside(url.pathname)) return;
    if (url.hash !== '' && url.pathname === location.pathname) return;
    event.preventDefault();
    navigate(url.pathname + url.search);
  });
}
