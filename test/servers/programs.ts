import { influxdb } from './influxdb.ts';
import { mongodb } from './mongodb.ts';
import { postgresql } from './postgresql.ts';
import { redis } from './redis.ts';
import type { ServerName } from './registry.ts';
import type { ServerProgram } from './test-server.ts';

/** How each server is run on this machine. */
export const PROGRAMS: Readonly<Record<ServerName, ServerProgram>> = {
  postgresql,
  influxdb,
  mongodb,
  redis,
};
