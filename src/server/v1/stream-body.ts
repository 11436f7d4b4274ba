import type { Stream } from '../../api/types.ts';
import { PERMISSIONS, type Viewer } from '../http/viewer.ts';
import type { StreamBody } from './schemas/streams.ts';

type JsonObject = StreamBody['tags'];

/** What somebody gets to know about a stream. */
export function streamBody(stream: Stream, viewer: Viewer): StreamBody {
  const { derivedFrom, highestGranularity, levels } = stream;
  return {
    id: stream.id,
    version: stream.version,
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
        stream: id,
        granularity: granularity.name,
      })),
      ...(derivedFrom.query && { query: derivedFrom.query as JsonObject }),
    },
    contributesTo: stream.contributesTo.map(({ streamId, op, args }) => ({
      streamId,
      op,
      args: args as JsonObject,
    })),
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
