import type { FastifyReply, FastifyRequest } from 'fastify';
import { logFailure, type Problem, problemOf } from '../../http/problem.ts';
import { escaped, page } from './html.ts';
import { contentTypeOf, wantsPage } from './negotiation.ts';

/** What the administrative interface refuses, with the word that its clients know for it. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** Beside the word and the sentence. */
  readonly more: object;

  constructor(status: number, code: string, message: string, more: object = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.more = more;
  }
}

/** Words for what the service itself refuses. */
const WORDS: Readonly<Record<number, string>> = {
  401: 'not-authenticated',
  403: 'lacking-privilege',
  404: 'not-found',
  409: 'conflict',
  413: 'too-large',
  415: 'wrong-content-type',
  429: 'too-many-requests',
  503: 'not-available',
};

/** Answers `{"error": word, "message": sentence}`, and browsers with a page. */
export function sendApiError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, code, message, more, headers } =
    error instanceof ApiError ? { ...spread(error), headers: {} } : ofProblem(error, request);
  reply.code(status).headers(headers);
  if (wantsPage(request)) {
    const text = page(`Error ${status}`, `<p>${escaped(message)}</p>`);
    reply.type(contentTypeOf('html')).serializer(String).send(text);
    return;
  }
  reply
    .type('application/json')
    .serializer(JSON.stringify)
    .send({ error: code, message, ...more });
}

function spread({ status, code, message, more }: ApiError) {
  return { status, code, message, more };
}

function ofProblem(error: unknown, request: FastifyRequest) {
  const { status, message, field, headers } = seenProblem(error, request);
  const code = WORDS[status] ?? (status >= 500 ? 'failure' : 'invalid');
  return { status, code, message, headers, more: field === undefined ? {} : { field } };
}

/** The answer that an error becomes; the log says more of a failure. */
export function seenProblem(error: unknown, request: FastifyRequest): Problem {
  const problem = problemOf(error);
  if (problem.status >= 500) logFailure(problem, request);
  return problem;
}
