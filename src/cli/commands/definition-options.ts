import type { Command } from 'commander';
import type { RetentionOptions, StreamDefinition } from '../../api/types.ts';
import { usageError } from '../cli-error.ts';
import { collectValues } from '../options.ts';
import { parseDeriveArgs, parseDeriveSource } from '../parse/derivation.ts';
import { parseRetention } from '../parse/retention.ts';
import { parseTags } from '../parse/tags.ts';

/** What a new stream and a changed one are told alike: what they derive from, and how long rows are kept. */
export interface DefinitionCommandOptions {
  readonly timeZone?: string;
  readonly deriveOp?: string;
  readonly deriveFrom?: readonly string[];
  readonly deriveQuery?: readonly string[];
  readonly deriveArgs?: Readonly<Record<string, unknown>>;
  readonly retention?: RetentionOptions;
  readonly backprocess: boolean;
}

/** Adds the options to the command. */
export function withDefinitionOptions(command: Command): Command {
  return command
    .option('--time-zone <zone>', 'of the further levels, e.g. Europe/Paris (a new stream: UTC)')
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
    .option('--no-backprocess', 'derive from now on, not from the history of the sources');
}

/**
 * As the library takes them; what was not given is absent.
 * @throws {CliError} USAGE when sources are given in two ways.
 */
export function definitionFields(
  options: DefinitionCommandOptions,
): Pick<
  StreamDefinition,
  'timeZone' | 'deriveOp' | 'deriveFrom' | 'deriveArgs' | 'retention' | 'deriveBackprocess'
> {
  const { timeZone, deriveOp, deriveArgs, retention, backprocess } = options;
  const deriveFrom = sourcesOf(options);
  return {
    ...(timeZone !== undefined && { timeZone }),
    ...(deriveOp !== undefined && { deriveOp }),
    ...(deriveFrom !== undefined && { deriveFrom }),
    ...(deriveArgs !== undefined && { deriveArgs }),
    ...(retention !== undefined && { retention }),
    ...(!backprocess && { deriveBackprocess: false }),
  };
}

function sourcesOf({
  deriveFrom,
  deriveQuery,
}: DefinitionCommandOptions): StreamDefinition['deriveFrom'] {
  if (deriveFrom !== undefined && deriveQuery !== undefined) {
    throw usageError('Sources are given by --derive-from, or by --derive-query.');
  }
  if (deriveQuery !== undefined) return { query: parseTags(deriveQuery) };
  return deriveFrom?.map(parseDeriveSource);
}
