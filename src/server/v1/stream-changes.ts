import type { Stream } from '../../api/types.ts';
import type { Tags } from '../../model/tags.ts';
import { hidingStreams, type Sight } from '../http/hidden-streams.ts';
import { Problem, refusingArguments } from '../http/problem.ts';
import type { Viewer } from '../http/viewer.ts';

/** Runs what the engine may refuse, for reasons that whoever asks may know. */
export function refusing<T>(sight: Sight, call: () => Promise<T>): Promise<T> {
  return refusingArguments(() => hidingStreams(sight, call));
}

/** Notes other tags in the audit log. */
export function noteTags(
  viewer: Viewer,
  streamId: string,
  [before, after]: readonly [Tags, Tags],
): void {
  viewer.changed(streamId, {
    action: 'stream.change',
    before: { tags: before },
    after: { tags: after },
  });
}

/** @throws {Problem} 403 */
export function assertMayRetag(viewer: Viewer, stream: Stream, newTags: Tags): void {
  if (viewer.canRetag(stream, newTags)) return;
  throw new Problem(403, 'These tags would give permissions that are not yours to give.', {
    code: 'NOT_ALLOWED',
    field: 'tags',
  });
}
