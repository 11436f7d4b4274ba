import type { Command } from 'commander';
import type { Stream } from '../../api/types.ts';
import { exactJson, timeText } from '../../text/exact-json.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { jsonArray, map, take } from '../format/sequence.ts';
import { type TableColumn, tableLines } from '../format/table.ts';
import { tagsText } from '../format/tags.ts';
import { parseCount } from '../options.ts';
import { selectStreams } from './select.ts';

const COLUMNS: readonly TableColumn[] = [
  { title: 'id' },
  { title: 'tags' },
  { title: 'type' },
  { title: 'granularity' },
  { title: 'latest' },
  { title: 'derived' },
];

/** Adds `streams`: lists streams by their tags. */
export function registerStreams(program: Command, context: CommandContext): void {
  program
    .command('streams')
    .description('list the streams that have the tags, in creation order')
    .argument('[tags...]', 'tags as key=value or JSON, or one stream id')
    .option('--json', 'one JSON array')
    .option('--ndjson', 'one JSON object per line')
    .option('--limit <count>', 'at most so many streams', parseCount)
    .action(async (args: string[], options: { json?: true; ndjson?: true; limit?: number }) => {
      if (options.json && options.ndjson) throw usageError('Choose one of --json and --ndjson.');
      await context.withDatastream(async (datastream) => {
        const streams = take(selectStreams(datastream, args), options.limit);
        const lines = options.json
          ? jsonArray(streams, exactJson)
          : options.ndjson
            ? map(streams, exactJson)
            : tableLines(COLUMNS, map(streams, rowOf));
        for await (const line of lines) await context.out.line(line);
      });
    });
}

function rowOf(stream: Stream): readonly string[] {
  return [
    stream.id,
    tagsText(stream.tags),
    stream.valueTypeOptions.highAccuracy === true
      ? `${stream.valueType} (high accuracy)`
      : stream.valueType,
    stream.highestGranularity.name,
    stream.latestDatapoint === null ? '–' : timeText(stream.latestDatapoint),
    derivedText(stream),
  ];
}

function derivedText({ derivedFrom, pendingBackprocess }: Stream): string {
  if (derivedFrom === null) return '';
  return pendingBackprocess ? `${derivedFrom.op} (pending)` : derivedFrom.op;
}
