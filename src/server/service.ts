import { type BaseLogger, pino } from 'pino';
import { Datastream } from '../api/datastream.ts';
import { openBackend } from '../backends/open-backend.ts';
import type { Access } from './access/access.ts';
import { Alerts } from './alerts/alerts.ts';
import { refusedPlace } from './alerts/destination-rules.ts';
import type { WatchRights } from './alerts/evaluator.ts';
import { Feeds } from './compat/feeds/feeds.ts';
import { SineDemoSwitch } from './compat/feeds/sine-demo.ts';
import type { ServiceConfig } from './config/service-config.ts';
import { graphiteServer } from './graphite.ts';
import { collectHost, type HostCollection } from './host-collection.ts';
import { newStreamsOf } from './http/write-options.ts';
import { BatchWriter } from './ingest/batch-writer.ts';
import type { GraphiteServer } from './ingest/graphite-server.ts';
import type { Jobs } from './jobs/jobs.ts';
import { WarningCounts } from './jobs/warning-counts.ts';
import { LiveFeed } from './live/live-feed.ts';
import { type OpenAccess, openAccess } from './open-access.ts';
import { listeningError } from './operations/listening.ts';
import { ServiceMetrics } from './operations/metrics.ts';
import { serviceJobs } from './service-jobs.ts';
import type { StateStore } from './state/state-store.ts';
import { AppendRate } from './statistics/append-rate.ts';
import { Statistics } from './statistics/statistics.ts';

/** Everything that routes work with. */
export interface Service {
  readonly config: ServiceConfig;
  readonly datastream: Datastream;
  /** What the service itself keeps. */
  readonly state: StateStore;
  readonly access: Access;
  readonly writer: BatchWriter;
  readonly live: LiveFeed;
  readonly jobs: Jobs;
  readonly alerts: Alerts;
  /** What can be posted to by name. */
  readonly feeds: { readonly feeds: Feeds; readonly demo: SineDemoSwitch };
  readonly metrics: ServiceMetrics;
  readonly statistics: Statistics;
  readonly log: BaseLogger;
  /** When the service was opened. */
  readonly openedAt: Date;
  /** The only clock. */
  readonly now: () => Date;
  /** Aborted as soon as the service is to end: answers without an end of their own end then. */
  readonly ending: AbortSignal;
  /** Null where none is asked for. */
  readonly graphite: GraphiteServer | null;
  /**
   * Lets the schedules of jobs begin, and samples of this host and Graphite where they are asked for.
   * @throws {ConfigError} when Graphite cannot be taken in where the configuration says.
   */
  start(): Promise<void>;
  /** Says that the service is to end; requests are still answered. */
  end(): void;
  /** Ends all parts in order, and closes the stores. Idempotent. */
  close(): Promise<void>;
}

export interface ServiceOptions {
  readonly now?: () => Date;
  /** Default: nothing is logged. */
  readonly log?: BaseLogger;
}

/**
 * Opens the stores and makes the parts, which do nothing by themselves before `start`.
 * @throws whatever `openBackend` and `openAccess` throw.
 */
export async function openService(
  config: ServiceConfig,
  { now = () => new Date(), log = pino({ level: 'silent' }) }: ServiceOptions = {},
): Promise<Service> {
  const opened = await openAccess(config, { now });
  const appends = new AppendRate({ nowMs: () => now().getTime() });
  const metrics = new ServiceMetrics({ onAccepted: (count) => appends.note(count) });
  const warnings = new WarningCounts();
  let datastream: Datastream;
  try {
    const backend = await openBackend(config.store);
    datastream = new Datastream(backend, {
      now,
      // The service's own maintenance, or that of others, soon has what is left to it.
      liveDownsampling: backend.supports.liveLevels && 'unless-bulk',
      onWarning: (warning) => {
        warnings.note(warning);
        metrics.noteWarning(warning.code);
        log.warn({ code: warning.code }, warning.message);
      },
    });
  } catch (error) {
    await opened.close();
    throw error;
  }
  return assembled(config, { opened, datastream, metrics, appends, warnings, now, log });
}

