import type { JSX } from 'preact';
import { changeUser, createUser, deleteUser, readUsers, type User } from '../../api/admin.ts';
import { readGroups } from '../../api/groups.ts';
import { ConfirmButton } from '../../components/confirm-button.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { Toggle } from '../../components/toggle.tsx';
import { useAction } from '../../state/use-action.ts';
import { useRequest } from '../../state/use-request.ts';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { secondText } from '../../time/time-text.ts';

/** Who may come in, and who manages the service. */
export function UsersPanel(): JSX.Element {
  const zone = useTimeZone();
  const { data, error, reload } = useRequest(readUsers, []);
  const groups = useRequest(readGroups, []);
  const change = useAction(async (id: string, changes: Parameters<typeof changeUser>[1]) => {
    await changeUser(id, changes);
    reload();
  });
  const flag = (name: 'isAdmin' | 'isDisabled', label: string) => ({
    title: label,
    cell: (user: User): JSX.Element => (
      <Toggle
        label={`${user.name}: ${label}`}
        isOn={user[name]}
        onToggle={(isOn) => change.run(user.id, { [name]: isOn })}
      />
    ),
  });
  const groupNames = ({ groups: ids }: User): string =>
    ids.map((id) => groups.data?.find((group) => group.id === id)?.name ?? id).join(', ');
  return (
    <section class="panel">
      <h2>Users</h2>
      {error !== null && <ProblemNote doing="Reading the users" error={error} onRetry={reload} />}
      {change.error !== null && <ProblemNote doing="Changing the user" error={change.error} />}
      {data !== null && (
        <DataTable<User>
          caption="Users"
          rows={data}
          keyOf={({ id }) => id}
          empty="There are no users: everybody who reaches the service may do everything."
          columns={[
            { title: 'Name', cell: ({ name }) => name },
            flag('isAdmin', 'Admin'),
            flag('isDisabled', 'Shut out'),
            { title: 'Groups', cell: groupNames },
            { title: 'Comes in by', cell: (user) => (user.hasPassword ? 'password' : 'tokens') },
            { title: 'Made', cell: ({ createdAt }) => secondText(createdAt, zone) },
            {
              title: 'Do',
              cell: (user) => (
                <span class="button-row one-line">
                  <PasswordButton user={user} onDone={reload} />
                  <RenameButton user={user} onDone={reload} />
                  <RemoveButton user={user} onDone={reload} />
                </span>
              ),
            },
          ]}
        />
      )}
      <details>
        <summary>New user</summary>
        <NewUser onMade={reload} />
      </details>
    </section>
  );
}

interface UserProps {
  readonly user: User;
  readonly onDone: () => void;
}

function PasswordButton({ user: { id, name }, onDone }: UserProps): JSX.Element {
  return (
    <FormDialog
      label="Set password"
      title={`New password for ${name}`}
      doing="Setting the password"
      submit="Set it"
      onSubmit={async ({ password = '' }) => {
        await changeUser(id, { password });
        onDone();
      }}
    >
      <Field label="New password" help="Wherever the user is signed in, that ends.">
        {(ids) => (
          <input {...ids} name="password" type="password" required autocomplete="new-password" />
        )}
      </Field>
    </FormDialog>
  );
}

function RenameButton({ user: { id, name }, onDone }: UserProps): JSX.Element {
  return (
    <FormDialog
      label="Rename"
      title={`Rename ${name}`}
      doing="Renaming the user"
      submit="Rename"
      onSubmit={async (values) => {
        await changeUser(id, { name: values['name'] ?? '' });
        onDone();
      }}
    >
      <Field label="New name">
        {(ids) => <input {...ids} name="name" required autocomplete="off" defaultValue={name} />}
      </Field>
    </FormDialog>
  );
}

function RemoveButton({ user: { id, name }, onDone }: UserProps): JSX.Element {
  return (
    <ConfirmButton
      label="Remove"
      className="danger small"
      question={`Remove ${name}?`}
      doing="Removing the user"
      onConfirm={async () => {
        await deleteUser(id);
        onDone();
      }}
    >
      <p>Sessions, tokens and grants end. What the user made stays.</p>
    </ConfirmButton>
  );
}

function NewUser({ onMade }: { readonly onMade: () => void }): JSX.Element {
  return (
    <Form
      doing="Adding the user"
      submit="Add"
      onSubmit={async ({ name = '', password = '', isAdmin }, form) => {
        await createUser({ name, password: password || null, isAdmin: isAdmin !== undefined });
        form.reset();
        onMade();
      }}
    >
      <Field label="Name">
        {(ids) => <input {...ids} name="name" required autocomplete="off" />}
      </Field>
      <Field label="Password" help="Empty: the user comes in by tokens only.">
        {(ids) => <input {...ids} name="password" type="password" autocomplete="new-password" />}
      </Field>
      <div class="choices">
        <label>
          <input type="checkbox" name="isAdmin" />
          Admin
        </label>
      </div>
    </Form>
  );
}
