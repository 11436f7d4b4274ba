import type { FastifyInstance } from 'fastify';

/** A connection that was kept open for a further request would hold the service. */
const IDLE_CHECK_MS = 50;

/**
 * Stops to listen, lets requests under way be answered, and ends connections that take longer than that; also
 * those that would never end by themselves.
 */
export async function closeApp(app: FastifyInstance, waitMs: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), waitMs);
  const idle = setInterval(() => app.server.closeIdleConnections(), IDLE_CHECK_MS);
  try {
    await app.close();
  } finally {
    clearInterval(idle);
    clearTimeout(timer);
  }
}
