import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { navigate } from '../router/location.ts';
import { setUpAdmin } from '../state/session.ts';
import { usePageTitle } from './use-page-title.ts';

/** The first account, made with the link that the service printed. */
export function SetupPage(): JSX.Element {
  usePageTitle('Set up');
  // Behind `#`, so that the secret is in no log of any server.
  const [token] = useState(() => location.hash.slice(1));
  return (
    <div class="narrow card-page">
      <h1>The first account</h1>
      <p class="muted">It may do everything, and lets others in.</p>
      {token === '' && (
        <p class="note problem">
          This address is not complete: open the whole link that the service printed.
        </p>
      )}
      <Form
        doing="Making the account"
        submit="Make the account"
        onSubmit={async ({ name = '', password = '', again = '' }) => {
          if (password !== again) throw new Error('The two passwords are not the same.');
          await setUpAdmin({ token, name, password });
          navigate('/');
        }}
      >
        <Field label="Name">
          {(ids) => <input {...ids} name="name" required autocomplete="username" />}
        </Field>
        <Field label="Password" help="At least ten characters; several words are good.">
          {(ids) => (
            <input {...ids} name="password" type="password" required autocomplete="new-password" />
          )}
        </Field>
        <Field label="Password again">
          {(ids) => (
            <input {...ids} name="again" type="password" required autocomplete="new-password" />
          )}
        </Field>
      </Form>
    </div>
  );
}
