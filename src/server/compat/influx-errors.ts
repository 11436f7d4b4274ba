import type { FastifyReply, FastifyRequest } from 'fastify';
import { logFailure, problemOf } from '../http/problem.ts';

/** What clients of version 2 call a status. */
const CODES: Readonly<Record<number, string>> = Object.freeze({
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not found',
  413: 'request too large',
  429: 'too many requests',
  500: 'internal error',
  503: 'unavailable',
});

/** As clients of InfluxDB know it: those of version 1 read `error`, those of version 2 `code` and `message`. */
export function sendInfluxError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const problem = problemOf(error);
  if (problem.status >= 500) logFailure(problem, request);
  const { status, message, headers } = problem;
  reply
    .code(status)
    .headers(headers)
    .type('application/json')
    .serializer(JSON.stringify)
    .send({ error: message, code: CODES[status] ?? 'invalid', message });
}
