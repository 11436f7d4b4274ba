import { Observable } from './observable.ts';
import { preferences } from './preferences.ts';

const DARK = '(prefers-color-scheme: dark)';

/** What is shown now; charts draw with its colours. */
export const shownTheme = new Observable<'light' | 'dark'>('light');

/** Keeps the page in the wanted theme. */
export function followTheme(): void {
  const system = matchMedia(DARK);
  const apply = (): void => {
    const { theme } = preferences.value;
    const isDark = theme === 'dark' || (theme === 'system' && system.matches);
    document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light';
    shownTheme.set(isDark ? 'dark' : 'light');
  };
  system.addEventListener('change', apply);
  preferences.subscribe(apply);
  apply();
}
