import { type Command, Option } from 'commander';
import type { VerifyReport } from '../../api/types.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { countText } from '../format/count-text.ts';
import { checkJobCount } from '../jobs/job-count.ts';
import { verifyInJobs } from '../jobs/verify-jobs.ts';
import { parseCount } from '../options.ts';
import { parseQuery } from '../parse/tags.ts';
import { startProgress } from '../progress.ts';

const PRINTED_DIFFERENCE_COUNT = 20;

interface VerifyCommandOptions {
  readonly max: number;
  readonly jobs?: number;
  readonly repair?: boolean;
}

/** Adds `verify`: recomputes everything from its sources and compares. */
export function registerVerify(program: Command, context: CommandContext): void {
  program
    .command('verify')
    .description('recompute every level and derived stream, and report what differs')
    .argument('[tags...]', 'only streams with these tags (key=value or JSON), or one stream id')
    .option('--max <count>', 'differences to print', parseCount, PRINTED_DIFFERENCE_COUNT)
    .option('--repair', 'compute anew what differs, and verify that again')
    .addOption(
      new Option('--jobs <count>', 'threads that share the streams (default: 1)')
        .argParser(parseCount)
        .conflicts('repair'),
    )
    .action((args: string[], options: VerifyCommandOptions) => verify(context, args, options));
}

async function verify(
  context: CommandContext,
  args: readonly string[],
  { max, jobs, repair = false }: VerifyCommandOptions,
): Promise<void> {
  const queryTags = parseQuery(args);
  const jobCount = checkJobCount(context, jobs);
  const { storeUrl, io, out } = context;
  await context.withDatastream(async (datastream) => {
    const progress = startProgress(io, 'verify');
    const note = jobsText(jobCount);
    const { report, differences } = await verifyInJobs(datastream, {
      storeUrl,
      jobCount,
      queryTags,
      repair,
      differenceCountMax: max,
      signal: io.signal,
      onProgress: ({ streamCount, streamCountTotal: total }) =>
        progress.update(streamCount, { total, note }),
    }).finally(() => progress.stop());
    for (const { line } of differences) await out.line(line);
    await out.line(summary(report, jobCount));
    if (report.repairedCount > 0) {
      await out.line(`${countText(report.repairedCount, 'difference')} repaired`);
    }
    if (report.staleRangeCount > 0) {
      await out.line(
        `left out ${countText(report.staleRangeCount, 'stale range')}: "downsample" and "backprocess" compute what is stale`,
      );
    }
    if (report.differenceCount > 0) {
      const found = `${countText(report.differenceCount, 'difference')} found`;
      throw new CliError('DIFFERENCES_FOUND', found);
    }
  });
}

function summary(report: VerifyReport, jobCount: number): string {
  const { streamCount, bucketCount, derivedCount } = report;
  const differenceCount = report.differenceCount + report.repairedCount;
  const recomputed = `${countText(bucketCount, 'bucket')} and ${countText(derivedCount, 'derived datapoint')}`;
  const text = `${countText(streamCount, 'stream')}: recomputed ${recomputed}, ${countText(differenceCount, 'difference')}`;
  return jobCount > 1 ? `${text} (${jobsText(jobCount)})` : text;
}

function jobsText(jobCount: number): string {
  return countText(jobCount, 'job');
}
