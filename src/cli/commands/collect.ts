import { type Command, Option } from 'commander';
import type { Datastream } from '../../api/datastream.ts';
import { collect } from '../../collect/collector.ts';
import { HostSampler } from '../../collect/host-sampler.ts';
import type { HostStreams } from '../../collect/host-streams.ts';
import { CliError, usageError } from '../cli-error.ts';
import {
  HIDE_CURSOR,
  headlineText,
  plainLine,
  redrawText,
  SHOW_CURSOR,
  viewLines,
} from '../collect/view.ts';
import { readRows, readValues } from '../collect/view-rows.ts';
import type { CommandContext } from '../command-context.ts';
import { countText } from '../format/count-text.ts';
import { parseDuration } from '../parse/time.ts';

const PROBLEM_COUNT_SHOWN = 3;

interface CollectCommandOptions {
  readonly interval: number;
  readonly duration?: number;
  readonly plain?: true;
  readonly downsampleEvery: number;
}

/** Adds `collect`: feeds the counters of this host into streams and shows them live. */
export function registerCollect(program: Command, context: CommandContext): void {
  program
    .command('collect')
    .description('sample this host into streams, derive rates, downsample, and show it live')
    .addOption(
      new Option('--interval <duration>', 'time between samples, whole seconds')
        .argParser(parseInterval)
        .default(1000, '1s'),
    )
    .option('--duration <duration>', 'end after this time (default: at Ctrl-C)', parseDuration)
    .option('--plain', 'print lines instead of the live view')
    .addOption(
      new Option('--downsample-every <duration>', 'time between maintenance runs')
        .argParser(parseDuration)
        .default(10_000, '10s'),
    )
    .action(async (options: CollectCommandOptions) => {
      const isLive = context.io.isTerminal.stdout && options.plain !== true;
      const screen = isLive ? new LiveScreen(context) : new PlainScreen(context);
      context.onWarning = (warning) => screen.problem(warning.code, warning.message);
      await context
        .withDatastream((datastream) => collectOnScreen(context, { datastream, screen, options }), {
          creates: true,
          keepsLevels: true,
        })
        .finally(() => screen.close());
    });
}

async function collectOnScreen(
  { io, out, storeLocation }: CommandContext,
  {
    datastream,
    screen,
    options,
  }: {
    readonly datastream: Datastream;
    readonly screen: PlainScreen | LiveScreen;
    readonly options: CollectCommandOptions;
  },
): Promise<void> {
  const { sampleCount, failedCount, streams } = await collect(datastream, {
    sampler: io.sampler ?? new HostSampler(),
    intervalMs: options.interval,
    durationMs: options.duration ?? null,
    downsampleEveryMs: options.downsampleEvery,
    now: io.now,
    sleep: io.sleep,
    signal: io.signal,
    onProblem: (cause, message) => screen.problem(cause, message),
    onTick: (hostStreams, timestamp) => screen.show(datastream, hostStreams, timestamp),
  }).finally(() => screen.close());
  const count = await datastream.findStreams(streams.tags).count();
  await out.line(
    `${countText(sampleCount, 'sample')} in ${countText(count, 'stream')} of ${storeLocation}`,
  );
  if (sampleCount === 0 && failedCount > 0) {
    throw new CliError('NOTHING_COLLECTED', 'not a single sample could be stored');
  }
}

/** Timestamps are whole seconds: a shorter interval would put two samples on one. */
function parseInterval(text: string): number {
  const intervalMs = parseDuration(text);
  if (intervalMs % 1000 === 0) return intervalMs;
  throw usageError(`The interval must be whole seconds, not ${JSON.stringify(text)}.`);
}

class PlainScreen {
  readonly #context: CommandContext;
  readonly #causes = new Set<string>();

  constructor(context: CommandContext) {
    this.#context = context;
  }

  async show(datastream: Datastream, streams: HostStreams, timestamp: Date): Promise<void> {
    const rows = await readValues(datastream, streams.shown, timestamp);
    await this.#context.out.line(plainLine(rows, timestamp));
    await this.#context.out.flush();
  }

  problem(cause: string, message: string): void {
    if (this.#causes.has(cause)) return;
    this.#causes.add(cause);
    this.#context.note(`warning: ${message}`);
  }

  close(): void {}
}

/** Redraws in place. Problems stand below the values, and go to stderr when the view is closed. */
class LiveScreen {
  readonly #context: CommandContext;
  readonly #problems = new Map<string, string>();
  #lineCount = 0;
  #isClosed = false;

  constructor(context: CommandContext) {
    this.#context = context;
    context.io.stdout.write(HIDE_CURSOR);
  }

  async show(datastream: Datastream, streams: HostStreams, timestamp: Date): Promise<void> {
    const { io, out, storeLocation } = this.#context;
    const rows = await readRows(datastream, streams.shown, timestamp);
    const columnCount = io.columnCount ?? 80;
    const lines = viewLines(rows, {
      headline: headlineText(timestamp, { storeUrl: storeLocation, columnCount }),
      problems: [...this.#problems.values()].slice(-PROBLEM_COUNT_SHOWN),
      columnCount,
      rowCount: (io.rowCount ?? 24) - 1,
    });
    await out.write(redrawText(lines, this.#lineCount));
    await out.flush();
    this.#lineCount = lines.length;
  }

  problem(cause: string, message: string): void {
    if (!this.#problems.has(cause)) this.#problems.set(cause, message);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#context.io.stdout.write(SHOW_CURSOR);
    for (const message of this.#problems.values()) this.#context.note(`warning: ${message}`);
  }
}
