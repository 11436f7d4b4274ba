import type { FastifyInstance } from 'fastify';
import { buildApp } from '../../src/server/app.ts';
import { serviceConfigSchema } from '../../src/server/config/service-config.ts';
import { openService, type Service } from '../../src/server/service.ts';

/** A service over a store in memory, without a port. */
export interface TestService {
  readonly app: FastifyInstance;
  readonly service: Service;
  close(): Promise<void>;
}

/** @param settings as in a configuration file. */
export async function openTestService(
  settings: Record<string, unknown> = {},
  { now }: { readonly now?: () => Date } = {},
): Promise<TestService> {
  const config = serviceConfigSchema.parse({
    store: 'memory:',
    access: { mode: 'open' },
    ...settings,
  });
  const service = await openService(config, now && { now });
  const app = await buildApp(service);
  await app.ready();
  return {
    app,
    service,
    close: async () => {
      // Event streams would keep the application open.
      service.end();
      await app.close();
      await service.close();
    },
  };
}
