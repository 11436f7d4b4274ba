import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type ApiToken, createToken, readTokens, revokeToken, SCOPES } from '../api/tokens.ts';
import { useRequest } from '../state/use-request.ts';
import { useTimeZone } from '../state/use-time-zone.ts';
import { secondText } from '../time/time-text.ts';
import { ConfirmButton } from './confirm-button.tsx';
import { CopyButton } from './copy-button.tsx';
import { DataTable } from './data-table.tsx';
import { Field } from './field.tsx';
import { Form } from './form.tsx';
import { ProblemNote } from './problem-note.tsx';

/** Tokens for programs: those that there are, and new ones. */
export function TokensPanel(): JSX.Element {
  const { data, error, reload } = useRequest(readTokens, []);
  const [secret, setSecret] = useState<string | null>(null);
  const zone = useTimeZone();
  const time = (iso: string | null, otherwise: string): string =>
    iso === null ? otherwise : secondText(iso, zone);
  return (
    <section class="panel">
      <h2>API tokens</h2>
      <p class="muted">
        Programs send a token in the header <code>Authorization: Bearer …</code>.
      </p>
      {error !== null ? (
        <ProblemNote doing="Reading the tokens" error={error} onRetry={reload} />
      ) : (
        <DataTable<ApiToken>
          caption="API tokens"
          rows={(data ?? []).filter(({ revokedAt }) => revokedAt === null)}
          keyOf={({ id }) => id}
          empty={data === null ? 'Loading …' : 'There are no tokens.'}
          columns={[
            { title: 'Name', cell: ({ name }) => name },
            { title: 'May', cell: ({ scopes }) => scopes.join(', ') },
            { title: 'Made', cell: ({ createdAt }) => time(createdAt, '') },
            { title: 'Ends', cell: ({ expiresAt }) => time(expiresAt, 'never') },
            { title: 'Last used', cell: ({ lastUsedAt }) => time(lastUsedAt, 'never') },
            {
              title: 'Revoke',
              cell: ({ id, name }) => (
                <ConfirmButton
                  label="Revoke"
                  className="danger small"
                  question={`Revoke ${name}?`}
                  doing="Revoking the token"
                  onConfirm={async () => {
                    await revokeToken(id);
                    reload();
                  }}
                >
                  <p>Programs that use it are refused from now on.</p>
                </ConfirmButton>
              ),
            },
          ]}
        />
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
