import type { DeriveFrom } from '../../api/types.ts';
import { usageError } from '../cli-error.ts';

/** Reads `ID`, `ID:granularity`, `name=ID` or `name=ID:granularity`. @throws {CliError} USAGE for anything else. */
export function parseDeriveSource(text: string): DeriveFrom {
  const equals = text.indexOf('=');
  const [stream, ...granularity] = text.slice(equals + 1).split(':');
  if (stream === undefined || stream === '' || equals === 0 || granularity.length > 1) {
    throw usageError(`Not a source: ${JSON.stringify(text)}; expected [name=]ID[:granularity].`);
  }
  return {
    stream,
    ...(equals > 0 && { name: text.slice(0, equals) }),
    ...(granularity[0] !== undefined && { granularity: granularity[0] }),
  };
}

/** Reads a JSON object. @throws {CliError} USAGE when it is none. */
export function parseDeriveArgs(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return parsed as Record<string, unknown>;
    }
  } catch {
    // The message below says what was expected.
  }
  throw usageError(`Not a JSON object: ${JSON.stringify(text)}.`);
}
