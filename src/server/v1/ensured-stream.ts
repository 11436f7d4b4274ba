import type { z } from 'zod';
import type { Stream, StreamDefinition } from '../../api/types.ts';
import { isEqualJson, mergeTags } from '../../model/tags.ts';
import { Problem } from '../http/problem.ts';
import { streamFor, type Viewer } from '../http/viewer.ts';
import type { Service } from '../service.ts';
import { assertMayDerive } from './derivation-rights.ts';
import type { ensureStreamSchema } from './schemas/streams.ts';
import { assertMayRetag, noteTags, refusing } from './stream-changes.ts';

type Wanted = z.output<typeof ensureStreamSchema>;

interface Parts extends Pick<Service, 'datastream' | 'config' | 'writer'> {
  readonly viewer: Viewer;
  /** Whether one that is there is refused, and left as it is. */
  readonly mustBeNew: boolean;
}

/**
 * Finds the stream that somebody asks for by tags, or creates it, which makes it his: of several who do so at the
 * same moment, it is one's, and the others have found it.
 * @throws {Problem} 403, 412, what the engine says of the definition.
 */
export async function ensuredStream(
  parts: Parts,
  wanted: Wanted,
): Promise<{ readonly stream: Stream; readonly isNew: boolean }> {
  const { datastream, viewer } = parts;
  for (;;) {
    const found = await datastream.findStreams(wanted.query).slice(0, 2).toArray();
    if (found.length > 0) {
      return { stream: await changedStream(parts, wanted, found), isNew: false };
    }
    const id = await createdStream(parts, wanted);
    // Somebody else was faster: it is found now.
    if (id === null) continue;
    await viewer.created([id]);
    return { stream: await datastream.getStream(id), isNew: true };
  }
}

async function createdStream(
  { datastream, config, viewer }: Parts,
  { query, ...definition }: Wanted,
): Promise<string | null> {
  if (!viewer.canCreate(mergeTags(query, definition.tags ?? {}))) throw notAllowed();
  await assertMayDerive({ datastream, viewer }, definition.deriveFrom);
  const { valueDownsamplers, granularity: highestGranularity } = config.ingest;
  return refusing({ datastream, viewer }, () =>
    datastream.createStream(query, {
      valueDownsamplers,
      highestGranularity,
      ...definition,
    } as StreamDefinition),
  );
}

async function changedStream(
  { datastream, writer, viewer, mustBeNew }: Parts,
  { query, ...definition }: Wanted,
  found: readonly Stream[],
): Promise<Stream> {
  const { id, tags, valueDownsamplers, highestGranularity } = found[0]!;
  // One that may not be seen is as good as none.
  const isSeen = found.some((stream) => viewer.can('view', stream));
  if (!isSeen && !viewer.can('change', found[0]!)) throw notAllowed();
  const present = await streamFor({ datastream, viewer }, id, 'change');
  if (mustBeNew) {
    throw new Problem(412, 'There is a stream with these tags already.', {
      code: 'ALREADY_EXISTS',
    });
  }
  // Of one that is there, these become the tags.
  assertMayRetag(viewer, present, mergeTags(query, definition.tags ?? {}));
  await assertMayDerive({ datastream, viewer }, definition.deriveFrom);
  await refusing({ datastream, viewer }, () =>
    datastream.ensureStream(query, {
      valueDownsamplers,
      highestGranularity,
      ...definition,
    } as StreamDefinition),
  );
  // Who may append to it goes by its tags.
  writer.forget([id]);
  const stream = await datastream.getStream(id);
  if (!isEqualJson(tags, stream.tags)) noteTags(viewer, id, [tags, stream.tags]);
  return stream;
}

function notAllowed(): Problem {
  return new Problem(403, 'You may not create streams with these tags.', { code: 'NOT_ALLOWED' });
}
