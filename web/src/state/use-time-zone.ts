import { preferences, shownTimeZone } from './preferences.ts';
import { useObservable } from './use-observable.ts';

/** The zone of all axes and texts. */
export function useTimeZone(): string {
  return shownTimeZone(useObservable(preferences));
}
