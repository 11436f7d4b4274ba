import { Observable } from './observable.ts';
import { readStored, writeStored } from './stored.ts';

export type Theme = 'system' | 'light' | 'dark';

export interface Preferences {
  /** IANA name; null: that of the browser. */
  readonly timeZone: string | null;
  readonly theme: Theme;
}

const DEFAULTS: Preferences = { timeZone: null, theme: 'system' };

/** How this person wants to see things. */
export const preferences = new Observable<Preferences>({
  ...DEFAULTS,
  ...readStored<Partial<Preferences>>('preferences', {}),
});

export function changePreferences(changes: Partial<Preferences>): void {
  const next = { ...preferences.value, ...changes };
  writeStored('preferences', next);
  preferences.set(next);
}

export function browserTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC';
}

/** The zone that times are shown in. */
export function shownTimeZone({ timeZone }: Preferences): string {
  return timeZone ?? browserTimeZone();
}
