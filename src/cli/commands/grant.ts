import type { Command } from 'commander';
import type { Access } from '../../server/access/access.ts';
import { GRANT_PERMISSIONS, type GrantPermission } from '../../server/state/permissions.ts';
import type { Grant, GrantSubject, GrantTarget } from '../../server/state/records/grant.ts';
import { type StateOptions, withAccess, withStateOptions } from '../access-state.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { printList } from '../format/list.ts';
import { tagsText } from '../format/tags.ts';
import { parseChoice, parseNames } from '../options.ts';
import { isStreamId, parseTags } from '../parse/tags.ts';

interface SubjectOptions {
  readonly user?: string;
  readonly group?: string;
  readonly public?: true;
}

type AddOptions = StateOptions &
  SubjectOptions & { readonly allow: readonly GrantPermission[]; readonly all?: true };

/** Adds `grant`: who may do what with which streams. */
export function registerGrant(program: Command, context: CommandContext): void {
  const grants = program.command('grant').description('what users, groups and the public may do');
  const command = (usage: string, description: string): Command =>
    withStateOptions(grants.command(usage).description(description));

  withSubjectOptions(
    command('add [tags...]', 'allow something on the streams with the tags, or on one stream'),
  )
    .requiredOption('--allow <names>', GRANT_PERMISSIONS.join(','), parsePermissions)
    .option('--all', 'on all streams')
    .action(async (args: string[], { allow, all, ...options }: AddOptions) => {
      const target = parseTarget(args, { isAll: all === true });
      await withAccess(context, options, async ({ access, by }) => {
        const subject = subjectOf(access, options);
        if (subject === null) throw usageError('Name one of --user, --group and --public.');
        const grant = access.grants.add({ subject, permissions: allow, target }, by);
        await context.out.line(`grant ${grant.id}: ${grantText(access, grant).join(' ')}`);
      });
    });

  withSubjectOptions(command('list', 'list what was granted, to all or to one'))
    .option('--json', 'one JSON array')
    .action(async (options: StateOptions & SubjectOptions & { json?: true }) => {
      await withAccess(context, options, async ({ access }) => {
        const subject = subjectOf(access, options);
        await printList(context, access.grants.list(subject === null ? {} : { subject }), {
          isJson: options.json === true,
          titles: ['id', 'who', 'what', 'on'],
          rowOf: (grant) => [grant.id, ...grantText(access, grant)],
        });
      });
    });

  command('remove <id>', 'take a grant back').action(
    async (grantId: string, options: StateOptions) => {
      await withAccess(context, options, async ({ access, by }) => {
        access.grants.remove(grantId, {}, by);
        await context.out.line(`grant ${grantId} removed`);
      });
    },
  );
}

function withSubjectOptions(command: Command): Command {
  return command
    .option('--user <name>', 'to a user')
    .option('--group <name>', 'to a group')
    .option('--public', 'to everybody');
}

/** @throws {CliError} USAGE */
function parsePermissions(text: string): readonly GrantPermission[] {
  return parseNames(text).map((name) => parseChoice<GrantPermission>(name, GRANT_PERMISSIONS));
}

/** No tags mean every stream; that is said, not left out. @throws {CliError} USAGE */
function parseTarget(args: readonly string[], { isAll }: { readonly isAll: boolean }): GrantTarget {
  if (isAll !== (args.length === 0)) throw usageError('Give tags, one stream id, or --all.');
  const [first] = args;
  if (args.length === 1 && isStreamId(first!)) return { kind: 'stream', streamId: first! };
  return { kind: 'query', tags: parseTags(args) };
}

/** Null when none is named. @throws {CliError} USAGE for more than one. */
function subjectOf(access: Access, options: SubjectOptions): GrantSubject | null {
  const { user, group, public: isPublic } = options;
  const named = [user, group, isPublic].filter((option) => option !== undefined);
  if (named.length > 1) throw usageError('Choose one of --user, --group and --public.');
  if (user !== undefined) return { kind: 'user', userId: access.users.byName(user).id };
  if (group !== undefined) return { kind: 'group', groupId: access.groups.byName(group).id };
  return isPublic === true ? { kind: 'public' } : null;
}

/** Who, what, on what. */
function grantText(access: Access, { subject, permissions, target }: Grant): readonly string[] {
  const who =
    subject.kind === 'user'
      ? `user ${access.users.get(subject.userId).name}`
      : subject.kind === 'group'
        ? `group ${access.groups.get(subject.groupId).name}`
        : 'public';
  const hasTags = target.kind === 'query' && Object.keys(target.tags).length > 0;
  const where =
    target.kind === 'stream' ? target.streamId : hasTags ? tagsText(target.tags) : 'all streams';
  return [who, permissions.join(','), where];
}
