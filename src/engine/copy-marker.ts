import type { StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { isTagObject, type Tags } from '../model/tags.ts';

/** Hidden from users. */
const COPY_TAG = 'datastream__copy';

/**
 * What an unfinished copy of a stream knows about itself. Rows that it holds are those that the source had
 * at this revision and version or, where those have changed, later; nulls: nothing is known about them.
 */
export interface CopyMarker {
  /** Location of the source. */
  readonly from: string;
  readonly revision: number | string | null;
  readonly version: number | string | null;
}

/** The marker for rows of this state of a stream. */
export function markerFor(from: string, { revision, version }: StreamSnapshot): CopyMarker {
  return { from, revision, version };
}

/**
 * The record of a copy that is under way: of what maintenance, live derivation and queries look at it has
 * nothing, so that nobody computes with, derives from or finds a part of the data by its tags.
 */
export function unfinishedRecord(record: StreamRecord, marker: CopyMarker): StreamRecord {
  return {
    id: record.id,
    tags: { [COPY_TAG]: { ...marker } },
    valueType: record.valueType,
    valueTypeOptions: record.valueTypeOptions,
    valueDownsamplers: [],
    highestGranularity: record.highestGranularity,
    derivation: null,
    dependents: [],
    stale: [],
    levels: {},
  };
}

/** The marker of a copy that is under way; null when the stream is none. */
export function markerOf({ tags }: StreamRecord): CopyMarker | null {
  const marker = Object.hasOwn(tags, COPY_TAG) ? tags[COPY_TAG]! : null;
  return isTagObject(marker) ? (marker as unknown as CopyMarker) : null;
}

/** A query for the copies from this source that are under way. */
export function unfinishedQuery(from: string): Tags {
  return { [COPY_TAG]: { from } };
}
