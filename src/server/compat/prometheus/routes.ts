import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { takeBodiesAsStreams } from '../../http/body.ts';
import { ingestRequest } from '../../http/ingest-request.ts';
import { Problem } from '../../http/problem.ts';
import { newPrometheusMemory, PrometheusParser } from '../../ingest/prometheus.ts';
import type { WriteOutcome } from '../../ingest/write-report.ts';
import type { Service } from '../../service.ts';

const ENCODING = 'snappy';
/** Senders of version 2.0 of the protocol name its message, and fall back to 1.0 after a refusal. */
const MEDIA_TYPE =
  /^application\/x-protobuf\s*(?:;\s*proto\s*=\s*"?prometheus\.WriteRequest"?\s*)?$/i;

/**
 * Prometheus remote write 1.0: what a Prometheus scrapes, or an agent gathers, becomes streams. Whatever is wrong with
 * a request is answered with 4xx, which senders do not repeat; what is wrong with the store with 5xx, which they do.
 * @see https://prometheus.io/docs/specs/prw/remote_write_spec/
 */
export const prometheusRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service },
  done,
) => {
  takeBodiesAsStreams(app);
  const memory = newPrometheusMemory();
  const messageSizeMaxBytes = service.config.limits.bodyBytes;

  app.post(
    '/api/v1/prom/write',
    {
      config: {
        access: { scope: 'append' },
        described: { successes: { 204: 'Everything is stored, or was stored before.' } },
      },
      schema: {
        tags: ['compatibility'],
        summary: 'Takes samples from Prometheus (remote write 1.0)',
        description: 'A snappy block of a protocol buffer message `prometheus.WriteRequest`.',
      },
    },
    async (request, reply) => {
      assertMessage(request.headers);
      const outcome = await ingestRequest(request, {
        service,
        protocol: 'prometheus',
        ownEncoding: ENCODING,
        newParser: (batch) =>
          new PrometheusParser(batch, { staleMarkers: 'null', messageSizeMaxBytes, memory }),
      });
      if (outcome.dropped === 0) return reply.code(204).send();
      // Senders write the first line of it to their log.
      return reply
        .code(400)
        .type('text/plain; charset=utf-8')
        .send(`${describe(outcome)}\n`);
    },
  );

  done();
};

/** @throws {Problem} 415 for another protocol, or another version of it. */
function assertMessage(headers: {
  readonly 'content-type'?: string | undefined;
  readonly 'content-encoding'?: string | undefined;
}): void {
  const type = headers['content-type'] ?? '';
  if (!MEDIA_TYPE.test(type.trim())) {
    throw new Problem(415, `content-type: expected application/x-protobuf, not ${named(type)}.`, {
      field: 'content-type',
    });
  }
  const encoding = headers['content-encoding'] ?? '';
  if (encoding !== ENCODING) {
    throw new Problem(415, `content-encoding: expected ${ENCODING}, not ${named(encoding)}.`, {
      field: 'content-encoding',
    });
  }
}

function named(text: string): string {
  return text === '' ? 'none' : JSON.stringify(text.slice(0, 100));
}

function describe({ accepted, dropped, problems: [first] }: WriteOutcome): string {
  const place = first?.line == null ? '' : `time series ${first.line}: `;
  return `${place}${first?.detail ?? ''} dropped=${dropped} accepted=${accepted}`;
}
