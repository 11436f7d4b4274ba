import type { Command } from 'commander';
import type { ServiceConfig } from '../../server/config/service-config.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';

interface ServeOptions {
  readonly config?: string;
  readonly host?: string;
  readonly port?: string;
  readonly collect?: true;
  readonly set: readonly string[];
}

/** Adds `serve`: the HTTP service with the dashboard. */
export function registerServe(program: Command, context: CommandContext): void {
  withConfigOptions(
    program.command('serve').description('serve the store over HTTP, with a dashboard'),
  )
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'port to listen on; 0 picks one (default: 8080)')
    .option('--collect', 'sample this host into streams, once a second')
    .action(async (options: ServeOptions) => {
      // Loaded here: no other command needs what a server needs.
      const { serve } = await import('../../server/serve.ts');
      const { unknownVariables } = await import('../../server/config/load-config.ts');
      const config = await loadedConfig(context, options);
      await serve(config, {
        signal: context.io.signal,
        now: context.io.now,
        unknownVariables: unknownVariables(context.io.env),
        onListening: async (lines) => {
          for (const line of lines) await context.out.line(line);
          await context.out.flush();
        },
      });
    });
}

/** Adds `config check`: says whether a configuration can be used, and what it comes to. */
export function registerConfig(program: Command, context: CommandContext): void {
  const config = program.command('config').description('the configuration of the service');
  withConfigOptions(
    config.command('check').description('check the configuration and print what it comes to'),
  ).action(async (options: ServeOptions) => {
    const { unknownVariables } = await import('../../server/config/load-config.ts');
    const { showConfig } = await import('../../server/config/show-config.ts');
    await context.out.line(showConfig(await loadedConfig(context, options)));
    const unknown = unknownVariables(context.io.env);
    if (unknown.length > 0) context.note(`no settings, and ignored: ${unknown.join(', ')}`);
  });
}

/** The configuration of all sources. */
async function loadedConfig(
  context: CommandContext,
  { config, host, port, collect, set }: ServeOptions,
): Promise<ServiceConfig> {
  const { loadConfig } = await import('../../server/config/load-config.ts');
  return loadConfig({
    file: config ?? null,
    env: context.io.env,
    flags: {
      ...(context.isStoreGiven && { store: context.storeUrl }),
      ...settings(set),
      ...(host !== undefined && { host }),
      ...(port !== undefined && { port }),
      ...(collect && { collect: true }),
    },
  });
}

function withConfigOptions(command: Command): Command {
  return command
    .option('--config <file>', 'JSON file with settings')
    .option(
      '--set <name=value>',
      'a setting, e.g. access.publicRead=true; may be repeated',
      (text: string, all: readonly string[]) => [...all, text],
      [],
    );
}

/** @throws {CliError} USAGE when one has no name. */
function settings(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf('=');
      if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
      throw usageError(`--set: not a setting: ${JSON.stringify(text)}; expected name=value.`);
    }),
  );
}
