import type { Command } from 'commander';
import type { Datastream } from '../../api/datastream.ts';
import type { RetentionOptions, StreamDefinition } from '../../api/types.ts';
import { exactJson } from '../../text/exact-json.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { collectValues, parseChoice, parseGranularity, parseNames } from '../options.ts';
import { parseDeriveArgs, parseDeriveSource } from '../parse/derivation.ts';
import { parseRetention } from '../parse/retention.ts';
import { parseTags } from '../parse/tags.ts';

interface EnsureOptions {
  readonly query: readonly string[];
  readonly tag: readonly string[];
  readonly downsamplers: readonly string[];
  readonly granularity: { readonly name: string };
  readonly timeZone?: string;
  readonly level: readonly string[];
  readonly type: 'numeric' | 'nominal' | 'graph';
  readonly highAccuracy?: true;
  readonly heartbeat?: number;
  readonly deriveOp?: string;
  readonly deriveFrom?: readonly string[];
  readonly deriveQuery?: readonly string[];
  readonly deriveArgs?: Readonly<Record<string, unknown>>;
  readonly retention?: RetentionOptions;
  readonly backprocess: boolean;
  readonly json?: true;
}

/** Adds `ensure`: finds the stream of the query tags, or creates it. */
export function registerEnsure(program: Command, context: CommandContext): void {
  program
    .command('ensure')
    .description('find the stream of the query tags, or create it, and print its id')
    .requiredOption('--query <tag...>', 'tags that find the stream (key=value or JSON)')
    .option('--tag <tag...>', 'further tags', [])
    .requiredOption('--downsamplers <names>', 'value downsamplers, e.g. mean,min,max', parseNames)
    .requiredOption(
      '--granularity <name>',
      'highest granularity, e.g. seconds or milliseconds',
      parseGranularity,
    )
    .option('--time-zone <zone>', 'of the further levels, e.g. Europe/Paris (default: UTC)')
    .option(
      '--level <name>',
      'further level, e.g. 15minutes, weeks or months; may be given several times',
      collectValues,
      [],
    )
    .option(
      '--type <type>',
      'numeric, nominal or graph',
      (text) => parseChoice(text, ['numeric', 'nominal', 'graph']),
      'numeric',
    )
    .option('--high-accuracy', 'compute with 64 significant digits')
    .option('--heartbeat <seconds>', 'hold values no longer than that', Number)
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
      'how long rows are kept, e.g. raw=30d,minutes=1y,days=forever (default: forever)',
      parseRetention,
    )
    .option('--no-backprocess', 'derive from now on, not from the history of the sources')
    .option('--json', 'print the stream as JSON')
    .action(async (options: EnsureOptions) => {
      const queryTags = parseTags(options.query);
      const definition = definitionOf(options);
      const ensure = async (datastream: Datastream): Promise<void> => {
        const streamId = await datastream.ensureStream(queryTags, definition);
        const isJson = options.json === true;
        await context.out.line(isJson ? exactJson(await datastream.getStream(streamId)) : streamId);
      };
      await context.withDatastream(ensure, { creates: true });
    });
}

function definitionOf(options: EnsureOptions): StreamDefinition {
  const { deriveOp, deriveFrom, deriveQuery, deriveArgs, highAccuracy, heartbeat } = options;
  const valueTypeOptions = {
    ...(highAccuracy && { highAccuracy }),
    ...(heartbeat !== undefined && { heartbeat }),
  };
  if (deriveFrom !== undefined && deriveQuery !== undefined) {
    throw usageError('Sources are given by --derive-from, or by --derive-query.');
  }
  if ((deriveOp === undefined) !== ((deriveFrom ?? deriveQuery) === undefined)) {
    throw usageError('--derive-op goes together with --derive-from or --derive-query.');
  }
  return {
    tags: parseTags(options.tag),
    valueDownsamplers: options.downsamplers,
    highestGranularity: options.granularity,
    ...(options.timeZone !== undefined && { timeZone: options.timeZone }),
    levels: options.level,
    valueType: options.type,
    ...(Object.keys(valueTypeOptions).length > 0 && { valueTypeOptions }),
    ...(deriveOp !== undefined && { deriveOp }),
    ...(deriveFrom !== undefined && { deriveFrom: deriveFrom.map(parseDeriveSource) }),
    ...(deriveQuery !== undefined && { deriveFrom: { query: parseTags(deriveQuery) } }),
    ...(deriveArgs !== undefined && { deriveArgs }),
    ...(options.retention !== undefined && { retention: options.retention }),
    ...(!options.backprocess && { deriveBackprocess: false }),
  };
}
