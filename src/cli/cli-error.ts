/** Codes of the errors that only the command line knows; the rest are those of the engine. */
export type CliErrorCode =
  | 'USAGE'
  | 'INPUT_INVALID'
  | 'INPUT_SKIPPED'
  | 'CONFIRMATION_REQUIRED'
  | 'DIFFERENCES_FOUND'
  | 'MAINTENANCE_FAILED'
  | 'NOTHING_COLLECTED'
  | 'INTERRUPTED';

/** Ends a command with one line on stderr and the exit code of its `code`. */
export class CliError extends Error {
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliError';
    this.code = code;
  }
}

/** Ends a command as its `cause` does; the message goes on with what was done before that. */
export class PartlyDone extends Error {
  /** What was done, as in `3 datapoints appended`. */
  readonly done: string;
  override readonly cause: unknown;

  constructor(cause: unknown, done: string) {
    super(done, { cause });
    this.name = 'PartlyDone';
    this.cause = cause;
    this.done = done;
  }
}

/** An argument that cannot be understood. */
export function usageError(message: string): CliError {
  return new CliError('USAGE', message);
}
