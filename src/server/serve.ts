import { once } from 'node:events';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import type { ServiceConfig } from './config/service-config.ts';
import { closeApp } from './operations/closing.ts';
import { assertMayListen, listeningError } from './operations/listening.ts';
import { openService, type Service } from './service.ts';

export interface ServeOptions {
  /** Ends the service. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Variables of the environment that were perhaps meant to be settings: they are logged. */
  readonly unknownVariables?: readonly string[];
  /** Gets what a person at the terminal should know once requests are answered. */
  readonly onListening: (lines: readonly string[]) => Promise<void>;
}

/**
 * Runs the service until the signal; resolves when everything is closed, and nothing that was acknowledged is lost.
 * @throws {ConfigError} when it must not listen where the configuration says, or cannot.
 */
export async function serve(
  config: ServiceConfig,
  { signal, now, unknownVariables = [], onListening }: ServeOptions,
): Promise<void> {
  const log = pino({ level: config.log }, pino.destination({ dest: 2, sync: true }));
  if (unknownVariables.length > 0) {
    log.warn({ variables: unknownVariables }, 'These variables are no settings, and are ignored.');
  }
  const service = await openService(config, { now, log });
  try {
    assertMayListen(config, service.access);
    service.metrics.collectProcess();
    const app = await buildApp(service, { logger: log as FastifyBaseLogger });
    try {
      const address = await listen(app, config);
      await service.start();
      const url = config.publicUrl ?? address;
      await onListening([`Listening on ${url}`, ...setupLines(service, url)]);
      if (!signal.aborted) await once(signal, 'abort');
      log.info('The service ends.');
    } finally {
      service.end();
      await closeApp(app, config.shutdown);
    }
  } finally {
    await service.close();
  }
}

/** @throws {ConfigError} when it cannot listen there. */
async function listen(app: FastifyInstance, { host, port }: ServiceConfig): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    throw listeningError(error, { host, port, settings: 'host, port' });
  }
}

/** The way to the first admin, as long as there is none. */
function setupLines({ access, config }: Service, url: string): readonly string[] {
  if (config.access.mode === 'open') return [];
  const secret = access.setupLink.issue();
  return secret === null ? [] : [`Make the first admin at ${url}/setup#${secret}`];
}
