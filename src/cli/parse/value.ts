import type { ValueType, ValueTypeOptions } from '../../model/stream.ts';

/** What of a stream decides how the text of a value is read. */
export interface ValueSyntax {
  readonly valueType: ValueType;
  readonly valueTypeOptions: ValueTypeOptions;
}

/** A text that is no value of the stream. */
export class ValueSyntaxError extends Error {}

/** A number that is not finite: no value of any stream. */
export class NotFiniteError extends ValueSyntaxError {}

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const NOT_FINITE = /^[+-]?(?:nan|inf(?:inity)?)$/i;
const STRING_OR_NOT_FINITE = /"(?:[^"\\]|\\.)*"|\b(NaN|Infinity)\b/g;
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Counts of already downsampled values must stay numbers, and up to 15 digits are exact in a double. */
const SMALL_WHOLE_NUMBER = /^-?\d{1,15}$/;

/**
 * Reads the text of one value. Numeric streams: a number, `null`, or a JSON object of downsampler
 * letters, decimals kept as text where the stream is of high accuracy. Nominal streams: JSON, or else
 * the text itself. Graph streams: JSON.
 * @throws {ValueSyntaxError} when it cannot be read.
 */
export function parseValue(text: string, syntax: ValueSyntax): unknown {
  const trimmed = text.trim();
  if (syntax.valueType === 'nominal') return parseNominal(text);
  if (trimmed === '') throw new ValueSyntaxError('the value is empty; write null for no data');
  if (syntax.valueType === 'graph') return parseJsonText(trimmed);
  if (NUMBER.test(trimmed)) {
    return syntax.valueTypeOptions.highAccuracy === true ? trimmed : Number(trimmed);
  }
  if (trimmed === 'null') return null;
  if (trimmed.startsWith('{')) return parseJsonValue(trimmed, syntax);
  const reason = `not a number: ${abbreviate(trimmed)}`;
  if (NOT_FINITE.test(trimmed)) throw notFinite(reason);
  throw new ValueSyntaxError(reason);
}

/**
 * Reads a value that is JSON text. Where the stream is of high accuracy every number becomes its exact
 * text, because JSON.parse would round it to a double.
 * @throws {ValueSyntaxError} when it is not JSON.
 */
export function parseJsonValue(text: string, syntax: ValueSyntax): unknown {
  const isExact = syntax.valueType === 'numeric' && syntax.valueTypeOptions.highAccuracy === true;
  return parseJsonText(isExact ? quoteNumbers(text) : text);
}

/** JSON text in which numbers that a double might round are strings of the same digits. */
function quoteNumbers(text: string): string {
  return text.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') || SMALL_WHOLE_NUMBER.test(token) ? token : `"${token}"`,
  );
}

/** Text for a message: quoted, and cut after 60 characters. */
export function abbreviate(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

function parseNominal(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (text === '') throw new ValueSyntaxError('the value is empty; write "" or null');
    return text;
  }
}

function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const reason = `not JSON: ${abbreviate(text)}`;
    const hasNotFinite = [...text.matchAll(STRING_OR_NOT_FINITE)].some(([, word]) => word);
    throw hasNotFinite ? notFinite(reason) : new ValueSyntaxError(reason);
  }
}

function notFinite(reason: string): NotFiniteError {
  return new NotFiniteError(`${reason}; NaN and Infinity are no values, null means no data`);
}
