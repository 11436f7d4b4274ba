import { LevelSchema } from '../downsamplers/level-schema.ts';
import { availableTimeDownsamplers, type TimeSupport } from '../downsamplers/registry.ts';
import { userTags } from '../engine/hidden-tags.ts';
import { isPendingBackprocess } from '../engine/live-stream.ts';
import { Granularity } from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import type { StreamSnapshot } from '../model/stream.ts';
import type { Tags } from '../model/tags.ts';
import { UTC } from '../model/time-zone.ts';
import { copyPlain } from '../model/value-json.ts';
import { describeExpiry, describeRetention } from './retention.ts';
import type { Stream } from './types.ts';

/** What callers get to know about a stream: copies, theirs to keep. */
export function describeStream(
  { record, version, earliestMs, latestMs }: StreamSnapshot,
  supports: TimeSupport = { timeDownsamplers: 'all' },
): Stream {
  const { derivation } = record;
  return {
    id: record.id,
    version: String(version),
    tags: copyPlain(userTags(record.tags)) as Tags,
    valueType: record.valueType,
    valueTypeOptions: { ...record.valueTypeOptions },
    valueDownsamplers: [...record.valueDownsamplers],
    timeDownsamplers: LevelSchema.of(record).isEmpty
      ? []
      : availableTimeDownsamplers(supports).map(({ name }) => name),
    highestGranularity: Granularity.byName(record.highestGranularity),
    levels: [...ladderOf(record).levels],
    timeZone: record.timeZone ?? UTC,
    earliestDatapoint: dateOrNull(earliestMs),
    latestDatapoint: dateOrNull(latestMs),
    downsampledUntil: Object.fromEntries(
      ladderOf(record).levels.map(({ name }) => [
        name,
        dateOrNull(record.levels[name]?.untilMs ?? null),
      ]),
    ),
    derivedFrom: derivation && {
      op: derivation.op,
      args: { ...derivation.args },
      sources: derivation.sources.map(({ name, streamId, granularity }) => ({
        name,
        stream: streamId,
        granularity: Granularity.byName(granularity),
      })),
      ...(derivation.query && { query: copyPlain(derivation.query.tags) as Tags }),
    },
    contributesTo: record.dependents.map(({ streamId, op, args }) => ({
      streamId,
      op,
      args: { ...args },
    })),
    pendingBackprocess: isPendingBackprocess(record),
    retention: describeRetention(record),
    expiredUntil: describeExpiry(record),
  };
}

function dateOrNull(timestampMs: number | null): Date | null {
  return timestampMs === null ? null : new Date(timestampMs);
}
