import type { z } from 'zod';
import type { Datastream } from '../../api/datastream.ts';
import { Problem } from '../http/problem.ts';
import { streamFor, type Viewer } from '../http/viewer.ts';
import type { ensureStreamSchema } from './schemas/streams.ts';

type DeriveFrom = z.output<typeof ensureStreamSchema>['deriveFrom'];

/**
 * What is derived shows what it is derived from: whoever derives may view all of it, now and later.
 * @throws {StreamNotFound} {Problem} 403 where a tag query finds more than that.
 */
export async function assertMayDerive(
  { datastream, viewer }: { readonly datastream: Datastream; readonly viewer: Viewer },
  deriveFrom: DeriveFrom,
): Promise<void> {
  if (deriveFrom === undefined) return;
  if (typeof deriveFrom === 'object' && 'query' in deriveFrom) {
    if (viewer.canViewAll(deriveFrom.query)) return;
    throw new Problem(403, 'You may not view every stream that has these tags.', {
      code: 'NOT_ALLOWED',
      field: 'deriveFrom.query',
    });
  }
  for (const source of [deriveFrom].flat()) {
    const streamId = typeof source === 'string' ? source : source.stream;
    await streamFor({ datastream, viewer }, streamId, 'view');
  }
}
