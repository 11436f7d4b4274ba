import { type Command, Option } from 'commander';
import type { Datapoints } from '../../api/datapoints.ts';
import type { Datastream } from '../../api/datastream.ts';
import type { DataRange, Stream } from '../../api/types.ts';
import type { Granularity } from '../../model/granularity.ts';
import { TIME_MIN_MS } from '../../model/time-range.ts';
import { csvCell, csvText } from '../../text/csv.ts';
import { exactJson } from '../../text/exact-json.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import {
  datapointColumns,
  isLevel,
  tableCell,
  timeDownsamplersToRead,
} from '../format/datapoints.ts';
import { jsonArray, map, take } from '../format/sequence.ts';
import { tableLines } from '../format/table.ts';
import { parseChoice, parseCount, parseGranularity, parseNames } from '../options.ts';
import { parseTime } from '../parse/time.ts';
import { plotDatapoints } from '../plot/plot-datapoints.ts';

type Fill = NonNullable<DataRange['fill']>;
type GetFormat = 'table' | 'csv' | 'ndjson' | 'json';

interface GetOptions {
  readonly start?: Date;
  readonly startExclusive?: Date;
  readonly end?: Date;
  readonly endExclusive?: Date;
  readonly reverse?: true;
  readonly live?: true;
  readonly maxPoints?: number;
  readonly thin?: number;
  readonly fallback?: true;
  readonly fill?: Fill;
  readonly limit?: number;
  readonly valueDownsamplers?: readonly string[];
  readonly timeDownsamplers?: readonly string[];
  readonly format?: GetFormat;
  readonly plot?: true;
}

/** Adds `get`: prints or draws the datapoints of one stream. */
export function registerGet(program: Command, context: CommandContext): void {
  const time = (text: string): Date => parseTime(text, context.io.now());
  program
    .command('get')
    .description('print the datapoints of a stream, or draw them')
    .argument('<id>', 'stream id')
    .argument(
      '[granularity]',
      "level to read (default: the stream's highest)",
      parseGranularityName,
    )
    .option('--start <time>', 'from this time on (default: the first that there is)', time)
    .addOption(
      new Option('--start-exclusive <time>', 'from after this time on')
        .argParser(time)
        .conflicts('start'),
    )
    .option('--end <time>', 'up to and including this time', time)
    .addOption(
      new Option('--end-exclusive <time>', 'up to before this time')
        .argParser(time)
        .conflicts('end'),
    )
    .option('--reverse', 'latest first')
    .option('--live', 'with buckets that are stale or not complete, as they are now')
    .option(
      '--fallback',
      'where the granularity has expired, the finest level that still has the time (NDJSON, JSON)',
    )
    .option(
      '--fill <how>',
      'values of buckets without data: previous, linear, null or a number',
      parseFill,
    )
    .option('--max-points <count>', 'of the finest level with at most so many points', parseCount)
    .addOption(
      new Option('--thin <count>', 'at most so many points, which keep the shape of the series')
        .argParser(parsePointCount)
        .conflicts('plot'),
    )
    .option('--limit <count>', 'at most so many datapoints', parseCount)
    .option('--value-downsamplers <names>', 'values of buckets, e.g. mean,max', parseNames)
    .option('--time-downsamplers <names>', 'times of buckets, e.g. first,last', parseNames)
    .option('--format <format>', 'table, csv, ndjson or json (default: table)', (text) =>
      parseChoice<GetFormat>(text, ['table', 'csv', 'ndjson', 'json']),
    )
    .addOption(new Option('--plot', 'draw the series in the terminal').conflicts('format'))
    .action(async (streamId: string, granularity: string | undefined, options: GetOptions) => {
      if (granularity !== undefined && options.maxPoints !== undefined) {
        throw usageError('--max-points picks the granularity: name none.');
      }
      if (options.fallback && options.format !== 'ndjson' && options.format !== 'json') {
        throw usageError('--fallback mixes granularities: it needs --format ndjson or json.');
      }
      await context.withDatastream(async (datastream) => {
        const stream = await datastream.getStream(streamId);
        const data = openData(datastream, stream, { granularity, options });
        const request = { stream, data, granularity: await data.granularity(), options };
        if (options.plot) await printPlot(context, request);
        else await printDatapoints(context, request);
      });
    });
}

/** Stays a text: without a zone it also stands for the level in the zone of the stream. */
function parseGranularityName(text: string): string {
  parseGranularity(text);
  return text;
}

