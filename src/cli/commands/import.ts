import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { countText } from '../format/count-text.ts';
import { detectFormat, type LineFormat } from '../input/datapoint-line.ts';
import { BadLine, readLines } from '../input/lines.ts';
import { parseChoice } from '../options.ts';
import { type Progress, startProgress } from '../progress.ts';
import { Importer } from '../transfer/importer.ts';

interface ImportOptions {
  readonly format?: LineFormat;
  readonly skipErrors?: true;
}

/** Adds `import`: rebuilds streams from an export. */
export function registerImport(program: Command, context: CommandContext): void {
  program
    .command('import')
    .description('create the streams of an export, with their raw datapoints')
    .argument('[file]', 'file to read (default: stdin)')
    .option('--format <format>', 'csv or ndjson (default: told by the first line)', (text) =>
      parseChoice<LineFormat>(text, ['csv', 'ndjson']),
    )
    .option('--skip-errors', 'report bad lines and go on')
    .action(async (path: string | undefined, options: ImportOptions) => {
      const progress = startProgress(context.io, 'import');
      try {
        await importChunks(context, await openInput(context, path, progress), options);
      } finally {
        progress.stop();
      }
    });
}

async function importChunks(
  context: CommandContext,
  chunks: AsyncIterable<Uint8Array | string>,
  options: ImportOptions,
): Promise<void> {
  await context.withDatastream(async (datastream) => {
    let importer: Importer | null = null;
    const summary = (): string =>
      `${countText(importer?.streamCount ?? 0, 'stream')} and ` +
      `${countText(importer?.appendedCount ?? 0, 'datapoint')} imported`;
    try {
      for await (const line of readLines(chunks)) {
        importer ??= new Importer(datastream, {
          format: options.format ?? detectFormat(line.text),
          now: context.io.now,
          ...(options.skipErrors && {
            onBadLine: (badLine: BadLine) => context.note(`${badLine.message} (skipped)`),
          }),
        });
        await importer.add(line);
      }
      await importer?.finish();
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      throw new CliError('INPUT_INVALID', `${error.message}; ${summary()} before it`);
    }
    if (importer === null) throw new CliError('INPUT_INVALID', 'the input is empty');
    await context.out.line(summary());
    const skippedCount = importer.skippedLineCount;
    if (skippedCount > 0)
      throw new CliError('INPUT_SKIPPED', `${countText(skippedCount, 'bad line')} skipped`);
  });
}

async function openInput(
  { io }: CommandContext,
  path: string | undefined,
  progress: Progress,
): Promise<AsyncIterable<Uint8Array | string>> {
  if (path === undefined) return addAbortSignal(io.signal, io.stdin);
  const { size: total } = await stat(path);
  return counted(addAbortSignal(io.signal, createReadStream(path)), (done) =>
    progress.update(done, { total, note: 'bytes' }),
  );
}

async function* counted(
  chunks: Readable,
  onRead: (sizeBytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sizeBytes = 0;
  for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.byteLength;
    onRead(sizeBytes);
    yield chunk;
  }
}
