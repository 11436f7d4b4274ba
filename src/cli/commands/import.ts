import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Datastream } from '../../api/datastream.ts';
import { CliError, PartlyDone } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { countText } from '../format/count-text.ts';
import { detectFormat, type LineFormat } from '../input/datapoint-line.ts';
import {
  type BadLine,
  inputError,
  type LineBlock,
  linesOf,
  readLineBlocks,
} from '../input/lines.ts';
import { parseChoice } from '../options.ts';
import { type Progress, startProgress } from '../progress.ts';
import { Importer } from '../transfer/importer.ts';

/** Read from a file at once: what stands in it together is taken, and created, together. */
const READ_SIZE_BYTES = 4 * 1024 * 1024;

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
        const chunks = await openInput(context, path, progress);
        await context.withDatastream(
          (datastream) => importChunks(context, { datastream, chunks, options }),
          { creates: true },
        );
      } finally {
        progress.stop();
      }
    });
}

async function importChunks(
  context: CommandContext,
  {
    datastream,
    chunks,
    options,
  }: {
    readonly datastream: Datastream;
    readonly chunks: AsyncIterable<Uint8Array | string>;
    readonly options: ImportOptions;
  },
): Promise<void> {
  let importer: Importer | null = null;
  const summary = (): string =>
    `${countText(importer?.streamCount ?? 0, 'stream')} and ` +
    `${countText(importer?.appendedCount ?? 0, 'datapoint')} imported`;
  try {
    for await (const block of readLineBlocks(chunks)) {
      importer ??= newImporter(context, { datastream, block, options });
      await importer?.addBlock(block);
    }
    await importer?.finish();
  } catch (error) {
    // A store that failed may fail at this, too; why the import failed matters more.
    await importer?.giveUp().catch(() => {});
    throw new PartlyDone(inputError(error), summary());
  }
  if (importer === null) throw new CliError('INPUT_INVALID', 'the input is empty');
  await context.out.line(summary());
  const skippedCount = importer.skippedLineCount;
  if (skippedCount > 0)
    throw new CliError('INPUT_SKIPPED', `${countText(skippedCount, 'bad line')} skipped`);
}

/** Null as long as there is nothing to tell the format by. */
function newImporter(
  context: CommandContext,
  {
    datastream,
    block,
    options,
  }: {
    readonly datastream: Datastream;
    readonly block: LineBlock;
    readonly options: ImportOptions;
  },
): Importer | null {
  const { value: firstLine } = linesOf(block).next();
  if (firstLine === undefined) return null;
  return new Importer(datastream, {
    format: options.format ?? detectFormat(firstLine.text),
    now: context.io.now,
    ...(options.skipErrors && {
      onBadLine: (badLine: BadLine) => context.note(`${badLine.message} (skipped)`),
    }),
  });
}

async function openInput(
  { io }: CommandContext,
  path: string | undefined,
  progress: Progress,
): Promise<AsyncIterable<Uint8Array | string>> {
  if (path === undefined) return addAbortSignal(io.signal, io.stdin);
  const { size: total } = await stat(path);
  return counted(
    addAbortSignal(io.signal, createReadStream(path, { highWaterMark: READ_SIZE_BYTES })),
    (done) => progress.update(done, { total, note: 'bytes' }),
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
