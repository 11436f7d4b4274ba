import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { createToken, readTokens, SCOPES } from '../api/tokens.ts';
import { useRequest } from '../state/use-request.ts';
import { CopyButton } from './copy-button.tsx';
import { Field } from './field.tsx';
import { Form } from './form.tsx';
import { ProblemNote } from './problem-note.tsx';
import { TokenTable } from './token-table.tsx';

/** Tokens for programs: those that there are, and new ones. */
export function TokensPanel(): JSX.Element {
  const { data, error, reload } = useRequest((signal) => readTokens(null, signal), []);
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <section class="panel">
      <h2>API tokens</h2>
      <p class="muted">
        Programs send a token in the header <code>Authorization: Bearer …</code>.
      </p>
      {error !== null ? (
        <ProblemNote doing="Reading the tokens" error={error} onRetry={reload} />
      ) : (
        data !== null && <TokenTable tokens={data} onRevoked={reload} />
      )}
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
            const { name = '', expires = '' } = values;
            const made = await createToken({ name, scopes, expires: expires || null });
            setSecret(made.secret);
            form.reset();
            reload();
          }}
        >
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
                <option value="+30d">in 30 days</option>
                <option value="+365d">in a year</option>
                <option value="">never</option>
              </select>
            )}
          </Field>
        </Form>
      </details>
    </section>
  );
}
