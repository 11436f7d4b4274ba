import { once } from 'node:events';
import { createWriteStream, rmSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CliIo } from '../cli-io.ts';
import type { CommandContext } from '../command-context.ts';
import type { LineFormat } from '../input/datapoint-line.ts';
import { parseChoice } from '../options.ts';
import { Output } from '../output.ts';
import { isStreamId, parseTags } from '../parse/tags.ts';
import { startProgress } from '../progress.ts';
import { exportLines } from '../transfer/export-lines.ts';
import { selectStreams } from './select.ts';

/** Adds `export`: writes streams and their raw datapoints as lines. */
export function registerExport(program: Command, context: CommandContext): void {
  program
    .command('export')
    .description('write streams and their raw datapoints, for import')
    .argument('[tags...]', 'only streams with these tags (key=value or JSON), or one stream id')
    .option(
      '--format <format>',
      'csv or ndjson',
      (text) => parseChoice<LineFormat>(text, ['csv', 'ndjson']),
      'ndjson',
    )
    .option('--output <file>', 'write to a file instead of stdout')
    .action(async (args: string[], options: { format: LineFormat; output?: string }) => {
      const write = (out: Output): Promise<void> =>
        writeExport(context, { args, format: options.format, out });
      if (options.output === undefined) await write(context.out);
      else await writeFileWhole(context.io, options.output, write);
    });
}

async function writeExport(
  context: CommandContext,
  {
    args,
    format,
    out,
  }: { readonly args: readonly string[]; readonly format: LineFormat; readonly out: Output },
): Promise<void> {
  const { io } = context;
  await context.withDatastream(async (datastream) => {
    const isOne = args.length === 1 && isStreamId(args[0]!);
    const total = isOne ? 1 : await datastream.findStreams(parseTags(args)).count();
    const exportedIds = new Set<string>();
    const progress = startProgress(io, 'export');
    const lines = exportLines(datastream, selectStreams(datastream, args), {
      format,
      signal: io.signal,
      onStream: ({ id, derivedFrom }) => {
        progress.update(exportedIds.size, { total });
        const missing = derivedFrom?.sources.find(({ stream }) => !exportedIds.has(stream));
        if (missing)
          context.note(`warning: ${id} is derived from ${missing.stream}, which is left out`);
        exportedIds.add(id);
      },
    });
    try {
      for await (const line of lines) await out.line(line);
      await out.flush();
    } finally {
      progress.stop();
    }
  });
}

/** The file appears under its name once it is complete; a failed or interrupted export leaves none. */
async function writeFileWhole(
  { onExit }: CliIo,
  path: string,
  write: (out: Output) => Promise<void>,
): Promise<void> {
  const partPath = `${path}.part`;
  const file = createWriteStream(partPath);
  await once(file, 'open');
  // A second signal ends the process without coming back here.
  const forget = onExit?.(() => rmSync(partPath, { force: true }));
  const out = new Output(file);
  try {
    await write(out);
    await new Promise<void>((resolve, reject) => file.end(resolve).once('error', reject));
    await rename(partPath, path);
  } catch (error) {
    file.destroy();
    await rm(partPath, { force: true });
    throw error;
  } finally {
    out.release();
    forget?.();
  }
}
