import { isTimeZone } from '../time/zone.ts';
import { Observable } from './observable.ts';
import { readStored, writeStored } from './stored.ts';

const THEMES = ['system', 'light', 'dark'] as const;

export type Theme = (typeof THEMES)[number];

export interface Preferences {
  /** IANA name; null: that of the browser. */
  readonly timeZone: string | null;
  readonly theme: Theme;
}

/** How this person wants to see things. */
export const preferences = new Observable<Preferences>(
  preferencesOf(readStored<unknown>('preferences', null)),
);

/** Whatever was stored, as far as it can be used. */
export function preferencesOf(stored: unknown): Preferences {
  const { timeZone, theme } = (stored ?? {}) as Readonly<Record<string, unknown>>;
  return {
    timeZone: typeof timeZone === 'string' && isTimeZone(timeZone) ? timeZone : null,
    theme: THEMES.find((name) => name === theme) ?? 'system',
  };
}

/** Takes preferences over, and remembers them in this browser. */
export function takePreferences(next: Preferences): void {
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
