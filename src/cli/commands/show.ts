import type { Command } from 'commander';
import type { Stream } from '../../api/types.ts';
import { UTC } from '../../model/time-zone.ts';
import { exactJson, timeText } from '../../text/exact-json.ts';
import type { CommandContext } from '../command-context.ts';

/** Adds `show`: everything about one stream. */
export function registerShow(program: Command, context: CommandContext): void {
  program
    .command('show')
    .description('describe one stream')
    .argument('<id>', 'stream id')
    .option('--json', 'print it as JSON')
    .action(async (streamId: string, options: { json?: true }) => {
      await context.withDatastream(async (datastream) => {
        const stream = await datastream.getStream(streamId);
        const text = options.json === true ? exactJson(stream) : describe(stream);
        await context.out.line(text);
      });
    });
}

function describe(stream: Stream): string {
  const { derivedFrom } = stream;
  const rows: readonly (readonly [string, string])[] = [
    ['id', stream.id],
    ['tags', exactJson(stream.tags)],
    ['value type', valueTypeText(stream)],
    ['value downsamplers', stream.valueDownsamplers.join(', ') || 'none'],
    ['time downsamplers', stream.timeDownsamplers.join(', ') || 'none'],
    ['highest granularity', stream.highestGranularity.name],
    ...(stream.timeZone === UTC ? [] : ([['time zone', stream.timeZone]] as const)),
    ['earliest datapoint', dateText(stream.earliestDatapoint)],
    ['latest datapoint', dateText(stream.latestDatapoint)],
    ...Object.entries(stream.downsampledUntil).map(
      ([name, until]) => [`${name} until`, dateText(until)] as const,
    ),
    ...retentionRows(stream),
    ...(derivedFrom === null ? [] : derivationRows(derivedFrom, stream.pendingBackprocess)),
    ...stream.contributesTo.map(
      ({ streamId, op, args }) => ['contributes to', `${streamId} ${callText(op, args)}`] as const,
    ),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n');
}

function valueTypeText({ valueType, valueTypeOptions }: Stream): string {
  const { highAccuracy, heartbeat } = valueTypeOptions;
  if (heartbeat !== undefined) return `${valueType}, heartbeat ${heartbeat} s`;
  return highAccuracy === true ? `${valueType}, high accuracy` : valueType;
}

function retentionRows({
  retention,
  expiredUntil,
}: Stream): readonly (readonly [string, string])[] {
  const kept = Object.entries(retention ?? {}).map(
    ([name, duration]) => `${name} ${duration ?? 'for ever'}`,
  );
  return [
    ...(kept.length === 0 ? [] : [['kept', kept.join(', ')] as const]),
    ...Object.entries(expiredUntil).map(
      ([name, until]) => [`${name} expired`, `before ${dateText(until)}`] as const,
    ),
  ];
}

function derivationRows(
  { op, args, sources, query }: NonNullable<Stream['derivedFrom']>,
  isPending: boolean,
): readonly (readonly [string, string])[] {
  return [
    ['derived by', callText(op, args)],
    ...sources.map(
      ({ name, stream, granularity }) =>
        ['source', `${name === null ? '' : `${name}=`}${stream}:${granularity}`] as const,
    ),
    ...(query === undefined ? [] : [['sources', `all with ${exactJson(query)}`] as const]),
    ['pending backprocess', isPending ? 'yes' : 'no'],
  ];
}

function callText(op: string, args: Readonly<Record<string, unknown>>): string {
  return Object.keys(args).length === 0 ? op : `${op} ${exactJson(args)}`;
}

function dateText(date: Date | null | undefined): string {
  return date == null ? '–' : timeText(date);
}
