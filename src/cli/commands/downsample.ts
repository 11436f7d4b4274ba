import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { parseQuery } from '../parse/tags.ts';
import { parseTime } from '../parse/time.ts';
import {
  type MaintenanceCommandOptions,
  sharedOptions,
  withMaintenanceOptions,
} from './maintenance-options.ts';
import { runMaintenance } from './maintenance-run.ts';

interface DownsampleCommandOptions extends MaintenanceCommandOptions {
  readonly until?: Date;
}

/** Adds `downsample`: computes complete and stale buckets, once or on a schedule. */
export function registerDownsample(program: Command, context: CommandContext): void {
  const command = program
    .command('downsample')
    .description('compute the lower granularities, and correct them after late data')
    .argument('[tags...]', 'only streams with these tags (key=value or JSON), or one stream id')
    .option('--until <time>', 'only buckets that end at or before it (default: now)', (text) =>
      parseTime(text, context.io.now()),
    );
  withMaintenanceOptions(command).action(
    async (args: string[], options: DownsampleCommandOptions) => {
      const queryTags = parseQuery(args);
      const { signal } = context.io;
      await context.withDatastream(
        (datastream) =>
          runMaintenance(context, {
            label: 'downsample',
            everyMs: options.every,
            run: (onProgress) =>
              datastream.downsampleStreams({
                queryTags,
                signal,
                onProgress,
                ...(options.until !== undefined && { until: options.until }),
                ...sharedOptions(options),
              }),
          }),
        { leaseDurationMs: options.lease },
      );
    },
  );
}
