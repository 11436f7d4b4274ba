import type { Command } from 'commander';
import type { Datastream } from '../../api/datastream.ts';
import type { StreamDefinition } from '../../api/types.ts';
import { exactJson } from '../../text/exact-json.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { collectValues, parseChoice, parseGranularity, parseNames } from '../options.ts';
import { parseTags } from '../parse/tags.ts';
import {
  type DefinitionCommandOptions,
  definitionFields,
  withDefinitionOptions,
} from './definition-options.ts';

interface EnsureOptions extends DefinitionCommandOptions {
  readonly query: readonly string[];
  readonly tag: readonly string[];
  readonly downsamplers: readonly string[];
  readonly granularity: { readonly name: string };
  readonly level: readonly string[];
  readonly type: 'numeric' | 'nominal' | 'graph';
  readonly highAccuracy?: true;
  readonly heartbeat?: number;
  readonly json?: true;
}

/** Adds `ensure`: finds the stream of the query tags, or creates it. */
export function registerEnsure(program: Command, context: CommandContext): void {
  const command = program
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
    .option('--heartbeat <seconds>', 'hold values no longer than that', Number);
  withDefinitionOptions(command)
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
  const { highAccuracy, heartbeat } = options;
  const valueTypeOptions = {
    ...(highAccuracy && { highAccuracy }),
    ...(heartbeat !== undefined && { heartbeat }),
  };
  const fields = definitionFields(options);
  if ((fields.deriveOp === undefined) !== (fields.deriveFrom === undefined)) {
    throw usageError('--derive-op goes together with --derive-from or --derive-query.');
  }
  return {
    tags: parseTags(options.tag),
    valueDownsamplers: options.downsamplers,
    highestGranularity: options.granularity,
    levels: options.level,
    valueType: options.type,
    ...(Object.keys(valueTypeOptions).length > 0 && { valueTypeOptions }),
    ...fields,
  };
}
