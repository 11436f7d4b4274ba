import { type Command, Option } from 'commander';
import type { TimeBounds } from '../../api/types.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { countText } from '../format/count-text.ts';
import { confirm } from '../input/confirm.ts';
import { parseTime } from '../parse/time.ts';

interface EraseOptions {
  readonly start?: Date;
  readonly end?: Date;
  readonly endExclusive?: Date;
  readonly yes?: true;
}

/** Adds `erase`: deletes the datapoints of a range of time, after a question. */
export function registerErase(program: Command, context: CommandContext): void {
  const time = (text: string): Date => parseTime(text, context.io.now());
  program
    .command('erase')
    .description('delete the datapoints of a stream in a range of time')
    .argument('<id>', 'stream id')
    .requiredOption('--start <time>', 'from this time on', time)
    .option('--end <time>', 'up to and including this time', time)
    .addOption(
      new Option('--end-exclusive <time>', 'up to before this time')
        .argParser(time)
        .conflicts('end'),
    )
    .option('--yes', 'do not ask')
    .action(async (streamId: string, { yes, start, end, endExclusive }: EraseOptions) => {
      if (end === undefined && endExclusive === undefined) {
        throw usageError('erase needs an end: --end or --end-exclusive.');
      }
      const bounds: TimeBounds =
        end === undefined ? { start: start!, endExclusive: endExclusive! } : { start: start!, end };
      await context.withDatastream(async (datastream) => {
        const { highestGranularity } = await datastream.getStream(streamId);
        const count = await datastream.getData(streamId, highestGranularity, bounds).count();
        const datapoints = countText(count, 'datapoint');
        if (count > 0) {
          if (!yes) await confirm(context, `Delete ${datapoints}?`);
          await datastream.deleteData(streamId, bounds);
        }
        await context.out.line(`${datapoints} deleted`);
      });
    });
}
