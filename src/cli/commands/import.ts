import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { addAbortSignal } from 'node:stream';
import type { Command } from 'commander';
import type { Datastream } from '../../api/datastream.ts';
import { CliError, PartlyDone, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { countText } from '../format/count-text.ts';
import type { LineFormat } from '../input/datapoint-line.ts';
import { type BadLine, inputError } from '../input/lines.ts';
import { readSegmentsAhead } from '../jobs/read-ahead.ts';
import { parseChoice, parseCount } from '../options.ts';
import { type Progress, startProgress } from '../progress.ts';
import { Importer } from '../transfer/importer.ts';
import { readSegments, type SegmentBatch } from '../transfer/segments.ts';

/** Read from a file at once: what stands in it together is taken, and created, together. */
const READ_SIZE_BYTES = 4 * 1024 * 1024;

/**
 * Of a smaller file the lines are read before a thread for that has begun to be quick. Measured:
 * docs/performance.md, "Both cores".
 */
const AHEAD_SIZE_MIN_BYTES = 64 * 1024 * 1024;

interface ImportOptions {
  readonly format?: LineFormat;
  readonly skipErrors?: true;
  readonly jobs?: number;
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
    .option('--jobs <count>', '2: a thread reads the file ahead (default: by its size)', parseCount)
    .action(async (path: string | undefined, options: ImportOptions) => {
      const input = await inputOf(path, options);
      const progress = startProgress(context.io, 'import');
      try {
        await context.withDatastream(
          (datastream) => importInput(context, { datastream, input, options, progress }),
          { creates: true },
        );
      } finally {
        progress.stop();
      }
    });
}

interface ImportInput {
  /** Null: stdin. */
  readonly path: string | null;
  /** Null where nobody knows. */
  readonly sizeBytes: number | null;
  readonly isReadAhead: boolean;
}

/** @throws {CliError} USAGE when several jobs are to read stdin; an error of the system without a file. */
async function inputOf(path: string | undefined, { jobs }: ImportOptions): Promise<ImportInput> {
  if (path === undefined) {
    if (jobs !== undefined && jobs > 1) throw usageError('--jobs: only a file is read ahead.');
    return { path: null, sizeBytes: null, isReadAhead: false };
  }
  const { size: sizeBytes } = await stat(path);
  const isLarge = sizeBytes >= AHEAD_SIZE_MIN_BYTES && availableParallelism() > 1;
  return { path, sizeBytes, isReadAhead: jobs === undefined ? isLarge : jobs > 1 };
}

interface ImportWork {
  readonly datastream: Datastream;
  readonly input: ImportInput;
  readonly options: ImportOptions;
  readonly progress: Progress;
}

async function importInput(context: CommandContext, work: ImportWork): Promise<void> {
  const { datastream, input, options, progress } = work;
  let importer: Importer | null = null;
  const summary = (): string =>
    `${countText(importer?.streamCount ?? 0, 'stream')} and ` +
    `${countText(importer?.appendedCount ?? 0, 'datapoint')} imported`;
  try {
    for await (const { format, segments, sizeBytes } of batchesOf(context, work)) {
      importer ??= new Importer(datastream, {
        format,
        now: context.io.now,
        ...(options.skipErrors && {
          onBadLine: (badLine: BadLine) => context.note(`${badLine.message} (skipped)`),
        }),
      });
      if (input.sizeBytes !== null) {
        progress.update(sizeBytes, { total: input.sizeBytes, note: 'bytes' });
      }
      await importer.add(segments);
    }
    await importer?.finish();
  } catch (error) {
    // A store that failed may fail at this, too; why the import failed matters more.
    await importer?.giveUp().catch(() => {});
    throw new PartlyDone(inputError(error), summary());
  }
  if (importer === null) throw new CliError('INPUT_INVALID', 'the input is empty');
  await context.out.line(input.isReadAhead ? `${summary()} (2 jobs)` : summary());
  const skippedCount = importer.skippedLineCount;
  if (skippedCount > 0)
    throw new CliError('INPUT_SKIPPED', `${countText(skippedCount, 'bad line')} skipped`);
}

function batchesOf(
  { io }: CommandContext,
  { datastream, input, options }: ImportWork,
): AsyncIterable<SegmentBatch> {
  const { path, isReadAhead } = input;
  const { timestampRange } = datastream.supports;
  const how = { format: options.format, timestampRange };
  if (path === null) return readSegments(addAbortSignal(io.signal, io.stdin), how);
  if (isReadAhead) {
    return readSegmentsAhead({ ...how, path, readSizeBytes: READ_SIZE_BYTES }, io.signal);
  }
  const file = createReadStream(path, { highWaterMark: READ_SIZE_BYTES });
  return readSegments(addAbortSignal(io.signal, file), how);
}