interface Parts extends Required<ServiceOptions> {
  readonly opened: OpenAccess;
  readonly datastream: Datastream;
  readonly metrics: ServiceMetrics;
  readonly appends: AppendRate;
  readonly warnings: WarningCounts;
}

function assembled(config: ServiceConfig, parts: Parts): Service {
  const { opened, datastream, metrics, appends, warnings, now, log } = parts;
  const { state, access } = opened;
  const writer = new BatchWriter(datastream, {
    nowMs: () => now().getTime(),
    levelsFollow: datastream.supports.liveLevels,
  });
  const live = new LiveFeed(datastream, {
    nowMs: () => now().getTime(),
    rememberedCountMax: config.live.rememberedEvents,
    waitingCountMax: config.live.waitingEvents,
    onError: (error) =>
      log.error({ err: error }, 'The store cannot be followed; it is tried again.'),
  });
  const feeds = new Feeds({
    state,
    datastream,
    writer,
    newStreams: newStreamsOf(config.ingest),
  });
  const demo = new SineDemoSwitch({ state, feeds });
  const alerts = openAlerts(config, parts);
  const jobs = serviceJobs(config, {
    state,
    access,
    datastream,
    alerts,
    demo,
    metrics,
    warnings,
    now,
    log,
  });
  metrics.addGauge('datastream_live_readers', 'Readers of events.', () => live.counts.readers);
  metrics.addGauge('datastream_streams', 'Streams of the store.', () =>
    datastream.findStreams().count(),
  );
  const graphite = graphiteServer(config, { writer, metrics, log, now });
  const ending = new AbortController();
  const statistics = new Statistics(datastream, { now, appends, signal: ending.signal });
  const countHost = (accepted: number): void =>
    metrics.noteIngest('host', { accepted, duplicate: 0, dropped: 0 });
  let host: HostCollection | null = null;
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    ending.abort();
    await graphite?.stop(config.shutdown);
    await host?.stop();
    await jobs.stop();
    await live.close();
    await alerts.stop();
    await statistics.idle();
    try {
      await datastream.close();
    } finally {
      await opened.close();
    }
  };
  return {
    config,
    datastream,
    state,
    access,
    writer,
    live,
    jobs,
    alerts,
    feeds: { feeds, demo },
    metrics,
    statistics,
    openedAt: now(),
    graphite,
    log,
    now,
    ending: ending.signal,
    start: async () => {
      if (graphite !== null) {
        await listenForGraphite(graphite, config);
        log.info({ port: graphite.port }, 'Graphite is taken in.');
      }
      jobs.start();
      if (config.collect) host ??= collectHost(datastream, { now, log, onStored: countHost });
    },
    end: () => ending.abort(),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function listenForGraphite(
  graphite: GraphiteServer,
  { ingest: { graphiteHost: host, graphitePort: port } }: ServiceConfig,
): Promise<void> {
  try {
    await graphite.listen();
  } catch (error) {
    const settings = 'ingest.graphiteHost, ingest.graphitePort';
    throw listeningError(error, { host, port: port!, settings });
  }
}

function openAlerts(config: ServiceConfig, parts: Parts): Alerts {
  const { opened, datastream, metrics, now, log } = parts;
  const { webhookTimeout, webhookTries, webhookSecret, email } = config.alerts;
  return new Alerts({
    state: opened.state,
    datastream,
    settings: { timeoutMs: webhookTimeout, tryCountMax: webhookTries, webhookSecret, email },
    watchRights: watchRights(opened.access),
    mayTell: (ownerId, destination) =>
      ownerId === null ||
      opened.access.identityOf(ownerId)?.isAdmin === true ||
      refusedPlace(destination, config.alerts) === null,
    now,
    log,
    onTry: (kind, outcome) => metrics.noteDelivery(kind, outcome),
  });
}

/** Rules look at what their owners may change; those without an owner are an admin's. */
function watchRights(access: Access): WatchRights {
  return (ownerId) => {
    if (ownerId === null) return () => true;
    const identity = access.identityOf(ownerId);
    // Asked anew for each stream: what is not kept need not be noticed when it changes.
    return identity && ((stream) => access.policy.can(identity, 'change', stream));
  };
}
