import type { Stream } from '../../api/types.ts';
import { versionOf } from '../http/caching.ts';
import { hiddenAmong, type Sight } from '../http/hidden-streams.ts';
import { PERMISSIONS } from '../http/viewer.ts';
import type { StreamBody } from './schemas/streams.ts';

type JsonObject = StreamBody['tags'];

/** What somebody gets to know about a stream. */
export async function streamBody(stream: Stream, sight: Sight): Promise<StreamBody> {
  const [body] = await streamBodies([stream], sight);
  return body!;
}

/** What somebody gets to know about streams: of what they are derived from, and what from them, that which he may view. */
export async function streamBodies(
  streams: readonly Stream[],
  { datastream, viewer }: Sight,
): Promise<StreamBody[]> {
  const related = streams.flatMap(({ contributesTo, derivedFrom }) => [
    ...contributesTo.map(({ streamId }) => streamId),
    ...(derivedFrom?.sources ?? []).map(({ stream }) => stream),
  ]);
  const hidden = await hiddenAmong(related, { datastream, viewer });
  return streams.map((stream) => bodyOf(stream, { datastream, viewer, hidden }));
}

function bodyOf(
  stream: Stream,
  { datastream, viewer, hidden }: Sight & { readonly hidden: ReadonlySet<string> },
): StreamBody {
  const { derivedFrom, highestGranularity, levels } = stream;
  return {
    id: stream.id,
    version: versionOf(datastream, stream),
    tags: stream.tags as JsonObject,
    valueType: stream.valueType,
    valueTypeOptions: { ...stream.valueTypeOptions },
    valueDownsamplers: [...stream.valueDownsamplers],
    timeDownsamplers: [...stream.timeDownsamplers],
    highestGranularity: highestGranularity.name,
    levels: levels.map(({ name }) => name),
    timeZone: stream.timeZone,
    earliestDatapoint: isoOrNull(stream.earliestDatapoint),
    latestDatapoint: isoOrNull(stream.latestDatapoint),
    downsampledUntil: mapDates(stream.downsampledUntil),
    derivedFrom: derivedFrom && {
      op: derivedFrom.op,
      args: derivedFrom.args as JsonObject,
      sources: derivedFrom.sources.map(({ name, stream: id, granularity }) => ({
        name,
        ...(hidden.has(id) ? { stream: null, hidden: true as const } : { stream: id }),
        granularity: granularity.name,
      })),
      ...(derivedFrom.query && { query: derivedFrom.query as JsonObject }),
    },
    contributesTo: stream.contributesTo
      .filter(({ streamId }) => !hidden.has(streamId))
      .map(({ streamId, op, args }) => ({ streamId, op, args: args as JsonObject })),
    pendingBackprocess: stream.pendingBackprocess,
    retention: stream.retention as StreamBody['retention'],
    expiredUntil: mapDates(stream.expiredUntil) as Record<string, string>,
    permissions: PERMISSIONS.filter((permission) => viewer.can(permission, stream)),
  };
}

function mapDates(
  dates: Readonly<Record<string, Date | null | undefined>>,
): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(dates).map(([name, date]) => [name, isoOrNull(date ?? null)]),
  );
}

function isoOrNull(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
