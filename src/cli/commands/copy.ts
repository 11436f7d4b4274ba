import { resolve } from 'node:path';
import type { Command } from 'commander';
import { copyStreams } from '../../api/copy-streams.ts';
import type { CopyProgress, CopyReport } from '../../api/types.ts';
import type { Backend } from '../../backends/backend.ts';
import { PartlyDone, usageError } from '../cli-error.ts';
import { assertStoreExists, type CommandContext, openStore } from '../command-context.ts';
import { countText } from '../format/count-text.ts';
import { parseCount } from '../options.ts';
import { parseQuery } from '../parse/tags.ts';
import { startProgress } from '../progress.ts';

const EMBEDDED_SCHEME = 'embedded:';

interface CopyCommandOptions {
  readonly concurrency?: number;
  readonly skipUnsupported?: true;
}

/** Adds `copy`: brings streams with all of their data into another store. */
export function registerCopy(program: Command, context: CommandContext): void {
  program
    .command('copy')
    .description('copy streams with all of their data into another store; goes on where it stopped')
    .argument('<from>', 'URL of the store to copy from')
    .argument('<to>', 'URL of the store to copy to')
    .argument('[tags...]', 'only streams with these tags (key=value or JSON), or one stream id')
    .option('--concurrency <count>', 'streams copied at once', parseCount)
    .option('--skip-unsupported', 'leave out streams that the target cannot hold')
    .action(async (fromUrl: string, toUrl: string, args: string[], options: CopyCommandOptions) => {
      const queryTags = parseQuery(args);
      const [from, to] = [canonicalUrl(fromUrl), canonicalUrl(toUrl)];
      if (from === to) throw usageError('A store cannot be copied to itself.');
      assertStoreExists(from);
      const { signal } = context.io;
      await withBackend({ url: from, signal }, (source) =>
        withBackend({ url: to, signal }, (target) =>
          copy(context, { source, target, queryTags, options }),
        ),
      );
    });
}

async function copy(
  context: CommandContext,
  {
    source,
    target,
    queryTags,
    options,
  }: {
    readonly source: Backend;
    readonly target: Backend;
    readonly queryTags: ReturnType<typeof parseQuery>;
    readonly options: CopyCommandOptions;
  },
): Promise<void> {
  const { io, out } = context;
  const startMs = io.now().getTime();
  const elapsedMs = (): number => io.now().getTime() - startMs;
  const progress = startProgress(io, 'copy');
  let last: CopyProgress = { streamCount: 0, streamCountTotal: 0, rowCount: 0 };
  let report: CopyReport;
  try {
    report = await copyStreams(source, target, {
      queryTags,
      signal: io.signal,
      skipUnsupported: options.skipUnsupported === true,
      ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
      onProgress: (now) => {
        last = now;
        const { streamCount, streamCountTotal: total, rowCount } = now;
        progress.update(streamCount, { total, note: rateText(rowCount, elapsedMs()) });
      },
    });
  } catch (error) {
    if (last.rowCount === 0) throw error;
    throw new PartlyDone(error, `${countText(last.rowCount, 'row')} copied`);
  } finally {
    progress.stop();
  }
  for (const { streamId, tags, reasons } of report.unsupported) {
    context.note(
      `left out stream ${streamId} ${JSON.stringify(tags)}: the target lacks ${reasons.join(' and ')}`,
    );
  }
  await out.line(summary(report, elapsedMs()));
}

function summary({ streamCount, copiedCount, rowCount }: CopyReport, elapsedMs: number): string {
  const thereCount = streamCount - copiedCount;
  if (copiedCount === 0 && thereCount > 0) {
    return `nothing to copy: ${countText(thereCount, 'stream')} there already`;
  }
  const there = thereCount === 0 ? '' : `, ${countText(thereCount, 'stream')} there already`;
  const seconds = `${(elapsedMs / 1000).toFixed(1)} s`;
  return `${countText(copiedCount, 'stream')} copied in ${seconds}: ${rateText(rowCount, elapsedMs)}${there}`;
}

/** Rows, and how many of them a second where that can be said. */
function rateText(rowCount: number, elapsedMs: number): string {
  const rows = countText(rowCount, 'row');
  return elapsedMs <= 0 || rowCount === 0
    ? rows
    : `${rows}, ${Math.round((rowCount * 1000) / elapsedMs)} rows/s`;
}

/** An unfinished copy knows where it is from: the same folder must have the same name in the next run. */
function canonicalUrl(url: string): string {
  if (!url.startsWith(EMBEDDED_SCHEME) || url === EMBEDDED_SCHEME) return url;
  return EMBEDDED_SCHEME + resolve(url.slice(EMBEDDED_SCHEME.length));
}

async function withBackend<T>(
  { url, signal }: { readonly url: string; readonly signal: AbortSignal },
  work: (backend: Backend) => Promise<T>,
): Promise<T> {
  const backend = await openStore(url, signal);
  let result: T;
  try {
    result = await work(backend);
  } catch (error) {
    // A store that failed may fail to close, too; why the work failed matters more.
    await backend.close().catch(() => {});
    throw error;
  }
  await backend.close();
  return result;
}
