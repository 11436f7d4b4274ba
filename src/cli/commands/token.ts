import type { Command } from 'commander';
import { durationOf } from '../../model/duration.ts';
import type { Scope } from '../../server/access/identity.ts';
import { SCOPES } from '../../server/state/permissions.ts';
import { timeText } from '../../text/exact-json.ts';

import { type StateOptions, withAccess, withStateOptions } from '../access-state.ts';
import type { CommandContext } from '../command-context.ts';
import { printList } from '../format/list.ts';
import { parseChoice, parseNames } from '../options.ts';
import { parseTime } from '../parse/time.ts';

interface CreateOptions extends StateOptions {
  readonly name: string;
  readonly scope: readonly Scope[];
  readonly expires?: string;
}

/** Adds `token`: what programs show to the service. */
export function registerToken(program: Command, context: CommandContext): void {
  const tokens = program.command('token').description('API tokens of the users of the service');
  const command = (usage: string, description: string): Command =>
    withStateOptions(tokens.command(usage).description(description));

  command('create <user>', 'make a token and print it, this once')
    .requiredOption('--name <text>', 'what it is for')
    .requiredOption('--scope <names>', `what it may be used for: ${SCOPES.join(',')}`, parseScopes)
    .option('--expires <when>', 'a duration from now, or a time (default: never)')
    .action(async (userName: string, { name, scope, expires, ...options }: CreateOptions) => {
      const expiresAtMs = expires === undefined ? null : parseEnd(expires, context.io.now());
      await withAccess(context, options, async ({ access, by }) => {
        const userId = access.users.byName(userName).id;
        const { secret } = access.tokens.create({ userId, name, scopes: scope, expiresAtMs }, by);
        await context.out.line(secret);
      });
    });

  command('list [user]', 'list the tokens of a user, or all')
    .option('--json', 'one JSON array')
    .action(async (userName: string | undefined, options: StateOptions & { json?: true }) => {
      await withAccess(context, options, async ({ access, by }) => {
        const userId = userName === undefined ? null : access.users.byName(userName).id;
        await printList(context, access.tokens.list({ userId }, by), {
          isJson: options.json === true,
          titles: ['id', 'user', 'name', 'scopes', 'created', 'expires', 'last used', ''],
          rowOf: (token) => [
            token.id,
            access.users.get(token.userId).name,
            token.name,
            token.scopes.join(','),
            instantText(token.createdAtMs),
            instantText(token.expiresAtMs),
            instantText(token.lastUsedAtMs),
            token.revokedAtMs === null ? '' : 'revoked',
          ],
        });
      });
    });

  command('revoke <id>', 'end a token at once').action(
    async (tokenId: string, options: StateOptions) => {
      await withAccess(context, options, async ({ access, by }) => {
        await context.out.line(`token ${access.tokens.revoke(tokenId, by).name} revoked`);
      });
    },
  );
}

/** @throws {CliError} USAGE */
function parseScopes(text: string): readonly Scope[] {
  return parseNames(text).map((name) => parseChoice<Scope>(name, SCOPES));
}

/** @throws {CliError} USAGE */
function parseEnd(text: string, now: Date): number {
  const durationMs = durationOf(text);
  return durationMs === null ? parseTime(text, now).getTime() : now.getTime() + durationMs;
}

function instantText(timeMs: number | null): string {
  return timeMs === null ? '–' : timeText(new Date(timeMs));
}
