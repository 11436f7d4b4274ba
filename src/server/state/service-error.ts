/** HTTP status by error code: what the service itself refuses or fails at, beside the errors of the engine. */
const STATUS = {
  INVALID_FIELD: 400,
  WEAK_PASSWORD: 400,
  UNAUTHENTICATED: 401,
  WRONG_CREDENTIALS: 401,
  FORBIDDEN: 403,
  CSRF_TOKEN_INVALID: 403,
  SETUP_LINK_INVALID: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  LAST_ADMIN: 409,
  JOB_RUNNING: 409,
  LIMIT_REACHED: 409,
  LOCKED_OUT: 429,
  STATE_UNREADABLE: 500,
  STATE_FORMAT_UNSUPPORTED: 500,
  STATE_UNAVAILABLE: 503,
  TOO_BUSY: 503,
} as const;
export type ServiceErrorCode = keyof typeof STATUS;

export interface ServiceErrorOptions extends ErrorOptions {
  /** The field of the request that is wrong, dotted where nested. */
  readonly field?: string;
  /** When another try makes sense. */
  readonly retryAfterMs?: number;
}

/** Something that the service refuses or cannot do. Match on `code`, never on the text. */
export class ServiceError extends Error {
  readonly code: ServiceErrorCode;
  /** The HTTP status; frameworks read it under this name. */
  readonly statusCode: number;
  readonly field: string | null;
  readonly retryAfterMs: number | null;

  constructor(code: ServiceErrorCode, message: string, options: ServiceErrorOptions = {}) {
    super(message, options);
    this.name = 'ServiceError';
    this.code = code;
    this.statusCode = STATUS[code];
    this.field = options.field ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}
