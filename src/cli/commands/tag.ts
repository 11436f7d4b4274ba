import type { Command } from 'commander';
import { exactJson } from '../../text/exact-json.ts';
import type { CommandContext } from '../command-context.ts';
import { parseTagPaths, parseTags } from '../parse/tags.ts';

interface TagOptions {
  readonly set: readonly string[];
  readonly remove: readonly string[];
  readonly clear?: true;
}

/** Adds `tag`: changes the tags of one stream. */
export function registerTag(program: Command, context: CommandContext): void {
  program
    .command('tag')
    .description('change the tags of a stream (clear, then remove, then set) and print them')
    .argument('<id>', 'stream id')
    .option('--set <tag...>', 'tags to lay over those present (key=value or JSON)', [])
    .option('--remove <path...>', 'tags to remove, dotted where nested', [])
    .option('--clear', 'remove all tags')
    .action(async (streamId: string, options: TagOptions) => {
      const setTags = parseTags(options.set);
      const removedPaths = parseTagPaths(options.remove);
      await context.withDatastream(async (datastream) => {
        if (options.clear) await datastream.clearTags(streamId);
        if (options.remove.length > 0) await datastream.removeTag(streamId, removedPaths);
        if (options.set.length > 0) await datastream.updateTags(streamId, setTags);
        await context.out.line(exactJson(await datastream.getTags(streamId)));
      });
    });
}
