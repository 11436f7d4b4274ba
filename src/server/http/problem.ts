import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { ServiceError } from '../state/service-error.ts';

/** Media type of errors: RFC 9457. */
export const PROBLEM_TYPE = 'application/problem+json';

/** HTTP status by error code of the engine, and of bodies that cannot be read; others are defects: 500. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = Object.freeze({
  STREAM_NOT_FOUND: 404,
  MULTIPLE_STREAMS_RETURNED: 409,
  INCONSISTENT_STREAM_CONFIGURATION: 409,
  OUTSTANDING_DEPENDENCIES: 409,
  APPEND_TO_DERIVED_STREAM_NOT_ALLOWED: 409,
  UNSUPPORTED_DOWNSAMPLER: 400,
  UNSUPPORTED_GRANULARITY: 400,
  UNSUPPORTED_DERIVE_OPERATOR: 400,
  UNSUPPORTED_VALUE_TYPE: 400,
  RESERVED_TAG_NAME: 400,
  INVALID_TIMESTAMP: 400,
  INVALID_VALUE: 400,
  INCOMPATIBLE_GRANULARITIES: 400,
  INCOMPATIBLE_TYPES: 400,
  INVALID_OPERATOR_ARGUMENTS: 400,
  NOT_SUPPORTED: 400,
  BODY_INVALID: 400,
  LOCK_EXPIRED_MID_MAINTENANCE: 503,
  STREAM_APPEND_CONTENDED: 503,
  STREAM_APPEND_FAILED: 503,
  BACKEND_CLOSED: 503,
  BACKEND_UNAVAILABLE: 503,
});

const TITLES: Readonly<Record<number, string>> = Object.freeze({
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  408: 'Too slow',
  409: 'Conflict',
  413: 'Too large',
  414: 'Address too long',
  415: 'Unsupported media type',
  429: 'Too many requests',
  431: 'Headers too long',
  500: 'Internal error',
  503: 'Not available',
});

export interface ProblemOptions extends ErrorOptions {
  /** Stable, for programs. */
  readonly code?: string;
  /** Which parameter or member is meant. */
  readonly field?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What else the body says. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** An answer that is not a success, on purpose. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string | undefined;
  readonly field: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(status: number, detail: string, options: ProblemOptions = {}) {
    super(detail, options);
    this.name = 'Problem';
    this.status = status;
    this.code = options.code;
    this.field = options.field;
    this.headers = options.headers ?? {};
    this.members = options.members ?? {};
  }

  get title(): string {
    return TITLES[this.status] ?? 'Error';
  }
}

/** What a client sees of an error, as in RFC 9457. */
interface ProblemBody {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code?: string;
  readonly field?: string;
}

/** The same, as JSON schema. */
export const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string', const: 'about:blank' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What is wrong, and what was expected.' },
    code: { type: 'string', description: 'Stable, for programs.' },
    field: { type: 'string', description: 'Which parameter or member is meant.' },
  },
} as const;

/** The answer that an error becomes. What nobody foresaw is said without any detail. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof ServiceError) return refusal(error);
  if (hasZodFastifySchemaValidationErrors(error)) return invalidInput(error);
  const { code, statusCode, message } = error as Partial<FastifyError>;
  const status = code === undefined ? undefined : STATUS_BY_CODE[code];
  if (status !== undefined) {
    return new Problem(status, detailOf(status, message), { code: code!, cause: error });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Problem(statusCode, message ?? '', { cause: error });
  }
  return new Problem(500, 'The service failed to answer; its log says why.', { cause: error });
}

/** Where the store is, and what is wrong with it, is for whoever runs the service. */
function detailOf(status: number, message = ''): string {
  return status >= 500 ? 'The store cannot do this now; the log of the service says why.' : message;
}

/** What users, tokens, grants and the like are refused with. */
function refusal(error: ServiceError): Problem {
  const { statusCode, message, code, field, retryAfterMs } = error;
  return new Problem(statusCode, detailOf(statusCode, message), {
    code,
    ...(field !== null && { field }),
    ...(retryAfterMs !== null && {
      headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) },
    }),
    cause: error,
  });
}

/** The body of the answer. */
function problemBody({ title, status, message, code, field, members }: Problem): ProblemBody {
  return {
    type: 'about:blank',
    title,
    status,
    detail: message,
    ...(code !== undefined && { code }),
    ...(field !== undefined && { field }),
    ...members,
  };
}

/** The body of the answer as text. */
export function problemText(problem: Problem): string {
  return JSON.stringify(problemBody(problem));
}

/** Says in the log what clients never see. */
export function logFailure(problem: Problem, { log }: FastifyRequest): void {
  log.error({ err: problem.cause ?? problem }, problem.message);
}

/** Answers with a problem. A status of 500 is logged with its cause, which clients never see. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error);
  if (problem.status >= 500) logFailure(problem, request);
  reply
    .code(problem.status)
    .headers(problem.headers)
    .type(PROBLEM_TYPE)
    .serializer(JSON.stringify)
    .send(problemBody(problem));
}

/** The first thing that is wrong with a request, and where. */
function invalidInput(error: {
  readonly validation: readonly { readonly instancePath: string; readonly message?: string }[];
  readonly validationContext?: string;
}): Problem {
  const [issue] = error.validation;
  const field = issue?.instancePath.replace(/^\//, '').replaceAll('/', '.') ?? '';
  const place = error.validationContext === 'body' ? 'the body' : `the ${error.validationContext}`;
  const subject = field === '' ? place : `${field} in ${place}`;
  const message = (issue?.message ?? 'not valid').replace(/^Invalid input: /, '');
  return new Problem(400, `${subject}: ${message}.`, {
    code: 'INVALID_REQUEST',
    ...(field !== '' && { field }),
  });
}

/**
 * Runs what checks a caller's arguments. The engine refuses wrong ones with the errors of the language, which
 * are the client's here.
 * @throws {Problem} 400 for those.
 */
export async function refusingArguments<T>(call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const isArgument = error instanceof RangeError || error instanceof TypeError;
    if (!isArgument || (error as { code?: unknown }).code !== undefined) throw error;
    throw new Problem(400, error.message, { code: 'INVALID_REQUEST', cause: error });
  }
}
