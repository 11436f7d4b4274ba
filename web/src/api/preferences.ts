import { request } from './client.ts';
import type { Json } from './types.ts';

/** What the service remembers for whoever is signed in. */
export const readPreferences = (): Promise<Readonly<Record<string, Json>>> =>
  request('GET', '/preferences');

export const writePreferences = (body: Readonly<Record<string, unknown>>): Promise<unknown> =>
  request('PUT', '/preferences', { body });
