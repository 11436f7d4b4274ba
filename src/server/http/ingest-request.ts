import type { FastifyRequest } from 'fastify';
import type { ServiceConfig } from '../config/service-config.ts';
import type { BatchWriter } from '../ingest/batch-writer.ts';
import type { IngestBatch } from '../ingest/ingest-batch.ts';
import { ingestBody } from '../ingest/ingest-body.ts';
import type { BodyParser } from '../ingest/line-feed.ts';
import type { WriteOptions } from '../ingest/write-options.ts';
import type { WriteOutcome } from '../ingest/write-report.ts';
import { bodyChunks } from './body.ts';
import { writeOptionsOf } from './write-options.ts';

/**
 * Writes the datapoints of a request's body for whoever sent it.
 * @param parts.ownEncoding what the parser undoes itself.
 * @param parts.options in the place of what the configuration says.
 * @throws {Problem} for a body that cannot be read at all, and what is wrong with the store.
 */
export async function ingestRequest(
  request: FastifyRequest,
  {
    service: { config, writer, metrics },
    protocol,
    newParser,
    ownEncoding,
    options = {},
  }: {
    readonly service: {
      readonly config: ServiceConfig;
      readonly writer: BatchWriter;
      readonly metrics: { noteIngest(protocol: string, counts: WriteOutcome): void };
    };
    /** For the metrics. */
    readonly protocol: string;
    readonly newParser: (batch: IngestBatch) => BodyParser;
    readonly ownEncoding?: string;
    readonly options?: Partial<WriteOptions>;
  },
): Promise<WriteOutcome> {
  const chunks = bodyChunks(request, {
    sizeMaxBytes: config.limits.bodyBytes,
    ...(ownEncoding !== undefined && { ownEncoding }),
  });
  const outcome = await ingestBody(
    chunks,
    { writer, newParser },
    {
      ...writeOptionsOf(config, request.viewer),
      problemCountMax: config.ingest.problemsTold,
      ...options,
    },
  );
  metrics.noteIngest(protocol, outcome);
  return outcome;
}
