import { ReservedTagNameError } from '../exceptions/errors.ts';
import { isTagObject, type Tags } from '../model/tags.ts';
import { copyJson } from '../model/value-json.ts';

/** Names of what a stream says about itself; no user tag may have them. */
const RESERVED_TAG_NAMES: ReadonlySet<string> = new Set([
  'stream_id',
  'value_downsamplers',
  'time_downsamplers',
  'highest_granularity',
  'derived_from',
  'contributes_to',
  'pending_backprocess',
  'latest_datapoint',
  'earliest_datapoint',
  'downsampled_until',
  'value_type',
  'value_type_options',
]);

/** A query tag that names one stream, beside the user's own tags. */
const STREAM_ID_TAG = 'stream_id';

/**
 * Copies tags that a caller gave, as plain JSON.
 * @throws {ReservedTagNameError} when a name is reserved, or contains `__` at any depth.
 * @throws {TypeError} when it is not a JSON object.
 */
export function checkTags(tags: unknown, what: string): Tags {
  const copy = copyTagObject(tags, what);
  for (const name of Object.keys(copy)) {
    if (isReservedTagName(name)) {
      throw new ReservedTagNameError(`The tag name ${JSON.stringify(name)} is reserved.`);
    }
  }
  checkNames(copy);
  return copy;
}

export function isReservedTagName(name: string): boolean {
  return RESERVED_TAG_NAMES.has(name);
}

/** A tag query of a caller, and the id that it asks for, if any. */
export function checkQuery(tags: unknown): {
  readonly tags: Tags;
  readonly streamId: string | null;
} {
  const { [STREAM_ID_TAG]: streamId, ...rest } = copyTagObject(
    tags === undefined ? {} : tags,
    'query tags',
  );
  if (streamId !== undefined && typeof streamId !== 'string') {
    throw new TypeError(`The query tag ${STREAM_ID_TAG} is the id of a stream, a string.`);
  }
  return { tags: rest, streamId: streamId ?? null };
}

function copyTagObject(tags: unknown, what: string): Tags {
  if (!isTagObject(tags)) throw new TypeError(`Expected ${what} as an object of JSON values.`);
  let copy: unknown;
  try {
    copy = copyJson(tags);
  } catch (error) {
    throw new TypeError(
      `Expected ${what} as an object of JSON values: ${(error as Error).message}`,
    );
  }
  return copy as Tags;
}

function checkNames(value: unknown): void {
  if (Array.isArray(value)) {
    for (const item of value) checkNames(item);
  } else if (isTagObject(value)) {
    for (const [name, below] of Object.entries(value)) {
      if (name.includes('__')) {
        throw new ReservedTagNameError(`The tag name ${JSON.stringify(name)} contains "__".`);
      }
      checkNames(below);
    }
  }
}
