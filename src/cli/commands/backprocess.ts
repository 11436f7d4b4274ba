import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { parseQuery } from '../parse/tags.ts';
import {
  type MaintenanceCommandOptions,
  sharedOptions,
  withMaintenanceOptions,
} from './maintenance-options.ts';
import { runMaintenance } from './maintenance-run.ts';

/** Adds `backprocess`: replays the history of sources into new derived streams. */
export function registerBackprocess(program: Command, context: CommandContext): void {
  const command = program
    .command('backprocess')
    .description('derive the history of streams that were derived over existing data')
    .argument('[tags...]', 'only streams with these tags (key=value or JSON), or one stream id');
  withMaintenanceOptions(command).action(
    async (args: string[], options: MaintenanceCommandOptions) => {
      const queryTags = parseQuery(args);
      const { signal } = context.io;
      await context.withDatastream(
        (datastream) =>
          runMaintenance(context, {
            label: 'backprocess',
            everyMs: options.every,
            run: (onProgress) =>
              datastream.backprocessStreams({
                queryTags,
                signal,
                onProgress,
                ...sharedOptions(options),
              }),
          }),
        { leaseDurationMs: options.lease },
      );
    },
  );
}
