import type { Command } from 'commander';
import type { StreamStatus } from '../../api/types.ts';
import { exactJson, timeText } from '../../text/exact-json.ts';
import type { CommandContext } from '../command-context.ts';
import { countText } from '../format/count-text.ts';
import { humanQuantity } from '../format/human.ts';
import { type TableColumn, tableLines } from '../format/table.ts';
import { tagsText } from '../format/tags.ts';
import { parseQuery } from '../parse/tags.ts';

const COLUMNS: readonly TableColumn[] = [
  { title: 'id' },
  { title: 'tags' },
  { title: 'stale from' },
  { title: 'age', align: 'right' },
  { title: 'ranges', align: 'right' },
  { title: 'buckets to compute', align: 'right' },
  { title: 'history' },
];

interface StatusCommandOptions {
  readonly all?: boolean;
  readonly ndjson?: boolean;
}

/** Adds `status`: shows what is stale, and what maintenance has to do. */
export function registerStatus(program: Command, context: CommandContext): void {
  program
    .command('status')
    .description('show what is stale: what the next maintenance has to compute')
    .argument('[tags...]', 'only streams with these tags (key=value or JSON), or one stream id')
    .option('--all', 'list streams that are up to date, too')
    .option('--ndjson', 'one JSON object per stream, with every stale range')
    .action(async (args: string[], { all = false, ndjson = false }: StatusCommandOptions) => {
      const queryTags = parseQuery(args);
      await context.withDatastream(async (datastream) => {
        const totals = { streamCount: 0, staleCount: 0, pendingCount: 0, bucketCount: 0 };
        const listed = async function* (): AsyncGenerator<StreamStatus> {
          for await (const status of datastream.status({ queryTags })) {
            totals.streamCount++;
            totals.bucketCount += status.bucketCount;
            if (status.pendingBackprocess) totals.pendingCount++;
            if (hasWork(status)) totals.staleCount++;
            if (all || hasWork(status)) yield status;
          }
        };
        if (ndjson) {
          for await (const status of listed()) await context.out.line(exactJson(status));
          return;
        }
        const nowMs = context.io.now().getTime();
        const rows = nonEmpty(listed(), (status) => rowOf(status, nowMs));
        for await (const line of rows) await context.out.line(line);
        const { streamCount, staleCount, pendingCount, bucketCount } = totals;
        await context.out.line(
          `${countText(streamCount, 'stream')}: ${staleCount} with work to come, ` +
            `${countText(bucketCount, 'bucket')} to compute, ${pendingCount} with history to process`,
        );
      });
    });
}

/** Lines of a table; none, not even titles, when there is nothing to list. */
async function* nonEmpty(
  items: AsyncGenerator<StreamStatus>,
  toRow: (status: StreamStatus) => readonly string[],
): AsyncGenerator<string> {
  const first = await items.next();
  if (first.done === true) return;
  const rows = async function* (): AsyncGenerator<readonly string[]> {
    yield toRow(first.value);
    for await (const item of items) yield toRow(item);
  };
  yield* tableLines(COLUMNS, rows());
}

function hasWork({ oldest, pendingBackprocess }: StreamStatus): boolean {
  return oldest !== null || pendingBackprocess;
}

function rowOf(status: StreamStatus, nowMs: number): readonly string[] {
  const { streamId, tags, oldest, levels, derived, bucketCount, pendingBackprocess } = status;
  const rangeCount = levels.reduce((sum, { ranges }) => sum + ranges.length, derived.length);
  return [
    streamId,
    tagsText(tags),
    oldest === null ? '–' : timeText(oldest),
    oldest === null ? '–' : humanQuantity((nowMs - oldest.getTime()) / 1000, 's'),
    String(rangeCount),
    String(bucketCount),
    pendingBackprocess ? 'pending' : '',
  ];
}
