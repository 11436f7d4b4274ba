import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Json, Tags } from '../../api/types.ts';
import { isObject } from '../../chart/visualization.ts';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { TagEditor, type TagRow } from '../../components/tag-editor.tsx';
import { alertRule, type RuleTexts } from '../../format/alert-rule-form.ts';
import { tagRows, tagsOfRows } from '../../format/tag-rows.ts';
import { useStreamTitles } from '../../state/use-stream-titles.ts';
import { ThresholdFields } from './threshold-fields.tsx';

const NO_ROWS: readonly TagRow[] = [{ key: 0, name: '', text: '' }];
const SEVERITIES = ['info', 'warning', 'critical'] as const;

/** The form of a rule. What it starts with is looked at once. */
export function AlertRuleForm({
  target,
  texts,
  doing,
  submit,
  onSubmit,
  onCancel,
}: {
  /** Of a rule that is there: a stream stays what it is, tags can be changed. */
  readonly target: Json;
  readonly texts: RuleTexts;
  readonly doing: string;
  readonly submit: string;
  readonly onSubmit: (rule: { readonly [name: string]: Json }) => Promise<unknown>;
  readonly onCancel?: () => void;
}): JSX.Element {
  const [{ streamId, tags, initial }] = useState(() => ({ ...partsOf(target), initial: texts }));
  const [kind, setKind] = useState(initial['kind']);
  const [rows, setRows] = useState<readonly TagRow[]>(
    Object.keys(tags).length === 0 ? NO_ROWS : tagRows(tags),
  );
  return (
    <Form
      doing={doing}
      submit={submit}
      onSubmit={(typed) =>
        onSubmit(
          alertRule(typed, streamId === null ? { query: tagsOfRows(rows) } : { stream: streamId }),
        )
      }
      {...(onCancel !== undefined && { onCancel })}
    >
      <Field label="Name">
        {(ids) => (
          <input
            {...ids}
            name="name"
            required
            maxLength={200}
            defaultValue={initial['name'] ?? ''}
          />
        )}
      </Field>
      {streamId === null ? (
        <fieldset class="plain">
          <legend>For each stream with these tags</legend>
          <TagEditor rows={rows} onRows={setRows} />
        </fieldset>
      ) : (
        <OneStream streamId={streamId} />
      )}
      <Field label="When">
        {(ids) => (
          <select
            {...ids}
            name="kind"
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
          {(ids) => <input {...ids} name="after" required defaultValue={initial['after'] ?? ''} />}
        </Field>
      ) : (
        <ThresholdFields initial={initial} />
      )}
      <Field label="Severity">
        {(ids) => (
          <select {...ids} name="severity">
            {SEVERITIES.map((name) => (
              <option key={name} selected={name === initial['severity']}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field
        label="Webhook"
        help="Addresses that get each alert as JSON, with spaces between them."
      >
        {(ids) => (
          <input
            {...ids}
            name="webhook"
            inputMode="url"
            placeholder="https://…"
            defaultValue={initial['webhook'] ?? ''}
          />
        )}
      </Field>
      <Field label="E-mail to" help="Addresses with commas between them.">
        {(ids) => <input {...ids} name="email" defaultValue={initial['email'] ?? ''} />}
      </Field>
      <fieldset class="choices">
        <legend>Also</legend>
        <Box name="log" initial={initial}>
          Tell the log
        </Box>
        <Box name="notifyResolved" initial={initial}>
          Tell all of them of the end
        </Box>
      </fieldset>
      <Field label="Description">
        {(ids) => (
          <input
            {...ids}
            name="description"
            maxLength={2000}
            defaultValue={initial['description'] ?? ''}
          />
        )}
      </Field>
    </Form>
  );
}

function Box({
  name,
  initial,
  children,
}: {
  readonly name: string;
  readonly initial: RuleTexts;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <label>
      <input type="checkbox" name={name} defaultChecked={initial[name] !== undefined} />
      {children}
    </label>
  );
}

function OneStream({ streamId }: { readonly streamId: string }): JSX.Element {
  const titles = useStreamTitles([streamId]);
  return (
    <p>
      Of the stream <a href={`/streams/${streamId}`}>{titles.get(streamId) ?? streamId}</a>
    </p>
  );
}

function partsOf(target: Json): { readonly streamId: string | null; readonly tags: Tags } {
  if (!isObject(target)) return { streamId: null, tags: {} };
  const { stream, query } = target;
  return {
    streamId: typeof stream === 'string' ? stream : null,
    tags: isObject(query) ? query : {},
  };
}
