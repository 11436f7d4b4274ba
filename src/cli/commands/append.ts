import { addAbortSignal } from 'node:stream';
import { Command } from 'commander';
import type { Datastream } from '../../api/datastream.ts';
import type { Datapoint, Stream } from '../../api/types.ts';
import { InvalidValue } from '../../exceptions/errors.ts';
import { exactJson } from '../../text/exact-json.ts';
import { CliError, PartlyDone, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { countText } from '../format/count-text.ts';
import {
  detectFormat,
  isCsvHeader,
  type LineFormat,
  parseDatapointLine,
} from '../input/datapoint-line.ts';
import { LineAppender } from '../input/line-appender.ts';
import { BadLine, inputError, readLines } from '../input/lines.ts';
import { parseChoice } from '../options.ts';
import { parseTime } from '../parse/time.ts';
import { NotFiniteError, parseValue, ValueSyntaxError } from '../parse/value.ts';

interface AppendCommandOptions {
  readonly at?: Date;
  readonly allowLate?: true;
  readonly replace?: true;
  readonly format?: LineFormat;
  readonly skipErrors?: true;
}

/** Adds `append`: one datapoint from the arguments, or many from stdin. */
export function registerAppend(program: Command, context: CommandContext): void {
  const command = new AppendCommand('append').copyInheritedSettings(program);
  program.addCommand(command);
  command
    .description('append a value, or CSV or NDJSON lines from stdin')
    .argument('<id>', 'stream id')
    .argument('[value]', 'value to append; without it lines are read from stdin')
    .option('--at <time>', 'time of the value (default: now)', (text) =>
      parseTime(text, context.io.now()),
    )
    .option('--allow-late', 'accept datapoints older than the latest one')
    .option('--replace', 'in the place of what is there at the same time, also when it is late')
    .option('--format <format>', 'csv or ndjson (default: told by the first line)', (text) =>
      parseChoice<LineFormat>(text, ['csv', 'ndjson']),
    )
    .option('--skip-errors', 'report bad lines and go on')
    .action(async (streamId: string, value: string | undefined, options: AppendCommandOptions) => {
      checkOptions(value, options);
      await context.withDatastream(async (datastream) => {
        const stream = await datastream.getStream(streamId);
        if (value === undefined) await appendLines(context, { datastream, stream, options });
        else await appendValue(context, { datastream, stream, options, value });
      });
    });
}

/** Numbers below zero, and what is meant as one: to be looked at as values, not as options. */
const NEGATIVE_VALUE = /^-(?:\.?\d|inf|nan)/i;

/** Takes negative values that commander holds for options (`-Infinity`, `-1E5`, `-5.`). */
class AppendCommand extends Command {
  override parseOptions(argv: string[]): ReturnType<Command['parseOptions']> {
    const { operands, unknown } = super.parseOptions(argv);
    const [first, ...others] = unknown;
    if (first === undefined || !NEGATIVE_VALUE.test(first)) return { operands, unknown };
    const rest = this.parseOptions(others);
    return { operands: [...operands, first, ...rest.operands], unknown: rest.unknown };
  }
}

function checkOptions(value: string | undefined, options: AppendCommandOptions): void {
  const isOne = value !== undefined;
  if (isOne && (options.format !== undefined || options.skipErrors)) {
    throw usageError('--format and --skip-errors are for lines from stdin.');
  }
  if (!isOne && options.at !== undefined) {
    throw usageError('--at needs a value; lines from stdin carry their own times.');
  }
}

interface AppendWork {
  readonly datastream: Datastream;
  readonly stream: Stream;
  readonly options: AppendCommandOptions;
}

async function appendValue(
  context: CommandContext,
  { datastream, stream, options, value }: AppendWork & { readonly value: string },
): Promise<void> {
  const parsed = parseArgument(value, stream);
  const datapoint = options.replace
    ? await upserted(datastream, stream, { value: parsed, at: options.at ?? context.io.now() })
    : await appended(datastream, stream, { value: parsed, options });
  await context.out.line(exactJson(datapoint));
}

async function appended(
  datastream: Datastream,
  { id }: Stream,
  { value, options }: { readonly value: unknown; readonly options: AppendCommandOptions },
): Promise<Datapoint> {
  const checkTimestamp = options.allowLate !== true;
  return (await datastream.append(id, value, options.at, { checkTimestamp })).datapoint;
}

/** As it is stored. */
async function upserted(
  datastream: Datastream,
  { id, highestGranularity }: Stream,
  { value, at }: { readonly value: unknown; readonly at: Date },
): Promise<Datapoint | undefined> {
  await datastream.upsert(id, value, at);
  return datastream.getData(id, highestGranularity, { start: at, end: at }).at(0);
}

function parseArgument(value: string, stream: Stream): unknown {
  try {
    return parseValue(value, stream);
  } catch (error) {
    if (error instanceof NotFiniteError) throw new InvalidValue(`Bad value: ${error.message}.`);
    if (error instanceof ValueSyntaxError) throw usageError(`Bad value: ${error.message}.`);
    throw error;
  }
}

async function appendLines(context: CommandContext, work: AppendWork): Promise<void> {
  const { datastream, options } = work;
  const appender = new LineAppender(datastream, {
    allowLate: options.allowLate === true,
    replaces: options.replace === true,
    ...(options.skipErrors && {
      onBadLine: (badLine: BadLine) => context.note(`${badLine.message} (skipped)`),
    }),
  });
  try {
    await readDatapoints(context, work, appender);
  } catch (error) {
    const done = `${countText(appender.appendedCount, 'datapoint')} appended`;
    throw new PartlyDone(inputError(error), done);
  }
  await context.out.line(`${countText(appender.appendedCount, 'datapoint')} appended`);
  if (appender.badLineCount > 0) {
    throw new CliError('INPUT_SKIPPED', `${countText(appender.badLineCount, 'bad line')} skipped`);
  }
}

async function readDatapoints(
  { io }: CommandContext,
  { stream, options }: AppendWork,
  appender: LineAppender,
): Promise<void> {
  let format = options.format;
  let isFirst = true;
  for await (const line of readLines(addAbortSignal(io.signal, io.stdin))) {
    format ??= detectFormat(line.text);
    const isHeader = isFirst && format === 'csv' && isCsvHeader(line.text);
    isFirst = false;
    if (isHeader) continue;
    try {
      const datapoint = parseDatapointLine(line, { format, syntax: stream, now: io.now() });
      await appender.add(stream.id, datapoint);
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      await appender.reject(error);
    }
  }
  await appender.flush();
}
