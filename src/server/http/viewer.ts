import type { Datastream } from '../../api/datastream.ts';
import type { Stream } from '../../api/types.ts';
import { StreamNotFound } from '../../exceptions/errors.ts';
import type { Json, Tags } from '../../model/tags.ts';
import { Problem } from './problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whoever asks. */
    viewer: Viewer;
  }
}

/** What may be done with a stream. */
export const PERMISSIONS = ['view', 'append', 'change', 'delete', 'grant'] as const;

export type Permission = (typeof PERMISSIONS)[number];

/** Whoever asks, as far as streams are concerned. */
export interface Viewer {
  can(permission: Permission, stream: { readonly id: string; readonly tags: Tags }): boolean;
  /** Whether every stream with these tags may be viewed, whatever other tags it has. */
  canViewAll(tags: Tags): boolean;
  /** Whether a stream with these tags may be created. */
  canCreate(tags: Tags): boolean;
  /** Whether a stream's tags may become these: nobody gains by them what he could not be granted by the viewer. */
  canRetag(stream: { readonly id: string; readonly tags: Tags }, tags: Tags): boolean;
  /** Whether the stream is somebody's already: it becomes its creator's a moment after it is there. */
  isOwned(streamId: string): boolean;
  /** Tells that the viewer has created streams, which become his. */
  created(streamIds: readonly string[]): Promise<void>;
  /** Tells that he has deleted streams: what was granted on them is over. */
  deleted(streamIds: readonly string[]): Promise<void>;
  /** Tells that he has changed what a stream is, or erased a part of its data. */
  changed(streamId: string, change: StreamChange): void;
}

/** For the audit log. */
interface StreamChange {
  readonly action: 'stream.change' | 'stream.erase';
  readonly before?: Json;
  readonly after: Json;
}

/**
 * Reads a stream that somebody wants to do something with. What he may not see does not exist for him.
 * @throws {StreamNotFound} {Problem} 403
 */
export async function streamFor(
  { datastream, viewer }: { readonly datastream: Datastream; readonly viewer: Viewer },
  streamId: string,
  permission: Permission,
): Promise<Stream> {
  const stream = await datastream.getStream(streamId);
  if (viewer.can(permission, stream)) return stream;
  if (!viewer.can('view', stream)) throw new StreamNotFound(streamId);
  throw new Problem(403, `You may not ${permission} the stream ${streamId}.`, {
    code: 'NOT_ALLOWED',
  });
}
