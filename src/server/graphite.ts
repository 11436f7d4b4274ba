import type { BaseLogger } from 'pino';
import type { ServiceConfig } from './config/service-config.ts';
import { newStreamsOf } from './http/write-options.ts';
import type { BatchWriter } from './ingest/batch-writer.ts';
import { GraphiteServer } from './ingest/graphite-server.ts';
import type { ServiceMetrics } from './operations/metrics.ts';

/** The Graphite port that the configuration asks for; null when it asks for none. Nothing listens yet. */
export function graphiteServer(
  { ingest }: Pick<ServiceConfig, 'ingest'>,
  parts: {
    readonly writer: BatchWriter;
    readonly metrics: ServiceMetrics;
    readonly log: BaseLogger;
    readonly now: () => Date;
  },
): GraphiteServer | null {
  if (ingest.graphitePort === null) return null;
  const { writer, metrics, log, now } = parts;
  const server = new GraphiteServer(writer, {
    host: ingest.graphiteHost,
    port: ingest.graphitePort,
    write: {
      // As Graphite has it: of several values at one time the last one counts.
      duplicates: 'replace',
      isStrict: false,
      newStreams: newStreamsOf(ingest),
      mayAppend: () => true,
      mayReplace: () => true,
      isOwned: () => true,
      mayCreate: () => ingest.createStreams,
      onCreated: () => {},
    },
    nowMs: () => now().getTime(),
    onWritten: (counts) => metrics.noteIngest('graphite', counts),
    onError: (err) => log.error({ err }, 'Datapoints of Graphite wait for the store.'),
  });
  metrics.addGauge(
    'datastream_graphite_connections',
    'Open connections of Graphite.',
    () => server.counters.openConnections,
  );
  metrics.addGauge(
    'datastream_graphite_waiting_datapoints',
    'Datapoints of Graphite that are read and not written.',
    () => server.counters.waiting,
  );
  return server;
}
