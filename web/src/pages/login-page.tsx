import type { JSX } from 'preact';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { navigate, place } from '../router/location.ts';
import { isGuest, logIn, session } from '../state/session.ts';
import { useObservable } from '../state/use-observable.ts';
import { usePageTitle } from './use-page-title.ts';

/** Name and password. Who came by an address inside the dashboard stays there. */
export function LoginPage(): JSX.Element {
  usePageTitle('Log in');
  const who = useObservable(session);
  return (
    <div class="narrow card-page">
      <h1>Log in</h1>
      {who?.needsSetup && (
        <p class="note">
          There is nobody who could log in yet. The service printed a link when it started: open it
          to make the first account.
        </p>
      )}
      <Form
        doing="Logging in"
        submit="Log in"
        onSubmit={async ({ name = '', password = '' }) => {
          await logIn({ name, password });
          if (place.value.path === '/login') navigate('/');
        }}
      >
        <Field label="Name">
          {(ids) => <input {...ids} name="name" required autocomplete="username" />}
        </Field>
        <Field label="Password">
          {(ids) => (
            <input
              {...ids}
              name="password"
              type="password"
              required
              autocomplete="current-password"
            />
          )}
        </Field>
      </Form>
      <p class="muted">Who has no account, or forgot the password, asks an admin.</p>
      {who?.user === null && (
        <p class="muted">
          <button
            type="button"
            class="link-button"
            onClick={() => {
              isGuest.set(true);
              if (place.value.path === '/login') navigate('/');
            }}
          >
            Look at what is public
          </button>
        </p>
      )}
    </div>
  );
}
