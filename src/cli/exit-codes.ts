/** Exit code of a command that did what it was asked to. */
export const EXIT_OK = 0;

/** Exit code of an error without a code of its own: a defect, worth a report. */
const EXIT_UNEXPECTED = 70;

/**
 * Exit code by error code: those of the command line first, then those of the engine. The same list
 * stands in docs/reference/cli.md.
 */
export const EXIT_CODES: Readonly<Record<string, number>> = Object.freeze({
  DIFFERENCES_FOUND: 1,
  USAGE: 2,
  INPUT_INVALID: 3,
  INPUT_SKIPPED: 4,
  CONFIRMATION_REQUIRED: 5,
  FILE_ERROR: 6,
  MAINTENANCE_FAILED: 7,
  NOTHING_COLLECTED: 8,
  CONFIG_INVALID: 9,
  STREAM_NOT_FOUND: 10,
  MULTIPLE_STREAMS_RETURNED: 11,
  INCONSISTENT_STREAM_CONFIGURATION: 12,
  OUTSTANDING_DEPENDENCIES: 13,
  UNSUPPORTED_DOWNSAMPLER: 14,
  UNSUPPORTED_GRANULARITY: 15,
  UNSUPPORTED_DERIVE_OPERATOR: 16,
  UNSUPPORTED_VALUE_TYPE: 17,
  RESERVED_TAG_NAME: 18,
  INVALID_TIMESTAMP: 19,
  INVALID_VALUE: 20,
  INCOMPATIBLE_GRANULARITIES: 21,
  INCOMPATIBLE_TYPES: 22,
  APPEND_TO_DERIVED_STREAM_NOT_ALLOWED: 23,
  INVALID_OPERATOR_ARGUMENTS: 24,
  LOCK_EXPIRED_MID_MAINTENANCE: 25,
  STREAM_APPEND_CONTENDED: 26,
  STREAM_APPEND_FAILED: 27,
  BACKEND_CLOSED: 30,
  BACKEND_UNAVAILABLE: 31,
  INVALID_BACKEND_URL: 32,
  DRIVER_MISSING: 33,
  NOT_SUPPORTED: 34,
  STORE_FORMAT_UNSUPPORTED: 35,
  BLOCK_CORRUPT: 36,
  NOT_FOUND: 40,
  ALREADY_EXISTS: 41,
  INVALID_FIELD: 42,
  WEAK_PASSWORD: 43,
  LAST_ADMIN: 44,
  STATE_UNAVAILABLE: 45,
  STATE_FORMAT_UNSUPPORTED: 46,
  STATE_UNREADABLE: 47,
  INTERRUPTED: 130,
});

/** The exit code that an error ends a command with. */
export function exitCodeOf(error: unknown): number {
  const code = errorCodeOf(error);
  return code === null ? EXIT_UNEXPECTED : (EXIT_CODES[code] ?? EXIT_UNEXPECTED);
}

/** The error code that stands in `EXIT_CODES`, or null when the error has none. */
export function errorCodeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const { name, code, syscall } = error as { name?: unknown; code?: unknown; syscall?: unknown };
  if (name === 'AbortError') return 'INTERRUPTED';
  if (typeof code === 'string' && Object.hasOwn(EXIT_CODES, code)) return code;
  return typeof syscall === 'string' ? 'FILE_ERROR' : null;
}
