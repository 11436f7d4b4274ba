/** A request that did not succeed. */
export class ApiError extends Error {
  /** Of the answer; 0: there was none. */
  readonly status: number;
  readonly code: string | null;
  /** Which parameter or member was wrong. */
  readonly field: string | null;

  constructor(
    status: number,
    message: string,
    { code = null, field = null }: { code?: string | null; field?: string | null } = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.field = field;
  }

  /** Whether the service does not have the route at all, rather than what was asked for. */
  get isMissingRoute(): boolean {
    return this.status === 404 && this.code === null;
  }

  get isUnreachable(): boolean {
    return this.status === 0;
  }

  /** What happened, for a person. */
  static textOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
  }
}
