import { Datastream } from '../api/datastream.ts';
import { openBackend } from '../backends/open-backend.ts';
import type { ServiceConfig } from './config/service-config.ts';

/** Everything that routes work with. */
export interface Service {
  readonly config: ServiceConfig;
  readonly datastream: Datastream;
  /** The only clock. */
  readonly now: () => Date;
  /** Ends all parts in order, and closes the stores. Idempotent. */
  close(): Promise<void>;
}

export interface ServiceOptions {
  readonly now?: () => Date;
}

/**
 * Opens the stores and starts the parts.
 * @throws whatever `openBackend` throws.
 */
export async function openService(
  config: ServiceConfig,
  { now = () => new Date() }: ServiceOptions = {},
): Promise<Service> {
  const backend = await openBackend(config.store);
  const datastream = new Datastream(backend, {
    now,
    liveDownsampling: backend.supports.liveLevels,
  });
  return { config, datastream, now, close: () => datastream.close() };
}
