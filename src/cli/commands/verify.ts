import type { Command } from 'commander';
import type { Difference } from '../../api/types.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { countText } from '../format/count-text.ts';
import { differenceLine } from '../format/difference-line.ts';
import { parseCount } from '../options.ts';
import { parseQuery } from '../parse/tags.ts';
import { startProgress } from '../progress.ts';

const PRINTED_DIFFERENCE_COUNT = 20;

/** Adds `verify`: recomputes everything from its sources and compares. */
export function registerVerify(program: Command, context: CommandContext): void {
  program
    .command('verify')
    .description('recompute every level and derived stream, and report what differs')
    .argument('[tags...]', 'only streams with these tags (key=value or JSON), or one stream id')
    .option('--max <count>', 'differences to print', parseCount, PRINTED_DIFFERENCE_COUNT)
    .option('--repair', 'compute anew what differs, and verify that again')
    .action(async (args: string[], options: { max: number; repair?: true }) => {
      const queryTags = parseQuery(args);
      await context.withDatastream(async (datastream) => {
        const printed: Difference[] = [];
        const progress = startProgress(context.io, 'verify');
        const report = await datastream
          .verify({
            queryTags,
            repair: options.repair === true,
            signal: context.io.signal,
            onProgress: ({ streamCount, streamCountTotal }) =>
              progress.update(streamCount, { total: streamCountTotal }),
            onDifference: (difference) => {
              if (printed.length < options.max) printed.push(difference);
            },
          })
          .finally(() => progress.stop());
        for (const difference of printed) await context.out.line(differenceLine(difference));
        await context.out.line(
          `${countText(report.streamCount, 'stream')}: recomputed ${countText(report.bucketCount, 'bucket')} and ` +
            `${countText(report.derivedCount, 'derived datapoint')}, ${countText(report.differenceCount + report.repairedCount, 'difference')}`,
        );
        if (report.repairedCount > 0) {
          await context.out.line(`${countText(report.repairedCount, 'difference')} repaired`);
        }
        if (report.staleRangeCount > 0) {
          await context.out.line(
            `left out ${countText(report.staleRangeCount, 'stale range')}: "downsample" and "backprocess" compute what is stale`,
          );
        }
        if (report.differenceCount > 0) {
          throw new CliError(
            'DIFFERENCES_FOUND',
            `${countText(report.differenceCount, 'difference')} found`,
          );
        }
      });
    });
}
