import { once } from 'node:events';
import type { FastifyBaseLogger } from 'fastify';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import type { ServiceConfig } from './config/service-config.ts';
import { openService, type Service } from './service.ts';

export interface ServeOptions {
  /** Ends the service. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Gets what a person at the terminal should know once requests are answered. */
  readonly onListening: (lines: readonly string[]) => Promise<void>;
}

/** Runs the service until the signal; resolves when everything is closed, and nothing that was acknowledged is lost. */
export async function serve(
  config: ServiceConfig,
  { signal, now, onListening }: ServeOptions,
): Promise<void> {
  const logger = pino({ level: config.log }, pino.destination({ dest: 2, sync: true }));
  const service = await openService(config, { now });
  try {
    const app = await buildApp(service, { logger: logger as FastifyBaseLogger });
    try {
      const address = await app.listen({ host: config.host, port: config.port });
      const url = config.publicUrl ?? address;
      await onListening([`Listening on ${url}`, ...setupLines(service, url)]);
      if (!signal.aborted) await once(signal, 'abort');
    } finally {
      await app.close();
    }
  } finally {
    await service.close();
  }
}

/** The way to the first admin, as long as there is none. */
function setupLines({ access, config }: Service, url: string): readonly string[] {
  if (config.access.mode === 'open') return [];
  const secret = access.setupLink.issue();
  return secret === null ? [] : [`Make the first admin at ${url}/setup#${secret}`];
}
