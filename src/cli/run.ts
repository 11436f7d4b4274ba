import { readFileSync } from 'node:fs';
import { Command, CommanderError, type Option } from 'commander';
import { CliError, PartlyDone, usageError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import { CommandContext, DEFAULT_STORE_URL, oneLine } from './command-context.ts';
import { registerAppend } from './commands/append.ts';
import { registerBackprocess } from './commands/backprocess.ts';
import { registerBackup } from './commands/backup.ts';
import { registerChange } from './commands/change.ts';
import { registerCheckpoint } from './commands/checkpoint.ts';
import { registerCollect } from './commands/collect.ts';
import { registerCopy } from './commands/copy.ts';
import { registerDelete } from './commands/delete.ts';
import { registerDownsample } from './commands/downsample.ts';
import { registerDummy } from './commands/dummy.ts';
import { registerEnsure } from './commands/ensure.ts';
import { registerErase } from './commands/erase.ts';
import { registerExport } from './commands/export.ts';
import { registerGet } from './commands/get.ts';
import { registerGrant } from './commands/grant.ts';
import { registerGroup } from './commands/group.ts';
import { registerImport } from './commands/import.ts';
import { registerConfig, registerServe } from './commands/serve.ts';
import { registerShow } from './commands/show.ts';
import { registerStatus } from './commands/status.ts';
import { registerStreams } from './commands/streams.ts';
import { registerTag } from './commands/tag.ts';
import { registerToken } from './commands/token.ts';
import { registerUser } from './commands/user.ts';
import { registerVerify } from './commands/verify.ts';
import { errorMessage, withoutFullStop } from './error-message.ts';
import { EXIT_CODES, EXIT_OK, exitCodeOf } from './exit-codes.ts';
import { OutputClosed } from './output.ts';

const REGISTRATIONS = [
  registerEnsure,
  registerStreams,
  registerShow,
  registerTag,
  registerChange,
  registerAppend,
  registerGet,
  registerDownsample,
  registerBackprocess,
  registerErase,
  registerDelete,
  registerExport,
  registerImport,
  registerCopy,
  registerStatus,
  registerVerify,
  registerCheckpoint,
  registerBackup,
  registerCollect,
  registerDummy,
  registerServe,
  registerConfig,
  registerUser,
  registerGroup,
  registerToken,
  registerGrant,
];

/**
 * Runs one command line and gives its exit code; never rejects, and never ends the process.
 * Errors are one line on stderr. `argv` is without the program's own name.
 */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const context = new CommandContext(io);
  try {
    await buildProgram(context).parseAsync(argv, { from: 'user' });
    await context.out.flush();
    return EXIT_OK;
  } catch (error) {
    return await finish(error, context);
  } finally {
    context.finishWarnings();
    context.out.release();
  }
}

async function finish(error: unknown, context: CommandContext): Promise<number> {
  if (error instanceof OutputClosed) return EXIT_OK;
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? EXIT_OK : EXIT_CODES['USAGE']!;
  }
  try {
    await context.out.flush();
  } catch (flushError) {
    // What could not be written matters less than why the command failed, unless nobody listens.
    if (flushError instanceof OutputClosed) return exitCodeOf(error);
  }
  const cause = error instanceof PartlyDone ? error.cause : error;
  const suffix = error instanceof PartlyDone ? `; ${error.done} before it` : '';
  // What a command found out by itself stands, even where a signal then ended it.
  if (context.io.signal.aborted && !(cause instanceof CliError)) {
    context.note(`interrupted${suffix}`);
    return EXIT_CODES['INTERRUPTED']!;
  }
  const message = errorMessage(cause);
  context.note(suffix === '' ? message : withoutFullStop(message) + suffix);
  return exitCodeOf(cause);
}

function buildProgram(context: CommandContext): Command {
  const { io } = context;
  const program = new Command('datastream')
    .description('Streams of datapoints at every granularity, with derived streams.')
    .version(readVersion())
    .option('--store <url>', 'store to work on (environment: DATASTREAM_STORE)', DEFAULT_STORE_URL)
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.columnCount ?? 80,
      getErrHelpWidth: () => io.columnCount ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(`datastream: ${oneLine(text).replace(/^error: /, '')}\n`),
    })
    .exitOverride()
    .hook('preAction', (command) => {
      const isGiven = command.getOptionValueSource('store') !== 'default';
      const { store } = command.opts<{ store: string }>();
      // An empty variable is as good as none; an empty option is a mistake, which the store names.
      context.isStoreGiven = isGiven;
      context.storeUrl = isGiven ? store : io.env['DATASTREAM_STORE'] || store;
    });
  // Subcommands copy these settings when they are made, so all of them stand above.
  for (const register of REGISTRATIONS) register(program, context);
  for (const { options } of commandsBelow(program)) options.forEach(nameInErrors);
  return program;
}

function commandsBelow({ commands }: Command): readonly Command[] {
  return commands.flatMap((command) => [command, ...commandsBelow(command)]);
}

/** Lets the errors of an option's parser begin with the option's name. */
function nameInErrors(option: Option): void {
  const { parseArg } = option;
  if (parseArg === undefined) return;
  option.parseArg = (text, previous) => {
    try {
      return parseArg(text, previous);
    } catch (error) {
      if (!(error instanceof CliError && error.code === 'USAGE')) throw error;
      throw usageError(`${option.long}: ${error.message}`);
    }
  };
}

function readVersion(): string {
  const url = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
}
