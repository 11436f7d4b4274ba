import type { Command } from 'commander';
import type { UserView } from '../../server/access/users.ts';
import { timeText } from '../../text/exact-json.ts';
import { type StateOptions, withAccess, withStateOptions } from '../access-state.ts';
import type { CommandContext } from '../command-context.ts';
import { printList } from '../format/list.ts';
import { confirm } from '../input/confirm.ts';
import { readNewPassword } from '../input/password.ts';

type Options<Own> = StateOptions & Own;

/** Adds `user`: who may log in to the service. */
export function registerUser(program: Command, context: CommandContext): void {
  const users = program.command('user').description('users of the service, also while it runs');
  const command = (usage: string, description: string): Command =>
    withStateOptions(users.command(usage).description(description));

  command('add <name>', 'add a user; the password is asked for, or the first line of the input')
    .option('--admin', 'who may do everything')
    .option('--no-password', 'who uses tokens only')
    .action(async (name: string, options: Options<{ admin?: true; password: boolean }>) => {
      await withAccess(context, { ...options, creates: true }, async ({ access, by }) => {
        const password = options.password ? await readNewPassword(context, name) : null;
        const user = await access.users.add(
          { name, password, isAdmin: options.admin === true },
          by,
        );
        await context.out.line(`user ${user.name} added`);
      });
    });

  command('list', 'list the users')
    .option('--json', 'one JSON array')
    .action(async (options: Options<{ json?: true }>) => {
      await withAccess(context, options, async ({ access }) => {
        const groupNames = new Map(access.groups.list().map(({ id, name }) => [id, name]));
        const groupsOf = ({ groupIds }: UserView): string =>
          groupIds.map((id) => groupNames.get(id) ?? id).join(', ');
        await printList(context, access.users.list(), {
          isJson: options.json === true,
          titles: ['name', 'admin', 'login', 'groups', 'since'],
          rowOf: (user) => [
            user.name,
            user.isAdmin ? 'admin' : '',
            user.isDisabled ? 'disabled' : user.hasPassword ? 'password' : 'tokens only',
            groupsOf(user),
            timeText(new Date(user.createdAtMs)),
          ],
        });
      });
    });

  command('password <name>', 'give a user another password; his sessions end').action(
    async (name: string, options: StateOptions) => {
      await withAccess(context, options, async ({ access, by }) => {
        const user = access.users.byName(name);
        await access.users.setPassword(user.id, await readNewPassword(context, user.name), by);
        await context.out.line(`password of ${user.name} changed`);
      });
    },
  );

  command('disable <name>', 'keep a user out, with his tokens')
    .option('--undo', 'let him in again')
    .action(async (name: string, options: Options<{ undo?: true }>) => {
      await withAccess(context, options, async ({ access, by }) => {
        const { id } = access.users.byName(name);
        const user = access.users.update(id, { isDisabled: options.undo !== true }, by);
        await context.out.line(`user ${user.name} ${user.isDisabled ? 'disabled' : 'enabled'}`);
      });
    });

  command('admin <name>', 'let a user do everything')
    .option('--undo', 'only what he is granted')
    .action(async (name: string, options: Options<{ undo?: true }>) => {
      await withAccess(context, options, async ({ access, by }) => {
        const { id } = access.users.byName(name);
        const user = access.users.update(id, { isAdmin: options.undo !== true }, by);
        await context.out.line(`${user.name} is ${user.isAdmin ? 'an' : 'no'} admin`);
      });
    });

  command('remove <name>', 'remove a user with his tokens and grants, after a question')
    .option('--yes', 'do not ask')
    .action(async (name: string, options: Options<{ yes?: true }>) => {
      await withAccess(context, options, async ({ access, by }) => {
        const user = access.users.byName(name);
        if (!options.yes) await confirm(context, `Remove the user ${user.name}?`);
        access.users.remove(user.id, by);
        await context.out.line(`user ${user.name} removed`);
      });
    });
}
