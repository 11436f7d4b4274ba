import type { Command } from 'commander';
import type { StreamChanges } from '../../api/types.ts';
import { exactJson } from '../../text/exact-json.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { collectValues, parseNames } from '../options.ts';
import {
  type DefinitionCommandOptions,
  definitionFields,
  withDefinitionOptions,
} from './definition-options.ts';

interface ChangeOptions extends DefinitionCommandOptions {
  readonly downsamplers?: readonly string[];
  readonly addDownsamplers?: readonly string[];
  readonly dropDownsamplers?: readonly string[];
  readonly addLevel?: readonly string[];
  readonly dropLevel?: readonly string[];
  readonly heartbeat?: number | null;
}

/** Adds `change`: gives one stream another definition. */
export function registerChange(program: Command, context: CommandContext): void {
  const command = program
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
    .option('--heartbeat <seconds>', 'hold values no longer than that; or forever', (seconds) =>
      seconds === 'forever' ? null : Number(seconds),
    );
  withDefinitionOptions(command).action(async (streamId: string, options: ChangeOptions) => {
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
  const { addLevel, dropLevel, heartbeat } = options;
  const hasLevels = addLevel !== undefined || dropLevel !== undefined;
  const levels = { ...(addLevel && { add: addLevel }), ...(dropLevel && { drop: dropLevel }) };
  const changes: StreamChanges = {
    ...(downsamplers !== undefined && { valueDownsamplers: downsamplers }),
    ...(isPartial && { valueDownsamplers: { ...(add && { add }), ...(drop && { drop }) } }),
    ...(hasLevels && { levels }),
    ...(heartbeat !== undefined && { heartbeat }),
    ...definitionFields(options),
  };
  if (Object.keys(changes).length === 0) throw usageError('Nothing to change was given.');
  return changes;
}
