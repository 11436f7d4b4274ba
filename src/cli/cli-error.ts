/** Codes of the errors that only the command line knows; the rest are those of the engine. */
export type CliErrorCode =
  | 'USAGE'
  | 'INPUT_INVALID'
  | 'INPUT_SKIPPED'
  | 'CONFIRMATION_REQUIRED'
  | 'DIFFERENCES_FOUND'
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

/** An argument that cannot be understood. */
export function usageError(message: string): CliError {
  return new CliError('USAGE', message);
}
