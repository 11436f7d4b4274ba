import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Field } from '../../components/field.tsx';
import type { RuleTexts } from '../../format/alert-rule-form.ts';

const LEVELS = ['raw', '10seconds', 'minutes', '10minutes', 'hours', '6hours', 'days'] as const;
const VALUES = ['mean', 'min', 'max', 'sum', 'count', 'std_dev'] as const;

/** When values are beyond a number: controls of the form of a rule. */
export function ThresholdFields({ initial }: { readonly initial: RuleTexts }): JSX.Element {
  const { limit = '', clear = '', lasting = '', valueDownsampler = '' } = initial;
  const [level, setLevel] = useState(initial['level'] ?? '');
  return (
    <>
      <Field label="Number">
        {(ids) => (
          <input {...ids} name="limit" type="number" step="any" required defaultValue={limit} />
        )}
      </Field>
      <Field
        label="Over again at"
        help="Empty: at the same number. A distance keeps it from going to and fro."
      >
        {(ids) => <input {...ids} name="clear" type="number" step="any" defaultValue={clear} />}
      </Field>
      <Field label="Only after" help="How long values must be there, as in 5m; empty: at once.">
        {(ids) => <input {...ids} name="lasting" defaultValue={lasting} />}
      </Field>
      <Field label="Values of" help="Raw datapoints, or a level.">
        {(ids) => (
          <select
            {...ids}
            name="level"
            value={level}
            onChange={({ currentTarget }) => setLevel(currentTarget.value)}
          >
            {withOwn(LEVELS, level).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      {level !== 'raw' && (
        <Field label="Which of its values">
          {(ids) => (
            <select {...ids} name="valueDownsampler">
              {withOwn(VALUES, valueDownsampler).map((name) => (
                <option key={name} selected={name === valueDownsampler}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
    </>
  );
}

/** The usual ones, and what a rule has that was made elsewhere. */
function withOwn(usual: readonly string[], own: string): readonly string[] {
  return own === '' || usual.includes(own) ? usual : [...usual, own];
}
