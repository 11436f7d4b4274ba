import type { JSX } from 'preact';
import { changeUser, createUser, deleteUser, readUsers, type User } from '../../api/admin.ts';
import { ConfirmButton } from '../../components/confirm-button.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { useAction } from '../../state/use-action.ts';
import { useRequest } from '../../state/use-request.ts';

export function UsersPanel(): JSX.Element {
  const { data, error, reload } = useRequest(readUsers, []);
  const change = useAction(async (id: string, changes: Parameters<typeof changeUser>[1]) => {
    try {
      await changeUser(id, changes);
    } finally {
      // A change that was refused must not look as if it were made.
      reload();
    }
  });
  const flag = (name: 'isAdmin' | 'isDisabled', label: string) => ({
    title: label,
    cell: (user: User): JSX.Element => (
      <input
        type="checkbox"
        aria-label={`${user.name}: ${label}`}
        checked={user[name]}
        onChange={({ currentTarget }) =>
          void change.run(user.id, { [name]: currentTarget.checked })
        }
      />
    ),
  });
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
            {
              title: 'Remove',
              cell: ({ id, name }) => (
                <ConfirmButton
                  label="Remove"
                  className="danger small"
                  question={`Remove ${name}?`}
                  doing="Removing the user"
                  onConfirm={async () => {
                    await deleteUser(id);
                    reload();
                  }}
                >
                  <p>Sessions and tokens end. What the user made stays.</p>
                </ConfirmButton>
              ),
            },
          ]}
        />
      )}
      <details>
        <summary>New user</summary>
        <Form
          doing="Adding the user"
          submit="Add"
          onSubmit={async ({ name = '', password = '', isAdmin }, form) => {
            await createUser({ name, password, isAdmin: isAdmin !== undefined });
            form.reset();
            reload();
          }}
        >
          <Field label="Name">
            {(ids) => <input {...ids} name="name" required autocomplete="off" />}
          </Field>
          <Field label="Password">
            {(ids) => (
              <input
                {...ids}
                name="password"
                type="password"
                required
                autocomplete="new-password"
              />
            )}
          </Field>
          <div class="choices">
            <label>
              <input type="checkbox" name="isAdmin" />
              Admin
            </label>
          </div>
        </Form>
      </details>
    </section>
  );
}
