import { isTagObject, type Json, type Tags } from '../../model/tags.ts';
import { usageError } from '../cli-error.ts';

const STREAM_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Reads tags: each argument is `key=value` (the value is JSON when it parses as JSON, else a string;
 * `a.b=1` nests), or a JSON object. Later arguments are laid over earlier ones.
 * @throws {CliError} USAGE when an argument is neither.
 */
export function parseTags(args: readonly string[]): Tags {
  return args.map(parseTagArgument).reduce(layOver, {});
}

/** As `parseTags`, but an argument that is a stream id asks for that stream. */
export function parseQuery(args: readonly string[]): Tags {
  return parseTags(args.map((arg) => (isStreamId(arg) ? `stream_id=${JSON.stringify(arg)}` : arg)));
}

/** Whether the text has the shape of a stream id. */
export function isStreamId(text: string): boolean {
  return STREAM_ID.test(text);
}

/** Reads dotted paths (`unit`, `site.room`) to the nested object that `removeTag` takes. */
export function parseTagPaths(paths: readonly string[]): Tags {
  return paths.map((path) => nest(path, '', path)).reduce(layOver, {});
}

function parseTagArgument(arg: string): Tags {
  if (arg.trimStart().startsWith('{')) {
    const parsed = parseJson(arg);
    if (isTagObject(parsed)) return parsed;
    throw usageError(`Not a JSON object: ${JSON.stringify(arg)}.`);
  }
  const equals = arg.indexOf('=');
  if (equals < 1) {
    throw usageError(`Not a tag: ${JSON.stringify(arg)}; expected key=value or a JSON object.`);
  }
  const text = arg.slice(equals + 1);
  const value = parseJson(text);
  return nest(arg.slice(0, equals), value === undefined ? text : value, arg);
}

function nest(path: string, value: Json, arg: string): Tags {
  const keys = path.split('.');
  if (keys.some((key) => key === '')) {
    throw usageError(`Not a tag: ${JSON.stringify(arg)} has an empty key.`);
  }
  const tags = keys.reduceRight<Json>((inner, key) => Object.fromEntries([[key, inner]]), value);
  return tags as Tags;
}

/** `Object.fromEntries` defines keys, so that `__proto__` stays a key, which the engine then refuses. */
function layOver(tags: Tags, changes: Tags): Tags {
  const merged = new Map(Object.entries(tags));
  for (const [key, value] of Object.entries(changes)) {
    const present = merged.get(key);
    merged.set(key, isTagObject(present) && isTagObject(value) ? layOver(present, value) : value);
  }
  return Object.fromEntries(merged);
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
