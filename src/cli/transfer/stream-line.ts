import type { DeriveFrom, RetentionOptions, Stream, StreamDefinition } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import { isTagObject, type Tags } from '../../model/tags.ts';
import { UTC } from '../../model/time-zone.ts';
import { exactJson } from '../../text/exact-json.ts';
import type { LineFormat } from '../input/datapoint-line.ts';
import { abbreviate, ValueSyntaxError } from '../parse/value.ts';

/** The version of the export layout, docs/reference/cli.md. A changed layout gets a new number. */
export const EXPORT_VERSION = 1;

/** First line of every export. */
export const EXPORT_HEADER: string = exactJson({ export: 'datastream', version: EXPORT_VERSION });

/** The line that defines a stream and stands before its datapoints. */
export function streamLine(stream: Stream): string {
  const { id, tags, valueType, valueTypeOptions, valueDownsamplers, highestGranularity } = stream;
  const definition = {
    valueType,
    valueTypeOptions,
    valueDownsamplers,
    highestGranularity,
    ...(stream.timeZone !== UTC && { timeZone: stream.timeZone }),
    ...extraLevelsOf(stream),
    ...(stream.retention !== null && { retention: stream.retention }),
  };
  return exactJson({ stream: { id, tags, ...definition, derivedFrom: stream.derivedFrom } });
}

/** Names of the levels that not every stream has; nothing where there are none. */
function extraLevelsOf({ levels }: Stream): { readonly levels?: readonly string[] } {
  const extra = levels.filter((level) => !Granularity.values.includes(level));
  return extra.length === 0 ? {} : { levels: extra.map(({ name }) => name) };
}

/** A stream as its line describes it; what the engine checks is left to the engine. */
export interface StreamLine {
  readonly id: string;
  readonly tags: Tags;
  /** Without tags. Sources are ids of the exporting store. */
  readonly definition: Omit<StreamDefinition, 'tags' | 'deriveFrom'>;
  readonly sources: readonly Exclude<DeriveFrom, string>[];
  /** In the place of sources. */
  readonly query: Tags | null;
  readonly isDerived: boolean;
}

/** The version that the first line of an export names; null when it is no such line. */
export function exportVersionOf(text: string): number | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isTagObject(parsed) || parsed['export'] !== 'datastream') return null;
  return typeof parsed['version'] === 'number' ? parsed['version'] : null;
}

/** The JSON in a line that defines a stream; null when the line is something else. */
export function definitionText(text: string, format: LineFormat): string | null {
  if (format === 'csv') return text.startsWith('#') ? text.slice(1) : null;
  return /^\s*\{\s*"stream"\s*:/.test(text) ? text : null;
}

/**
 * Reads the JSON that defines a stream.
 * @throws {ValueSyntaxError} when something of it is missing or of the wrong shape.
 */
export function parseStreamLine(text: string): StreamLine {
  const parsed = parseDefinition(text);
  const stream = isTagObject(parsed) ? parsed['stream'] : undefined;
  if (!isTagObject(stream)) throw new ValueSyntaxError('expected {"stream": {…}}');
  const { id, tags, valueType, valueTypeOptions, valueDownsamplers, highestGranularity } = stream;
  const { timeZone, levels } = stream;
  const isComplete =
    typeof id === 'string' &&
    isTagObject(tags) &&
    typeof valueType === 'string' &&
    isTagObject(valueTypeOptions) &&
    isStringList(valueDownsamplers) &&
    typeof highestGranularity === 'string' &&
    (timeZone === undefined || isString(timeZone)) &&
    (levels === undefined || isStringList(levels));
  if (!isComplete) {
    throw new ValueSyntaxError(`the stream is incomplete: ${abbreviate(exactJson(stream))}`);
  }
  const derivation = parseDerivation(stream['derivedFrom'] ?? null);
  return {
    id,
    tags,
    definition: {
      // The engine refuses a type that it does not know, by name.
      valueType: valueType as NonNullable<StreamDefinition['valueType']>,
      valueTypeOptions,
      valueDownsamplers,
      highestGranularity,
      ...(timeZone !== undefined && { timeZone }),
      ...(levels !== undefined && { levels }),
      // Checked by the engine, by name.
      ...(isTagObject(stream['retention']) && {
        retention: stream['retention'] as RetentionOptions,
      }),
      ...(derivation && { deriveOp: derivation.op, deriveArgs: derivation.args }),
    },
    sources: derivation?.sources ?? [],
    query: derivation?.query ?? null,
    isDerived: derivation !== null,
  };
}

function parseDefinition(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ValueSyntaxError(`not JSON: ${abbreviate(text)}`);
  }
}

interface Derivation {
  readonly op: string;
  readonly args: Tags;
  readonly sources: StreamLine['sources'];
  readonly query: Tags | null;
}

function parseDerivation(value: unknown): Derivation | null {
  if (value === null) return null;
  if (isTagObject(value)) {
    const { op, args, sources, query = null } = value;
    const isQuery = query === null || isTagObject(query);
    if (typeof op === 'string' && isTagObject(args) && Array.isArray(sources) && isQuery) {
      return { op, args, sources: sources.map(parseSource), query };
    }
  }
  throw new ValueSyntaxError(`the derivation is incomplete: ${abbreviate(exactJson(value))}`);
}

function parseSource(value: unknown): StreamLine['sources'][number] {
  if (isTagObject(value)) {
    const { name, stream, granularity } = value;
    const isNamed = typeof name === 'string';
    if ((isNamed || name === null) && typeof stream === 'string' && isString(granularity)) {
      return { stream, granularity, ...(isNamed && { name }) };
    }
  }
  throw new ValueSyntaxError(`a source is incomplete: ${abbreviate(exactJson(value))}`);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isString);
}
