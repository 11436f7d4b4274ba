import { readPreferences, writePreferences } from '../api/preferences.ts';
import { type Preferences, preferences, preferencesOf, takePreferences } from './preferences.ts';
import { session } from './session.ts';

/** Everything that the service keeps: what is not known here must not get lost. */
let kept: Readonly<Record<string, unknown>> = {};

/** Whoever signs in sees things as he wanted to see them elsewhere. */
export function syncPreferences(): void {
  let userId: string | null = null;
  session.subscribe((who) => {
    const next = who?.user?.id ?? null;
    if (next === userId) return;
    userId = next;
    if (next !== null) void loadPreferences();
  });
}

/** Changes preferences here, and for a user everywhere. */
export function changePreferences(changes: Partial<Preferences>): void {
  const next = { ...preferences.value, ...changes };
  takePreferences(next);
  if (session.value?.user?.id == null) return;
  kept = { ...kept, ...next };
  // This browser has them in any case.
  void writePreferences(kept).catch(() => undefined);
}

async function loadPreferences(): Promise<void> {
  try {
    kept = await readPreferences();
    if ('theme' in kept || 'timeZone' in kept) takePreferences(preferencesOf(kept));
  } catch {
    // Those of this browser then hold.
  }
}
