import type { JSX } from 'preact';
import { changePassword } from '../api/session.ts';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { TokensPanel } from '../components/tokens-panel.tsx';
import { browserTimeZone, preferences, shownTimeZone, type Theme } from '../state/preferences.ts';
import { changePreferences } from '../state/preferences-sync.ts';
import { session } from '../state/session.ts';
import { useNow } from '../state/use-now.ts';
import { useObservable } from '../state/use-observable.ts';
import { instantText } from '../time/time-text.ts';
import { isTimeZone } from '../time/zone.ts';
import { usePageTitle } from './use-page-title.ts';

const THEMES: readonly (readonly [theme: Theme, text: string])[] = [
  ['system', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

/** How a person wants to see things, his tokens, and his password. */
export function SettingsPage(): JSX.Element {
  usePageTitle('Settings');
  const who = useObservable(session);
  return (
    <>
      <div class="page-head">
        <h1>Settings</h1>
      </div>
      <div class="columns">
        <section class="panel">
          <h2>Appearance</h2>
          <ZoneField />
          <ThemeField />
        </section>
        {who?.csrfToken != null && <PasswordPanel />}
      </div>
      <TokensPanel />
    </>
  );
}

function ZoneField(): JSX.Element {
  const wanted = useObservable(preferences);
  const nowMs = useNow(1000);
  const zone = shownTimeZone(wanted);
  return (
    <Field
      label="Time zone"
      help={`All axes and times are shown in it. It is ${instantText(Math.floor(nowMs / 1000) * 1000, zone)} there.`}
    >
      {(ids) => (
        <>
          <input
            {...ids}
            list="time-zones"
            value={wanted.timeZone ?? ''}
            placeholder={`${browserTimeZone()} (that of this browser)`}
            onChange={({ currentTarget }) => {
              const name = currentTarget.value.trim();
              const isKnown = name === '' || isTimeZone(name);
              currentTarget.setCustomValidity(isKnown ? '' : 'There is no time zone of this name.');
              currentTarget.reportValidity();
              if (isKnown) changePreferences({ timeZone: name === '' ? null : name });
            }}
          />
          <datalist id="time-zones">
            {['UTC', ...Intl.supportedValuesOf('timeZone')].map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function ThemeField(): JSX.Element {
  const { theme: current } = useObservable(preferences);
  return (
    <fieldset class="choices">
      <legend>Theme</legend>
      {THEMES.map(([theme, text]) => (
        <label key={theme}>
          <input
            type="radio"
            name="theme"
            checked={theme === current}
            onChange={() => changePreferences({ theme })}
          />
          {text}
        </label>
      ))}
    </fieldset>
  );
}

function PasswordPanel(): JSX.Element {
  return (
    <section class="panel">
      <h2>Password</h2>
      <Form
        doing="Changing the password"
        submit="Change the password"
        onSubmit={async ({ currentPassword = '', newPassword = '' }, form) => {
          await changePassword({ currentPassword, newPassword });
          form.reset();
        }}
      >
        <Field label="Password until now">
          {(ids) => (
            <input
              {...ids}
              name="currentPassword"
              type="password"
              required
              autocomplete="current-password"
            />
          )}
        </Field>
        <Field label="New password" help="Other sessions of yours end.">
          {(ids) => (
            <input
              {...ids}
              name="newPassword"
              type="password"
              required
              autocomplete="new-password"
            />
          )}
        </Field>
      </Form>
    </section>
  );
}
