import type { Command } from 'commander';
import type { RetentionOptions, StreamChanges } from '../../api/types.ts';
import { exactJson } from '../../text/exact-json.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { collectValues, parseNames } from '../options.ts';
import { parseDeriveArgs, parseDeriveSource } from '../parse/derivation.ts';
import { parseRetention } from '../parse/retention.ts';
import { parseTags } from '../parse/tags.ts';

interface ChangeOptions {
  readonly downsamplers?: readonly string[];
  readonly addDownsamplers?: readonly string[];
  readonly dropDownsamplers?: readonly string[];
  readonly addLevel?: readonly string[];
  readonly dropLevel?: readonly string[];
  readonly timeZone?: string;
  readonly heartbeat?: number | null;
  readonly deriveOp?: string;
  readonly deriveFrom?: readonly string[];
  readonly deriveQuery?: readonly string[];
  readonly deriveArgs?: Readonly<Record<string, unknown>>;
  readonly retention?: RetentionOptions;
  readonly backprocess: boolean;
}

/** Adds `change`: gives one stream another definition. */
export function registerChange(program: Command, context: CommandContext): void {
  program
    .command('change')
    .description('give a stream another definition and print it; maintenance computes what follows')
    .argument('<id>', 'stream id')
    .option('--downsamplers <names>', 'value downsamplers, these and no others', parseNames)
    .option('--add-downsamplers <names>', 'value downsamplers to add', parseNames)
    .option('--drop-downsamplers <names>', 'value downsamplers to drop', parseNames)
    .option(
      '--add-level <name>',
      'further level to add, e.g. 15minutes, weeks or months; may be given several times',
      collectValues,
    )
    .option(
      '--drop-level <name>',
      'further level to drop; may be given several times',
      collectValues,
    )
    .option('--time-zone <zone>', 'of the further levels, e.g. Europe/Paris')
    .option('--heartbeat <seconds>', 'hold values no longer than that; or forever', (seconds) =>
      seconds === 'forever' ? null : Number(seconds),
    )
    .option('--derive-op <operator>', 'derive the stream by this operator')
    .option(
      '--derive-from <source>',
      'source as [name=]ID[:granularity]; may be given several times',
      collectValues,
    )
    .option(
      '--derive-query <tag...>',
      'take all streams with these tags as sources, now and later (key=value or JSON)',
    )
    .option('--derive-args <json>', 'arguments of the operator, a JSON object', parseDeriveArgs)
    .option(
      '--retention <durations>',
      'how long rows are kept, e.g. raw=30d,minutes=1y,days=forever; or forever',
      parseRetention,
    )
    .option('--no-backprocess', 'with --derive-from: from now on, not from the history')
    .action(async (streamId: string, options: ChangeOptions) => {
      const changes = changesOf(options);
      await context.withDatastream(async (datastream) => {
        await datastream.updateStream(streamId, changes);
        await context.out.line(exactJson(await datastream.getStream(streamId)));
      });
    });
}

function changesOf(options: ChangeOptions): StreamChanges {
  const { downsamplers, addDownsamplers: add, dropDownsamplers: drop } = options;
  const isPartial = add !== undefined || drop !== undefined;
  if (downsamplers !== undefined && isPartial) {
    throw usageError('--downsamplers says all of them: neither add to them nor drop some.');
  }
  const { addLevel, dropLevel, timeZone, heartbeat } = options;
  const hasLevels = addLevel !== undefined || dropLevel !== undefined;
  const levels = { ...(addLevel && { add: addLevel }), ...(dropLevel && { drop: dropLevel }) };
  if (options.deriveFrom !== undefined && options.deriveQuery !== undefined) {
    throw usageError('Sources are given by --derive-from, or by --derive-query.');
  }
  const { deriveOp, deriveFrom, deriveQuery, deriveArgs, retention, backprocess } = options;
  const changes: StreamChanges = {
    ...(downsamplers !== undefined && { valueDownsamplers: downsamplers }),
    ...(isPartial && { valueDownsamplers: { ...(add && { add }), ...(drop && { drop }) } }),
    ...(hasLevels && { levels }),
    ...(timeZone !== undefined && { timeZone }),
    ...(heartbeat !== undefined && { heartbeat }),
    ...(deriveOp !== undefined && { deriveOp }),
    ...(deriveFrom !== undefined && { deriveFrom: deriveFrom.map(parseDeriveSource) }),
    ...(deriveQuery !== undefined && { deriveFrom: { query: parseTags(deriveQuery) } }),
    ...(deriveArgs !== undefined && { deriveArgs }),
    ...(retention !== undefined && { retention }),
    ...(!backprocess && { deriveBackprocess: false }),
  };
  if (Object.keys(changes).length === 0) throw usageError('Nothing to change was given.');
  return changes;
}
