import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { countText } from '../format/count-text.ts';
import { confirm } from '../input/confirm.ts';
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
