import type { Datastream } from '../../api/datastream.ts';
import { DatastreamException, StreamNotFound } from '../../exceptions/errors.ts';
import { Problem, problemOf } from './problem.ts';
import { PERMISSIONS, type Viewer } from './viewer.ts';

/** Whoever asks, and where the streams are. */
export interface Sight {
  readonly datastream: Pick<Datastream, 'getStream'>;
  readonly viewer: Viewer;
}

const STREAM_ID = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

/** Those of the streams that may not be viewed, or are gone. */
export async function hiddenAmong(
  streamIds: Iterable<string>,
  { datastream, viewer }: Sight,
): Promise<ReadonlySet<string>> {
  const hidden = new Set<string>();
  if (viewer.canViewAll({})) return hidden;
  for (const streamId of new Set(streamIds)) {
    const stream = await getOrNull(datastream, streamId);
    if (stream === null || !viewer.can('view', stream)) hidden.add(streamId);
  }
  return hidden;
}

/**
 * Runs what may be refused because of streams that derive from each other. A refusal tells nothing of those that are
 * not the viewer's to know.
 * @throws {Problem} with the code of the refusal, in its place.
 */
export async function hidingStreams<T>(sight: Sight, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    // One that is not there was named by whoever asks.
    if (!(error instanceof DatastreamException) || error instanceof StreamNotFound) throw error;
    if (!(await namesUnknown(error.message, sight))) throw error;
    throw new Problem(
      problemOf(error).status,
      'Another stream, which you may not see, stands against this.',
      { code: error.code, cause: error },
    );
  }
}

async function namesUnknown(text: string, { datastream, viewer }: Sight): Promise<boolean> {
  for (const [streamId] of text.matchAll(STREAM_ID)) {
    const stream = await getOrNull(datastream, streamId);
    const isKnown =
      stream !== null && PERMISSIONS.some((permission) => viewer.can(permission, stream));
    if (!isKnown) return true;
  }
  return false;
}

async function getOrNull(
  datastream: Sight['datastream'],
  streamId: string,
): Promise<Awaited<ReturnType<Datastream['getStream']>> | null> {
  try {
    return await datastream.getStream(streamId);
  } catch (error) {
    if (error instanceof StreamNotFound) return null;
    throw error;
  }
}
