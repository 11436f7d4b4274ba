import type { Backend } from '../backends/backend.ts';
import {
  InconsistentStreamConfiguration,
  NotSupported,
  OutstandingDependenciesError,
} from '../exceptions/errors.ts';
import type { StreamId, StreamSnapshot } from '../model/stream.ts';
import type { Tags } from '../model/tags.ts';
import { markerOf } from './copy-marker.ts';
import { missingForData, missingForStream } from './copy-support.ts';
import { userTags } from './hidden-tags.ts';
import { depthOf } from './live-stream.ts';
import { readSources } from './source-query.ts';

/** Streams named in one message, at most. */
const NAMED_COUNT_MAX = 20;

/** From where to where. */
export interface CopyRoute {
  readonly from: Backend;
  readonly to: Backend;
}

/** What must be known of a stream to put it in its place. */
export interface SelectedStream {
  readonly streamId: StreamId;
  readonly tags: Tags;
  readonly depth: number;
  readonly sourceIds: readonly StreamId[];
}

export interface LeftOut {
  readonly streamId: StreamId;
  readonly tags: Tags;
  readonly reasons: readonly string[];
}

/**
 * Finds out what can be copied, in creation order, and what the target cannot hold.
 * @throws {OutstandingDependenciesError} when a source of a selected stream is not selected.
 * @throws {NotSupported} when the target cannot hold all of it, unless that is to be left out.
 * @throws {InconsistentStreamConfiguration} when a stream is itself a copy that is not finished.
 */
export async function selectForCopy(
  { from, to }: CopyRoute,
  pages: AsyncIterable<readonly StreamSnapshot[]>,
  { skipUnsupported, signal }: { skipUnsupported: boolean; signal: AbortSignal | undefined },
): Promise<{
  readonly streams: readonly SelectedStream[];
  readonly unsupported: readonly LeftOut[];
}> {
  const selected: SelectedStream[] = [];
  const reasons = new Map<StreamId, readonly string[]>();
  for await (const page of pages) {
    for (const snapshot of page) {
      signal?.throwIfAborted();
      const { record } = snapshot;
      if (markerOf(record) !== null) throw isUnfinished(record.id, from.location);
      selected.push(await selectedStream(from, snapshot));
      const missing = [
        ...missingForStream(snapshot, to.supports),
        ...(await missingForData(from, snapshot, to.supports, signal)),
      ];
      if (missing.length > 0) reasons.set(record.id, missing);
    }
  }
  assertSourcesSelected(selected);
  spread(reasons, selected);
  const unsupported = selected
    .filter(({ streamId }) => reasons.has(streamId))
    .map(({ streamId, tags }) => ({ streamId, tags, reasons: reasons.get(streamId)! }));
  if (unsupported.length > 0 && !skipUnsupported) throw notSupported(to.location, unsupported);
  return { streams: selected.filter(({ streamId }) => !reasons.has(streamId)), unsupported };
}

/** Streams that are tied by derivation, as groups, in the order of their first streams. */
export function familiesOf(
  streams: readonly SelectedStream[],
): readonly (readonly SelectedStream[])[] {
  const parents = new Map<StreamId, StreamId>();
  const rootOf = (streamId: StreamId): StreamId => {
    let root = streamId;
    for (let parent = parents.get(root); parent !== undefined; parent = parents.get(root)) {
      root = parent;
    }
    // Long chains would else be walked again for each of their streams.
    if (root !== streamId) parents.set(streamId, root);
    return root;
  };
  for (const { streamId, sourceIds } of streams) {
    for (const sourceId of sourceIds) {
      const [own, other] = [rootOf(streamId), rootOf(sourceId)];
      if (own !== other) parents.set(other, own);
    }
  }
  const families = new Map<StreamId, SelectedStream[]>();
  for (const stream of streams) {
    const root = rootOf(stream.streamId);
    const family = families.get(root) ?? [];
    family.push(stream);
    families.set(root, family);
  }
  return [...families.values()];
}

async function selectedStream(from: Backend, { record }: StreamSnapshot): Promise<SelectedStream> {
  const { list } =
    record.derivation?.query === undefined
      ? { list: record.derivation?.sources ?? [] }
      : await readSources(from, record);
  const sourceIds = list.map(({ streamId }) => streamId);
  return { streamId: record.id, tags: userTags(record.tags), depth: depthOf(record), sourceIds };
}

function assertSourcesSelected(selected: readonly SelectedStream[]): void {
  const ids = new Set(selected.map(({ streamId }) => streamId));
  for (const { streamId, sourceIds } of selected) {
    const missing = sourceIds.find((sourceId) => !ids.has(sourceId));
    if (missing === undefined) continue;
    throw new OutstandingDependenciesError(
      `Stream ${streamId} derives from stream ${missing}, which is not selected: copy both, or neither.`,
    );
  }
}

/** What derives from a stream that is left out is left out, too. */
function spread(
  reasons: Map<StreamId, readonly string[]>,
  selected: readonly SelectedStream[],
): void {
  if (reasons.size === 0) return;
  for (const { streamId, sourceIds } of selected.toSorted((a, b) => a.depth - b.depth)) {
    const lost = sourceIds.find((sourceId) => reasons.has(sourceId));
    if (lost === undefined) continue;
    reasons.set(streamId, [...(reasons.get(streamId) ?? []), `its source ${lost}`]);
  }
}

function isUnfinished(streamId: StreamId, location: string): InconsistentStreamConfiguration {
  return new InconsistentStreamConfiguration(
    `Stream ${streamId} of ${location} is itself a copy that was not finished.`,
  );
}

function notSupported(location: string, unsupported: readonly LeftOut[]): NotSupported {
  const named = unsupported
    .slice(0, NAMED_COUNT_MAX)
    .map(
      ({ streamId, tags, reasons }) =>
        `stream ${streamId} ${JSON.stringify(tags)} lacks ${reasons.join(' and ')}`,
    );
  const restCount = unsupported.length - named.length;
  if (restCount > 0) named.push(`and ${restCount} more`);
  return new NotSupported(
    `${location} cannot hold all of the streams, and nothing was copied: in it ${named.join('; ')}.`,
  );
}
