import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { createAlertRule } from '../../api/alerts.ts';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { TagEditor, type TagRow } from '../../components/tag-editor.tsx';
import { alertRule } from '../../format/alert-rule.ts';
import { tagsOfRows } from '../../format/tag-rows.ts';

const NO_ROWS: readonly TagRow[] = [{ key: 0, name: '', text: '' }];
const LEVELS = ['raw', '10seconds', 'minutes', '10minutes', 'hours', '6hours', 'days'] as const;
const SEVERITIES = ['info', 'warning', 'critical'] as const;

/** The form of a rule. */
export function NewAlertRule({ onMade }: { readonly onMade: () => void }): JSX.Element {
  const [kind, setKind] = useState('stale');
  const [rows, setRows] = useState<readonly TagRow[]>(NO_ROWS);
  return (
    <details>
      <summary>New rule</summary>
      <Form
        doing="Making the rule"
        submit="Make the rule"
        onSubmit={async ({ name = '', ...values }, form) => {
          await createAlertRule({ name, ...alertRule({ ...values, kind }, tagsOfRows(rows)) });
          form.reset();
          setRows(NO_ROWS);
          onMade();
        }}
      >
        <Field label="Name">
          {(ids) => <input {...ids} name="name" required maxLength={200} />}
        </Field>
        <fieldset class="plain">
          <legend>For each stream with these tags</legend>
          <TagEditor rows={rows} onRows={setRows} />
        </fieldset>
        <Field label="When">
          {(ids) => (
            <select
              {...ids}
              value={kind}
              onChange={({ currentTarget }) => setKind(currentTarget.value)}
            >
              <option value="stale">no datapoint has come for a time</option>
              <option value="above">values are above a number</option>
              <option value="below">values are below a number</option>
            </select>
          )}
        </Field>
        {kind === 'stale' ? (
          <Field label="For" help="As in 30m, 2h, 1d.">
            {(ids) => <input {...ids} name="after" required defaultValue="30m" />}
          </Field>
        ) : (
          <ThresholdFields />
        )}
        <Field label="Severity">
          {(ids) => (
            <select {...ids} name="severity">
              {SEVERITIES.map((name) => (
                <option key={name} selected={name === 'warning'}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field
          label="Webhook"
          help="An address that gets each alert as JSON. The log is always told."
        >
          {(ids) => <input {...ids} name="webhook" type="url" placeholder="https://…" />}
        </Field>
        <Field label="E-mail to" help="Addresses with commas between them.">
          {(ids) => <input {...ids} name="email" />}
        </Field>
      </Form>
    </details>
  );
}

function ThresholdFields(): JSX.Element {
  return (
    <>
      <Field label="Number">
        {(ids) => <input {...ids} name="limit" type="number" step="any" required />}
      </Field>
      <Field
        label="Over again at"
        help="Empty: at the same number. A distance keeps it from going to and fro."
      >
        {(ids) => <input {...ids} name="clear" type="number" step="any" />}
      </Field>
      <Field label="Only after" help="How long values must be there, as in 5m; empty: at once.">
        {(ids) => <input {...ids} name="lasting" />}
      </Field>
      <Field label="Values of" help="Raw datapoints, or the means of a level.">
        {(ids) => (
          <select {...ids} name="level">
            {LEVELS.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
    </>
  );
}
