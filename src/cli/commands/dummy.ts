import { type Command, Option } from 'commander';
import type { Datastream } from '../../api/datastream.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { DUMMY_TAGS, DummyStreams } from '../dummy/dummy-streams.ts';
import { type DummyType, parseDummyTypes } from '../dummy/dummy-types.ts';
import { countText } from '../format/count-text.ts';
import { parseCount } from '../options.ts';
import { parseDuration, parseTime } from '../parse/time.ts';

const DEFAULT_TYPES = 'int(0,10),float(-2,2),float(0,100)';
const DAY_MS = 86_400_000;
const STREAM_COUNT_MAX = 10_000;

/** A length of time up to now, or two instants. */
type Span = { readonly lengthMs: number } | { readonly startMs: number; readonly endMs: number };

interface DummyCommandOptions {
  readonly streams: number;
  readonly interval: number;
  readonly types: readonly DummyType[];
  readonly span?: Span;
  readonly realTime: boolean;
  readonly duration?: number;
  readonly demo?: true;
  readonly flush?: true;
}

/** Adds `dummy`: streams with invented values, for looking around and for trying things out. */
export function registerDummy(program: Command, context: CommandContext): void {
  const command = program
    .command('dummy')
    .description('fill streams with invented values: a history first, then one after the other')
    .addOption(
      new Option('--streams <number>', 'how many').argParser(parseStreamCount).default(3, '3'),
    )
    .addOption(
      new Option('--interval <duration>', 'time between values, whole seconds')
        .argParser(parseInterval)
        .default(5000, '5s'),
    )
    .addOption(
      new Option(
        '--types <list>',
        'of the streams, in turn: int(a,b), float(a,b), enum(x,y), graph(n,m)',
      )
        .argParser(parseDummyTypes)
        .default(parseDummyTypes(DEFAULT_TYPES), DEFAULT_TYPES),
    )
    .option(
      '--span <span>',
      'history: a duration up to now, or "FROM to TO" (default: none)',
      (text) => parseSpan(text, context.io.now()),
    )
    .option('--no-real-time', 'end after the history')
    .option('--duration <duration>', 'end after this time (default: at Ctrl-C)', parseDuration)
    .option('--demo', `as --types "${DEFAULT_TYPES}" --span 2d; with no other option`)
    .option('--flush', 'delete all streams that it has made; with no other option');
  command.action(async (options: DummyCommandOptions) => {
    assertAlone(command, options);
    if (options.flush) {
      await context.withDatastream(async (datastream) => {
        const count = await datastream.findStreams(DUMMY_TAGS).count();
        await datastream.deleteStreams(DUMMY_TAGS);
        await context.out.line(`${countText(count, 'stream')} deleted`);
      });
      return;
    }
    const settings: DummyCommandOptions = options.demo
      ? { ...options, span: { lengthMs: 2 * DAY_MS } }
      : options;
    await context.withDatastream((datastream) => invent(context, datastream, settings), {
      creates: true,
      keepsLevels: true,
    });
  });
}

/** @throws {CliError} USAGE for what means all or nothing, beside something else. */
function assertAlone(command: Command, { demo, flush }: DummyCommandOptions): void {
  const given = command.options
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .map(({ long }) => long);
  if ((demo || flush) && given.length > 1) {
    throw usageError(
      `--${flush ? 'flush' : 'demo'} goes with no other option, not ${given.join(' ')}.`,
    );
  }
}

async function invent(
  { io, out, storeLocation }: CommandContext,
  datastream: Datastream,
  { streams: count, interval: intervalMs, types, span, realTime, duration }: DummyCommandOptions,
): Promise<void> {
  const startedMs = io.now().getTime();
  const streams = await DummyStreams.ensure(datastream, { count, types, intervalMs });
  let datapointCount = await streams.fill(rangeOf(span, startedMs), io.signal);
  await datastream.downsampleStreams({ queryTags: DUMMY_TAGS, signal: io.signal });
  await out.line(
    `${countText(datapointCount, 'datapoint')} in ${countText(count, 'stream')} of ${storeLocation}`,
  );
  await out.flush();
  if (!realTime) return;
  const endMs = duration === undefined ? Infinity : startedMs + duration;
  datapointCount = 0;
  for (;;) {
    // Instants that were missed, because the host slept, are left out.
    const nextMs = (Math.floor(io.now().getTime() / intervalMs) + 1) * intervalMs;
    if (nextMs > endMs) break;
    await io.sleep(nextMs - io.now().getTime(), io.signal);
    if (io.signal.aborted) break;
    datapointCount += await streams.tick(nextMs);
  }
  await out.line(`${countText(datapointCount, 'datapoint')} since then`);
}

function rangeOf(
  span: Span | undefined,
  nowMs: number,
): { readonly startMs: number; readonly endMs: number } {
  if (span === undefined) return { startMs: nowMs, endMs: nowMs };
  return 'lengthMs' in span ? { startMs: nowMs - span.lengthMs, endMs: nowMs } : span;
}

function parseSpan(text: string, now: Date): Span {
  const [from, to, ...rest] = text.split(/\s+to\s+/);
  if (to === undefined) return { lengthMs: parseDuration(text.trim()) };
  const startMs = parseTime(from!.trim(), now).getTime();
  const endMs = parseTime(to.trim(), now).getTime();
  if (rest.length === 0 && startMs < endMs && endMs <= now.getTime()) return { startMs, endMs };
  throw usageError(
    `Not a history: ${JSON.stringify(text)}; expected an earlier and a later time, not after now.`,
  );
}

function parseStreamCount(text: string): number {
  const count = parseCount(text);
  if (count <= STREAM_COUNT_MAX) return count;
  throw usageError(`There are at most ${STREAM_COUNT_MAX} streams, not ${text}.`);
}

/** A plain number is seconds. */
function parseInterval(text: string): number {
  const intervalMs = parseDuration(/^\d+$/.test(text) ? `${text}s` : text);
  if (intervalMs % 1000 === 0) return intervalMs;
  throw usageError(`The interval must be whole seconds, not ${JSON.stringify(text)}.`);
}
