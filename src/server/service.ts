import { Datastream } from '../api/datastream.ts';
import { openBackend } from '../backends/open-backend.ts';
import type { Access } from './access/access.ts';
import type { ServiceConfig } from './config/service-config.ts';
import { BatchWriter } from './ingest/batch-writer.ts';
import { openAccess } from './open-access.ts';
import type { StateStore } from './state/state-store.ts';

/** Everything that routes work with. */
export interface Service {
  readonly config: ServiceConfig;
  readonly datastream: Datastream;
  /** What the service itself keeps. */
  readonly state: StateStore;
  readonly access: Access;
  readonly writer: BatchWriter;
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
 * @throws whatever `openBackend` and `openAccess` throw; nothing is open then.
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
  try {
    const { state, access, close } = await openAccess(config, { now });
    const writer = new BatchWriter(datastream, { nowMs: () => now().getTime() });
    return {
      config,
      datastream,
      state,
      access,
      writer,
      now,
      close: async () => {
        await datastream.close();
        await close();
      },
    };
  } catch (error) {
    await datastream.close();
    throw error;
  }
}
