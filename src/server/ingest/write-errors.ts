/** About a datapoint: others of the stream may be stored. */
const ROW_CODES: ReadonlySet<string> = new Set([
  'INVALID_TIMESTAMP',
  'INVALID_VALUE',
  'NOT_SUPPORTED',
  'UNSUPPORTED_VALUE_TYPE',
]);

/** About a stream, or one that is to be: other streams may be written. */
const STREAM_CODES: ReadonlySet<string> = new Set([
  'APPEND_TO_DERIVED_STREAM_NOT_ALLOWED',
  'INCONSISTENT_STREAM_CONFIGURATION',
  'MULTIPLE_STREAMS_RETURNED',
  'RESERVED_TAG_NAME',
  'STREAM_NOT_FOUND',
  'UNSUPPORTED_DOWNSAMPLER',
  'UNSUPPORTED_GRANULARITY',
]);

/** Why something is not stored. */
export interface Refusal {
  readonly about: 'row' | 'stream';
  readonly code: string;
  readonly detail: string;
}

/** What an error says about what was to be written; null when it is about the store, or a defect. */
export function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  const { code, message: detail } = error;
  if (typeof code !== 'string') return null;
  if (ROW_CODES.has(code)) return { about: 'row', code, detail };
  return STREAM_CODES.has(code) ? { about: 'stream', code, detail } : null;
}
