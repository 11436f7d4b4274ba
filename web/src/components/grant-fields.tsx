import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { type GrantSubject, PERMISSIONS } from '../api/grants.ts';
import { Field } from './field.tsx';

/** Names to choose from; somebody who is no admin has to know them. */
export interface KnownNames {
  readonly user: readonly string[];
  readonly group: readonly string[];
}

const SUBJECTS = [
  { kind: 'user', text: 'a user' },
  { kind: 'group', text: 'a group' },
  { kind: 'public', text: 'everybody' },
] as const;

/** Who is to get which permissions: controls of a form, which `grantOf` reads. */
export function GrantFields({
  names,
  offersCreate,
}: {
  readonly names: KnownNames;
  readonly offersCreate: boolean;
}): JSX.Element {
  const [kind, setKind] = useState<GrantSubject['kind']>('user');
  const listId = useId();
  // The public gets nothing else.
  const offered =
    kind === 'public' ? ['view'] : [...PERMISSIONS, ...(offersCreate ? ['create'] : [])];
  return (
    <>
      <fieldset class="choices">
        <legend>To</legend>
        {SUBJECTS.map((subject) => (
          <label key={subject.kind}>
            <input
              type="radio"
              name="kind"
              value={subject.kind}
              checked={subject.kind === kind}
              onChange={() => setKind(subject.kind)}
            />
            {subject.text}
          </label>
        ))}
      </fieldset>
      {kind !== 'public' && (
        <Field label={kind === 'user' ? 'Name of the user' : 'Name of the group'}>
          {(ids) => (
            <>
              <input {...ids} name="name" required autocomplete="off" list={listId} />
              <datalist id={listId}>
                {names[kind].map((name) => (
                  <option key={name} value={name} />
                ))}
              </datalist>
            </>
          )}
        </Field>
      )}
      <fieldset class="choices">
        <legend>May</legend>
        {offered.map((permission) => (
          <label key={permission}>
            <input
              type="checkbox"
              name={`may-${permission}`}
              defaultChecked={permission === 'view'}
            />
            {permission}
          </label>
        ))}
      </fieldset>
    </>
  );
}

/** @throws {Error} when nothing is to be allowed. */
export function grantOf(values: Readonly<Record<string, string>>): {
  readonly subject: GrantSubject;
  readonly permissions: readonly string[];
} {
  const { kind = 'user', name = '' } = values;
  const permissions = [...PERMISSIONS, 'create'].filter(
    (permission) => values[`may-${permission}`] !== undefined,
  );
  if (permissions.length === 0) throw new Error('Choose what they may do.');
  const subject: GrantSubject =
    kind === 'public' ? { kind } : { kind: kind === 'group' ? kind : 'user', name: name.trim() };
  return { subject, permissions };
}
