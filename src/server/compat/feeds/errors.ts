import type { FastifyReply, FastifyRequest } from 'fastify';
import { logFailure, problemOf } from '../../http/problem.ts';

/** As its clients know them: a sentence, and the parameter that is meant. */
export function sendFeedError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error);
  if (problem.status >= 500) logFailure(problem, request);
  const { status, message, headers, field } = problem;
  reply
    .code(status)
    .headers(headers)
    .type('application/json')
    .serializer(JSON.stringify)
    .send({ error: message, ...(field !== undefined && { field }) });
}
