import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { parseQuery } from '../parse/tags.ts';
import { startProgress } from '../progress.ts';
import { assertMaintained, progressUpdater } from './maintenance-progress.ts';

/** Adds `backprocess`: replays the history of sources into new derived streams. */
export function registerBackprocess(program: Command, context: CommandContext): void {
  program
    .command('backprocess')
    .description('derive the history of streams that were derived over existing data')
    .argument('[tags...]', 'only streams with these tags (key=value or JSON), or one stream id')
    .action(async (args: string[]) => {
      const queryTags = parseQuery(args);
      await context.withDatastream(async (datastream) => {
        const progress = startProgress(context.io, 'backprocess');
        const updater = progressUpdater(progress);
        try {
          await datastream.backprocessStreams({
            queryTags,
            signal: context.io.signal,
            onProgress: updater.onProgress,
          });
        } finally {
          progress.stop();
        }
        await context.out.line(updater.summary());
        assertMaintained(context);
      });
    });
}
