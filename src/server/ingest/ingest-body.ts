import type { BatchWriter } from './batch-writer.ts';
import { IngestBatch } from './ingest-batch.ts';
import type { BodyParser } from './line-feed.ts';
import type { WriteOptions } from './write-options.ts';
import { type WriteOutcome, WriteReport } from './write-report.ts';

/** Rows that are written together, at least, while there are more to come. */
const PART_ROW_COUNT = 50_000;
/** Bytes that are parsed at once, and from which on rows are written: their names take memory, too. */
const SLICE_SIZE_BYTES = 256 * 1024;
const PART_SIZE_BYTES = 8 * 1024 * 1024;

export interface BodyOptions extends WriteOptions {
  /** Problems that are told, at most. */
  readonly problemCountMax: number;
}

/**
 * Reads a body and writes it, part by part: memory is bounded whatever its size, and the sender waits for the store.
 * One that is to be stored as a whole or not at all is held whole.
 * @throws what is wrong with the store; a repeat of the request finds what is stored.
 */
export async function ingestBody(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  {
    writer,
    newParser,
  }: {
    readonly writer: BatchWriter;
    readonly newParser: (batch: IngestBatch) => BodyParser;
  },
  options: BodyOptions,
): Promise<WriteOutcome> {
  const report = new WriteReport({ problemCountMax: options.problemCountMax });
  const batch = new IngestBatch(report.problems);
  const parser = newParser(batch);
  let unwrittenSizeBytes = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += SLICE_SIZE_BYTES) {
      const slice = chunk.subarray(at, at + SLICE_SIZE_BYTES);
      parser.push(slice);
      unwrittenSizeBytes += slice.length;
      const isPart = batch.rowCount >= PART_ROW_COUNT || unwrittenSizeBytes >= PART_SIZE_BYTES;
      if (!isPart || options.isStrict) continue;
      await writer.write(batch.take(), report, options);
      unwrittenSizeBytes = 0;
    }
  }
  parser.end();
  await writer.write(batch.take(), report, options);
  return report.outcome();
}
