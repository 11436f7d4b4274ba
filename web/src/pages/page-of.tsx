import type { JSX } from 'preact';
import type { Route } from '../router/routes.ts';
import { StreamPage } from './stream-page.tsx';
import { StreamsPage } from './streams-page.tsx';

/** The page of an address. */
export function pageOf(route: Route, _options: { readonly needsLogin: boolean }): JSX.Element {
  switch (route.page) {
    case 'streams':
      return <StreamsPage />;
    case 'stream':
      return <StreamPage key={route.id} id={route.id} />;
    default:
      return <h1>There is no such page</h1>;
  }
}
