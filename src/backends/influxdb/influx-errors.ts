import { BackendUnavailable } from '../../exceptions/errors.ts';

/**
 * A failure of InfluxDB or of the way to it, before it is put into the words of the contract. Never leaves
 * the backend; its message has no password in it.
 */
export class InfluxFailure extends Error {
  /** HTTP status; null when no answer came. */
  readonly status: number | null;

  constructor(
    message: string,
    options: { readonly status?: number; readonly cause?: unknown } = {},
  ) {
    super(message.trim().replace(/\.$/, ''), 'cause' in options ? { cause: options.cause } : {});
    this.name = 'InfluxFailure';
    this.status = options.status ?? null;
  }

  /** Whether the same may succeed a moment later. */
  get isPassing(): boolean {
    return this.status === null || this.status === 429 || this.status >= 500;
  }

  /** Whether the server refuses this very request, and may serve any other. */
  get isRefusal(): boolean {
    return this.status === 400 || this.status === 413 || this.status === 422;
  }
}

/** Puts a failure into the contract's words; others pass unchanged. */
export function asUnavailable(error: unknown, location: string): unknown {
  if (!(error instanceof InfluxFailure)) return error;
  return new BackendUnavailable(`The store ${location} ${explain(error)}.`, { cause: error });
}

function explain({ status, message }: InfluxFailure): string {
  if (status === null) return `cannot be reached: ${message}`;
  if (status === 401) return `refuses the user or the password: ${message}`;
  if (status === 403) return `does not permit it: ${message}`;
  if (status >= 500) return `has failed: ${message}`;
  return `refuses the request: ${message}`;
}
