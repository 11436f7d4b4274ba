import type { JSX } from 'preact';
import { readUsers, type User } from '../../api/admin.ts';
import {
  createGroup,
  deleteGroup,
  type Group,
  readGroups,
  renameGroup,
  setMember,
} from '../../api/groups.ts';
import { ConfirmButton } from '../../components/confirm-button.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { useAction } from '../../state/use-action.ts';
import { useRequest } from '../../state/use-request.ts';

/** Groups of users, and who is in them. */
export function GroupsPanel(): JSX.Element {
  const { data, error, reload } = useRequest(readGroups, []);
  const users = useRequest(readUsers, []);
  const member = useAction(async (...change: Parameters<typeof setMember>) => {
    await setMember(...change);
    reload();
  });
  return (
    <section class="panel">
      <h2>Groups</h2>
      {error !== null && <ProblemNote doing="Reading the groups" error={error} onRetry={reload} />}
      {member.error !== null && <ProblemNote doing="Changing the group" error={member.error} />}
      {data !== null && (
        <DataTable<Group>
          caption="Groups"
          rows={data}
          keyOf={({ id }) => id}
          empty="There are no groups. What is granted to a group, all of its members may."
          columns={[
            { title: 'Name', cell: ({ name }) => name },
            {
              title: 'Members',
              cell: (group) => (
                <Members
                  group={group}
                  users={users.data ?? []}
                  onChange={(userId, isMember) => void member.run(group.id, userId, isMember)}
                />
              ),
            },
            { title: 'Rename', cell: (group) => <RenameButton group={group} onDone={reload} /> },
            { title: 'Delete', cell: (group) => <DeleteButton group={group} onDone={reload} /> },
          ]}
        />
      )}
      <details>
        <summary>New group</summary>
        <Form
          doing="Adding the group"
          submit="Add"
          onSubmit={async ({ name = '' }, form) => {
            await createGroup(name);
            form.reset();
            reload();
          }}
        >
          <Field label="Name">
            {(ids) => <input {...ids} name="name" required maxLength={200} autocomplete="off" />}
          </Field>
        </Form>
      </details>
    </section>
  );
}

function Members({
  group,
  users,
  onChange,
}: {
  readonly group: Group;
  readonly users: readonly User[];
  readonly onChange: (userId: string, isMember: boolean) => void;
}): JSX.Element {
  const nameOf = (id: string): string => users.find((user) => user.id === id)?.name ?? id;
  const others = users.filter(({ id }) => !group.members.includes(id));
  return (
    <span class="chips">
      {group.members.map((id) => (
        <span key={id} class="chip">
          {nameOf(id)}
          <button
            type="button"
            aria-label={`Take ${nameOf(id)} out of ${group.name}`}
            onClick={() => onChange(id, false)}
          >
            ×
          </button>
        </span>
      ))}
      {others.length > 0 && (
        <select
          aria-label={`Add a member to ${group.name}`}
          value=""
          onChange={({ currentTarget }) => {
            const userId = currentTarget.value;
            currentTarget.value = '';
            if (userId !== '') onChange(userId, true);
          }}
        >
          <option value="">Add …</option>
          {others.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      )}
    </span>
  );
}

interface GroupProps {
  readonly group: Group;
  readonly onDone: () => void;
}

function RenameButton({ group: { id, name }, onDone }: GroupProps): JSX.Element {
  return (
    <FormDialog
      label="Rename"
      title={`Rename ${name}`}
      doing="Renaming the group"
      submit="Rename it"
      onSubmit={async (values) => {
        await renameGroup(id, values['name'] ?? '');
        onDone();
      }}
    >
      <Field label="New name">
        {(ids) => <input {...ids} name="name" required maxLength={200} defaultValue={name} />}
      </Field>
    </FormDialog>
  );
}

function DeleteButton({ group: { id, name }, onDone }: GroupProps): JSX.Element {
  return (
    <ConfirmButton
      label="Delete"
      className="danger small"
      question={`Delete ${name}?`}
      doing="Deleting the group"
      onConfirm={async () => {
        await deleteGroup(id);
        onDone();
      }}
    >
      <p>What was granted to it is over. Its members stay users.</p>
    </ConfirmButton>
  );
}
