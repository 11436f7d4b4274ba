import { addAbortSignal } from 'node:stream';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { countText } from '../format/count-text.ts';
import { readLines } from '../input/lines.ts';
import { parseQuery } from '../parse/tags.ts';
import { selectStreams } from './select.ts';

/** Adds `delete`: removes streams and their data, after a question. */
export function registerDelete(program: Command, context: CommandContext): void {
  program
    .command('delete')
    .description('delete the streams that have the tags, with all of their data')
    .argument('[tags...]', 'tags as key=value or JSON, or one stream id; none: every stream')
    .option('--yes', 'do not ask')
    .action(async (args: string[], options: { yes?: true }) => {
      const queryTags = parseQuery(args);
      await context.withDatastream(async (datastream) => {
        let streamCount = 0;
        for await (const _stream of selectStreams(datastream, args)) streamCount++;
        const streams = countText(streamCount, 'stream');
        if (streamCount > 0) {
          if (!options.yes) await confirm(context, `Delete ${streams} with all data?`);
          await datastream.deleteStreams(queryTags);
        }
        await context.out.line(`${streams} deleted`);
      });
    });
}

async function confirm({ io }: CommandContext, question: string): Promise<void> {
  if (!io.isTerminal.stdin) {
    throw new CliError('CONFIRMATION_REQUIRED', `${question} There is no terminal to ask: --yes.`);
  }
  io.stderr.write(`${question} [y/N] `);
  for await (const { text } of readLines(addAbortSignal(io.signal, io.stdin))) {
    if (/^y(?:es)?$/i.test(text.trim())) return;
    break;
  }
  throw new CliError('CONFIRMATION_REQUIRED', 'Not confirmed, nothing was deleted.');
}
