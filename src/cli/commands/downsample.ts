import type { Command } from 'commander';
import type { Datastream } from '../../api/datastream.ts';
import type { CommandContext } from '../command-context.ts';
import { parseCount } from '../options.ts';
import { parseQuery } from '../parse/tags.ts';
import { parseDuration, parseTime } from '../parse/time.ts';
import { startProgress } from '../progress.ts';
import { assertMaintained, progressUpdater } from './maintenance-progress.ts';

interface DownsampleCommandOptions {
  readonly until?: Date;
  readonly every?: number;
  readonly concurrency?: number;
}

/** Adds `downsample`: computes complete and stale buckets, once or on a schedule. */
export function registerDownsample(program: Command, context: CommandContext): void {
  program
    .command('downsample')
    .description('compute the lower granularities, and correct them after late data')
    .argument('[tags...]', 'only streams with these tags (key=value or JSON), or one stream id')
    .option('--until <time>', 'only buckets that end at or before it (default: now)', (text) =>
      parseTime(text, context.io.now()),
    )
    .option('--every <duration>', 'repeat until Ctrl-C, e.g. 10s', parseDuration)
    .option('--concurrency <count>', 'streams worked on at once', parseCount)
    .action(async (args: string[], options: DownsampleCommandOptions) => {
      await context.withDatastream(async (datastream) => {
        if (options.every === undefined)
          await downsampleOnce(context, { datastream, args, options });
        else await downsampleEvery(context, options.every, { datastream, args, options });
        assertMaintained(context);
      });
    });
}

interface DownsampleWork {
  readonly datastream: Datastream;
  readonly args: readonly string[];
  readonly options: DownsampleCommandOptions;
}

async function downsampleOnce(
  context: CommandContext,
  { datastream, args, options }: DownsampleWork,
): Promise<void> {
  const progress = startProgress(context.io, 'downsample');
  const updater = progressUpdater(progress);
  try {
    await datastream.downsampleStreams({
      queryTags: parseQuery(args),
      signal: context.io.signal,
      onProgress: updater.onProgress,
      ...(options.until !== undefined && { until: options.until }),
      ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
    });
  } finally {
    progress.stop();
  }
  await context.out.line(updater.summary());
  await context.out.flush();
}

/** Ctrl-C is how this is meant to end, so that it is no error by itself. */
async function downsampleEvery(
  context: CommandContext,
  everyMs: number,
  work: DownsampleWork,
): Promise<void> {
  const { io } = context;
  while (!io.signal.aborted) {
    const startMs = io.now().getTime();
    try {
      await downsampleOnce(context, work);
    } catch (error) {
      if (!io.signal.aborted) throw error;
    }
    const elapsedMs = io.now().getTime() - startMs;
    await io.sleep(Math.max(everyMs - elapsedMs, 0), io.signal);
  }
}
