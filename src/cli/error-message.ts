/** What the engine advises to callers of the library, and the words for it on the command line. */
const LIBRARY_ADVICE = 'pass checkTimestamp: false to add late data';
const COMMAND_ADVICE = '"append --allow-late" adds late data';

/** The message of an error, in terms of the command line. */
export function errorMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message === '' ? 'unknown error' : message.replace(LIBRARY_ADVICE, COMMAND_ADVICE);
}

/** A message as part of a longer line: without the full stop at its end. */
export function withoutFullStop(message: string): string {
  return message.replace(/\.$/, '');
}
