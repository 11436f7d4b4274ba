import type { Command } from 'commander';
import { timeText } from '../../text/exact-json.ts';
import { type StateOptions, withAccess, withStateOptions } from '../access-state.ts';
import type { CommandContext } from '../command-context.ts';
import { printList } from '../format/list.ts';
import { confirm } from '../input/confirm.ts';

/** Adds `group`: users who are granted things together. */
export function registerGroup(program: Command, context: CommandContext): void {
  const groups = program.command('group').description('groups of users of the service');
  const command = (usage: string, description: string): Command =>
    withStateOptions(groups.command(usage).description(description));

  command('add <name>', 'add a group').action(async (name: string, options: StateOptions) => {
    await withAccess(context, options, async ({ access, by }) => {
      await context.out.line(`group ${access.groups.add(name, by).name} added`);
    });
  });

  command('list', 'list the groups and their users')
    .option('--json', 'one JSON array')
    .action(async (options: StateOptions & { json?: true }) => {
      await withAccess(context, options, async ({ access }) => {
        const listed = access.groups.list().map((group) => ({
          ...group,
          users: access.groups.memberIds(group.id).map((id) => access.users.get(id).name),
        }));
        await printList(context, listed, {
          isJson: options.json === true,
          titles: ['name', 'users', 'since'],
          rowOf: ({ name, users, createdAtMs }) => [
            name,
            users.join(', '),
            timeText(new Date(createdAtMs)),
          ],
        });
      });
    });

  for (const isMember of [true, false]) {
    const verb = isMember ? 'join' : 'leave';
    const description = isMember ? 'put a user into a group' : 'take a user out of a group';
    command(`${verb} <group> <user>`, description).action(
      async (groupName: string, userName: string, options: StateOptions) => {
        await withAccess(context, options, async ({ access, by }) => {
          const group = access.groups.byName(groupName);
          const user = access.users.byName(userName);
          access.groups.setMember({ groupId: group.id, userId: user.id, isMember }, by);
          await context.out.line(`${user.name} is ${isMember ? '' : 'not '}in ${group.name}`);
        });
      },
    );
  }

  command('remove <name>', 'remove a group with its grants, after a question; its users stay')
    .option('--yes', 'do not ask')
    .action(async (name: string, options: StateOptions & { yes?: true }) => {
      await withAccess(context, options, async ({ access, by }) => {
        const group = access.groups.byName(name);
        if (!options.yes) await confirm(context, `Remove the group ${group.name}?`);
        access.groups.remove(group.id, by);
        await context.out.line(`group ${group.name} removed`);
      });
    });
}
