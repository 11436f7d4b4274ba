import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { networkOf } from '../access/addresses.ts';
import type { ServiceConfig } from '../config/service-config.ts';
import { Problem } from './problem.ts';

const MINUTE_MS = 60_000;
/** Addresses that are counted at once. */
const ADDRESS_COUNT_MAX = 10_000;

/** Refuses requests of addresses, or networks of IPv6, that send too many in a minute, where the configuration has a limit. */
export async function limitRequests(
  app: FastifyInstance,
  { limits: { requestsPerMinute } }: Pick<ServiceConfig, 'limits'>,
): Promise<void> {
  if (requestsPerMinute === null) return;
  await app.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: MINUTE_MS,
    keyGenerator: ({ ip }) => networkOf(ip),
    cache: ADDRESS_COUNT_MAX,
    errorResponseBuilder: (_request, { max, ttl }) =>
      new Problem(429, `More than ${max} requests in a minute.`, {
        code: 'TOO_MANY_REQUESTS',
        headers: { 'retry-after': String(Math.ceil(ttl / 1000)) },
      }),
  });
}
