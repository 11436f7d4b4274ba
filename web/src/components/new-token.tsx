import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { User } from '../api/admin.ts';
import { createToken, SCOPES } from '../api/tokens.ts';
import { CopyButton } from './copy-button.tsx';
import { Field } from './field.tsx';
import { Form } from './form.tsx';

const ENDS = [
  { after: '+1d', text: 'in a day' },
  { after: '+7d', text: 'in a week' },
  { after: '+30d', text: 'in 30 days' },
  { after: '+365d', text: 'in a year' },
  { after: '', text: 'never' },
] as const;

/** The form of a token, and the token itself, once. */
export function NewToken({
  users,
  onMade,
}: {
  /** Whose it can be; absent: one's own. */
  readonly users?: readonly User[];
  readonly onMade: () => void;
}): JSX.Element {
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <>
      {secret !== null && (
        <div class="note good" role="status">
          <p>
            This is the token. It is not shown again: <code>{secret}</code>
          </p>
          <CopyButton text={secret} />
        </div>
      )}
      <details>
        <summary>New token</summary>
        <Form
          doing="Making the token"
          submit="Make the token"
          onSubmit={async (values, form) => {
            const scopes = SCOPES.filter((scope) => values[`scope-${scope}`] !== undefined);
            if (scopes.length === 0) throw new Error('Choose what the token may be used for.');
            const { name = '', expires = '', user } = values;
            const owner = user === undefined ? {} : { user };
            const made = await createToken({ name, scopes, expires: expires || null, ...owner });
            setSecret(made.secret);
            form.reset();
            onMade();
          }}
        >
          {users !== undefined && (
            <Field label="Of" help="It may do at most what its owner may at that moment.">
              {(ids) => (
                <select {...ids} name="user" required>
                  {users.map(({ id, name }) => (
                    <option key={id} value={id}>
                      {name}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          )}
          <Field label="Name" help="What it is for.">
            {(ids) => <input {...ids} name="name" required maxLength={200} />}
          </Field>
          <fieldset class="choices">
            <legend>May</legend>
            {SCOPES.map((scope) => (
              <label key={scope}>
                <input
                  type="checkbox"
                  name={`scope-${scope}`}
                  defaultChecked={scope === 'view' || scope === 'append'}
                />
                {scope}
              </label>
            ))}
          </fieldset>
          <Field label="Ends">
            {(ids) => (
              <select {...ids} name="expires">
                {ENDS.map(({ after, text }) => (
                  <option key={after} value={after} selected={after === '+30d'}>
                    {text}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </Form>
      </details>
    </>
  );
}