/** @throws {CliError} USAGE unless the text is a whole number from 2 on: both ends are kept. */
function parsePointCount(text: string): number {
  const count = parseCount(text);
  if (count >= 2) return count;
  throw usageError(`Not a whole number from 2 on: ${JSON.stringify(text)}.`);
}

/** @throws {CliError} USAGE unless the text says how gaps are filled. */
function parseFill(text: string): Fill {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number)) return number;
  return parseChoice(text, ['null', 'previous', 'linear'] as const);
}

interface GetRequest {
  readonly stream: Stream;
  readonly data: Datapoints;
  /** Of the data. */
  readonly granularity: Granularity;
  readonly options: GetOptions;
}

function openData(
  datastream: Datastream,
  stream: Stream,
  { granularity, options }: { granularity: string | undefined; options: GetOptions },
): Datapoints {
  const { end, endExclusive, reverse, live, fallback, fill, thin, maxPoints, valueDownsamplers } =
    options;
  const timeDownsamplers = timesToRead(options);
  const range: DataRange = {
    ...startOf(options),
    ...(end && { end }),
    ...(endExclusive && { endExclusive }),
    ...(reverse && { reverse }),
    ...(live && { live }),
    ...(fallback && { fallback }),
    ...(fill !== undefined && { fill }),
    ...(thin !== undefined && { thin: { points: thin } }),
    ...(valueDownsamplers && { valueDownsamplers }),
    ...(timeDownsamplers && { timeDownsamplers }),
  };
  return maxPoints === undefined
    ? datastream.getData(stream.id, granularity ?? stream.highestGranularity, range)
    : datastream.getData(stream.id, { ...range, maxPoints });
}

/** Without a start, everything: levels may reach back further than the raw datapoints that are left. */
function startOf({ start, startExclusive, maxPoints }: GetOptions): DataRange {
  if (startExclusive !== undefined) return { startExclusive };
  if (start !== undefined) return { start };
  return maxPoints === undefined ? { start: TIME_MIN_MS } : {};
}

function timesToRead({
  plot,
  format = 'table',
  timeDownsamplers,
}: GetOptions): DataRange['timeDownsamplers'] {
  if (plot) return timeDownsamplersToRead([]);
  const isAsAsked = format === 'json' || format === 'ndjson';
  return isAsAsked ? timeDownsamplers : timeDownsamplersToRead(timeDownsamplers);
}

async function printDatapoints(context: CommandContext, request: GetRequest): Promise<void> {
  const { out, io } = context;
  if (request.options.maxPoints !== undefined) context.note(`granularity: ${request.granularity}`);
  for await (const line of linesOf(request)) {
    io.signal.throwIfAborted();
    await out.line(line);
  }
}

function linesOf({ stream, data, granularity, options }: GetRequest): AsyncIterable<string> {
  const { format = 'table', limit, valueDownsamplers, timeDownsamplers } = options;
  const datapoints = take(data, limit);
  if (format === 'json') return jsonArray(datapoints, exactJson);
  if (format === 'ndjson') return map(datapoints, exactJson);
  const columns = datapointColumns({
    stream,
    granularity,
    ...(valueDownsamplers && { valueDownsamplers }),
    ...(timeDownsamplers && { timeDownsamplers }),
    isLive: options.live === true,
  });
  const rows = map(datapoints, (datapoint) => columns.map(({ cellOf }) => cellOf(datapoint)));
  if (format === 'table')
    return tableLines(
      columns,
      map(rows, (row) => row.map(tableCell)),
    );
  return csvLines(
    columns.map(({ title }) => title),
    rows,
  );
}

async function* csvLines(
  titles: readonly string[],
  rows: AsyncIterable<readonly unknown[]>,
): AsyncGenerator<string, void, undefined> {
  yield csvText([titles]).trimEnd();
  for await (const row of rows) yield csvText([row.map(csvCell)]).trimEnd();
}

async function printPlot(context: CommandContext, request: GetRequest): Promise<void> {
  const { stream, data, granularity, options } = request;
  const isBuckets = isLevel({ stream, granularity });
  if (!isBuckets && stream.valueType !== 'numeric') {
    throw usageError(`Raw values of a ${stream.valueType} stream are no numbers to draw.`);
  }
  const { io, out } = context;
  const text = await plotDatapoints(take(data, options.limit), {
    stream,
    granularity,
    ...(options.valueDownsamplers && { valueDownsamplers: options.valueDownsamplers }),
    width: io.columnCount ?? 80,
    height: Math.min(io.rowCount ?? 24, 24) - 2,
    hasColor: io.isTerminal.stdout && !io.env['NO_COLOR'],
    signal: io.signal,
  });
  await out.line(text);
}
