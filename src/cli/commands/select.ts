import type { Datastream } from '../../api/datastream.ts';
import type { Stream } from '../../api/types.ts';
import { isStreamId, parseTags } from '../parse/tags.ts';

/** The streams that the arguments name, in creation order: one by its id, or all that have the tags. */
export async function* selectStreams(
  datastream: Datastream,
  args: readonly string[],
): AsyncGenerator<Stream, void, undefined> {
  if (args.length === 1 && isStreamId(args[0]!)) yield await datastream.getStream(args[0]!);
  else yield* datastream.findStreams(parseTags(args));
}
