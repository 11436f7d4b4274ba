import type { Command } from 'commander';
import type { Access } from '../server/access/access.ts';
import type { Actor } from '../server/access/audit.ts';
import type { CommandContext } from './command-context.ts';

/** Where commands find the state of the service. */
export interface StateOptions {
  readonly config?: string;
  readonly state?: string;
}

export interface OpenedAccess {
  readonly access: Access;
  /** Whoever can write the files: the audit log names the command line. */
  readonly by: Actor;
}

/** Adds the options that name the state of the service. */
export function withStateOptions(command: Command): Command {
  return command
    .option(
      '--state <folder>',
      'folder of users and settings (default: service, in that of the store)',
    )
    .option('--config <file>', 'JSON file with the settings of the service');
}

/**
 * Opens the users, tokens, groups and grants of a service, which may be running, for the time of the work.
 * @throws {ServiceError} STATE_UNAVAILABLE when there are none yet and `creates` does not allow to begin.
 */
export async function withAccess<T>(
  context: CommandContext,
  { config, state, creates = false }: StateOptions & { readonly creates?: boolean },
  work: (opened: OpenedAccess) => T | Promise<T>,
): Promise<T> {
  // Loaded here: no other command needs what a server needs.
  const { loadConfig } = await import('../server/config/load-config.ts');
  const { openAccess } = await import('../server/open-access.ts');
  const { OPERATOR } = await import('../server/access/identity.ts');
  const settings = loadConfig({
    file: config ?? null,
    env: context.io.env,
    flags: {
      ...(context.isStoreGiven && { store: context.storeUrl }),
      ...(state !== undefined && { state }),
    },
  });
  const opened = await openAccess(settings, { now: context.io.now, creates });
  try {
    const by = { identity: { ...OPERATOR, name: operatorName(context) }, address: null };
    return await work({ access: opened.access, by });
  } finally {
    await opened.close();
  }
}

/** As the system knows who runs the command, where it says so. */
function operatorName({ io: { env } }: CommandContext): string {
  const name = env['SUDO_USER'] ?? env['USER'] ?? env['USERNAME'];
  return name === undefined ? 'command line' : `command line (${name})`;
}
