import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { readUsers } from '../../api/admin.ts';
import { addGrant, type GrantTarget, readGrants } from '../../api/grants.ts';
import { readGroups } from '../../api/groups.ts';
import type { StreamInfo } from '../../api/types.ts';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { GrantFields, grantOf } from '../../components/grant-fields.tsx';
import { GrantTable } from '../../components/grant-table.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { StreamPicker } from '../../components/stream-picker.tsx';
import { TagEditor, type TagRow } from '../../components/tag-editor.tsx';
import { tagsOfRows } from '../../format/tag-rows.ts';
import { useRequest } from '../../state/use-request.ts';

/** Who was granted what, on all streams. */
export function GrantsPanel(): JSX.Element {
  const { data, error, reload } = useRequest((signal) => readGrants(null, signal), []);
  return (
    <section class="panel">
      <h2>Grants</h2>
      <p class="muted">
        What nobody was granted is refused. By tags, a grant reaches streams that come later, too.
      </p>
      {error !== null && <ProblemNote doing="Reading the grants" error={error} onRetry={reload} />}
      {data !== null && (
        <GrantTable grants={data} empty="Nobody was granted anything." onRemoved={reload} />
      )}
      <details>
        <summary>New grant</summary>
        <NewGrant onAdded={reload} />
      </details>
    </section>
  );
}

const NO_ROWS: readonly TagRow[] = [{ key: 0, name: '', text: '' }];

function NewGrant({ onAdded }: { readonly onAdded: () => void }): JSX.Element {
  const users = useRequest(readUsers, []);
  const groups = useRequest(readGroups, []);
  const names = {
    user: (users.data ?? []).map(({ name }) => name),
    group: (groups.data ?? []).map(({ name }) => name),
  };
  const [on, setOn] = useState('tags');
  const [rows, setRows] = useState(NO_ROWS);
  const [streams, setStreams] = useState<readonly StreamInfo[]>([]);
  const targets = (): readonly GrantTarget[] => {
    if (on === 'all') return [{ kind: 'query', tags: {} }];
    if (on === 'streams') return streams.map(({ id }) => ({ kind: 'stream', streamId: id }));
    const tags = tagsOfRows(rows);
    if (Object.keys(tags).length === 0) throw new Error('Name a tag, or choose all streams.');
    return [{ kind: 'query', tags }];
  };
  return (
    <Form
      doing="Granting this"
      submit="Grant"
      onSubmit={async (values, form) => {
        const wanted = targets();
        if (wanted.length === 0) throw new Error('Choose a stream.');
        for (const target of wanted) await addGrant({ ...grantOf(values), target });
        form.reset();
        setRows(NO_ROWS);
        setStreams([]);
        onAdded();
      }}
    >
      <GrantFields names={names} offersCreate={on !== 'streams'} />
      <Field label="On">
        {(ids) => (
          <select {...ids} value={on} onChange={({ currentTarget }) => setOn(currentTarget.value)}>
            <option value="tags">streams with these tags, now and later</option>
            <option value="streams">streams that you choose</option>
            <option value="all">all streams</option>
          </select>
        )}
      </Field>
      {on === 'tags' && <TagEditor rows={rows} onRows={setRows} />}
      {on === 'streams' && <StreamPicker chosen={streams} onChosen={setStreams} />}
    </Form>
  );
}
