/** An error in a form that goes from one thread to another: structured clones lose `code`. */
export interface ErrorParts {
  readonly name: string;
  readonly message: string;
  readonly code?: unknown;
  readonly syscall?: unknown;
}

/** The parts that an exit code and a message are made of. */
export function errorParts(error: unknown): ErrorParts {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, code, syscall } = error as Error & { code?: unknown; syscall?: unknown };
  return { name, message, code, syscall };
}

/** The error of another thread, which ends a command as it would have done in this one. */
export function errorOf(parts: ErrorParts): Error {
  return Object.assign(new Error(parts.message), parts);
}
