import { UnsupportedGranularity } from '../exceptions/errors.ts';
import {
  checkTimeZone,
  Granularity,
  type GranularityStep,
  RAW_GRANULARITIES,
} from '../model/granularity.ts';
import { type LadderRecord, ladderOf } from '../model/ladder.ts';
import type { StreamId, StreamRecord } from '../model/stream.ts';
import { UTC } from '../model/time-zone.ts';
import { checkKeys } from './option-checks.ts';
import type { GivenGranularity } from './types.ts';

const STEP_KEYS: ReadonlySet<string> = new Set<keyof GranularityStep>([
  'every',
  'unit',
  'timeZone',
]);

/** A granularity as a caller named it. */
export interface AskedGranularity {
  /** In UTC, where the zone is that of the stream. */
  readonly granularity: Granularity;
  /** Whether it means the stream's time zone: it was given as units without one. */
  readonly isLocal: boolean;
  /** Whether it stands for the level in the stream's time zone where there is none in UTC: a name without a zone. */
  readonly isLocalToo?: boolean;
}

/** @throws {UnsupportedGranularity} when it is no granularity, the name of one, or units. */
export function checkGranularity(value: unknown): AskedGranularity {
  if (typeof value === 'string') {
    const granularity = Granularity.byName(value);
    return { granularity, isLocal: false, isLocalToo: !value.includes('@') };
  }
  const { name, unit, timeZone } = (value ?? {}) as { [key in string]?: unknown };
  if (typeof name === 'string') return { granularity: Granularity.byName(name), isLocal: false };
  if (unit === undefined) {
    throw new UnsupportedGranularity(
      'Expected a granularity: one of Granularity.values, its name, or { every, unit }.',
    );
  }
  checkKeys(value, STEP_KEYS, 'a granularity');
  const granularity = Granularity.of(value as GranularityStep);
  return { granularity, isLocal: timeZone === undefined };
}

/** @throws {UnsupportedGranularity} when it is none that raw datapoints can have. */
export function checkRawGranularity(value: unknown): Granularity {
  const { granularity } = checkGranularity(value);
  if (RAW_GRANULARITIES.includes(granularity)) return granularity;
  throw new UnsupportedGranularity(
    `The highest granularity of a stream is one of ${RAW_GRANULARITIES.join(', ')}, ` +
      `not ${granularity.name}.`,
  );
}

/** The extra levels of a stream, and their zone, as its record has them: absent where there are none. */
export type ExtraLevels = Pick<StreamRecord, 'timeZone' | 'extraLevels'>;

/**
 * Checks the levels that a definition asks for beside those that every stream has.
 * @throws {UnsupportedGranularity} when one is unknown, of another time zone, or not coarser than the highest.
 * @throws {TypeError} when it is no list.
 */
export function checkExtraLevels(
  highest: Granularity,
  levels: readonly GivenGranularity[] | undefined,
  timeZone: string | undefined,
): ExtraLevels {
  if (levels !== undefined && !Array.isArray(levels)) {
    throw new TypeError('levels is a list of granularities.');
  }
  const zone = timeZone === undefined ? UTC : checkTimeZone(timeZone);
  const zoneField = zone === UTC ? {} : { timeZone: zone };
  const fixed = ladderOf({ highestGranularity: highest.name });
  const extra = new Set<string>();
  for (const level of levels ?? []) {
    const granularity = levelInZone(level, zone);
    if (granularity.durationMs <= highest.durationMs) {
      throw new UnsupportedGranularity(
        `The level ${granularity} is not coarser than the highest granularity, ${highest}.`,
      );
    }
    if (!fixed.has(granularity)) extra.add(localName(granularity));
  }
  if (extra.size === 0) return zoneField;
  const record: LadderRecord = {
    highestGranularity: highest.name,
    ...zoneField,
    extraLevels: [...extra],
  };
  const ordered = ladderOf(record).levels.filter((level) => !fixed.has(level));
  return { ...zoneField, extraLevels: ordered.map(localName) };
}

/**
 * Names, without the zone, of levels in a zone.
 * @throws {UnsupportedGranularity} when one is unknown, or of another time zone.
 */
export function extraLevelNames(
  levels: readonly GivenGranularity[],
  zone: string,
): readonly string[] {
  return levels.map((level) => localName(levelInZone(level, zone)));
}

function levelInZone(given: GivenGranularity, zone: string): Granularity {
  const asked = checkGranularity(given);
  const { every, unit } = asked.granularity;
  const granularity = Granularity.of({ every, unit, timeZone: zone });
  const isLocal = asked.isLocal || (typeof given === 'string' && !given.includes('@'));
  if (isLocal || granularity === asked.granularity) return granularity;
  throw new UnsupportedGranularity(
    `The level ${asked.granularity} is in the time zone ${asked.granularity.timeZone}, ` +
      `and the stream is in ${zone}: a stream has one time zone.`,
  );
}

function localName({ every, unit }: Granularity): string {
  return Granularity.of({ every, unit }).name;
}

/** What a caller asked of a stream, which may lack it. */
export function localGranularity(
  { granularity, isLocal, isLocalToo = false }: AskedGranularity,
  record: LadderRecord,
): Granularity {
  const { timeZone = UTC } = record;
  if (!isLocal && !isLocalToo) return granularity;
  const { every, unit } = granularity;
  if (isLocal) return Granularity.of({ every, unit, timeZone });
  const ladder = ladderOf(record);
  if (RAW_GRANULARITIES.includes(granularity) || ladder.has(granularity)) return granularity;
  const local = Granularity.of({ every, unit, timeZone });
  return ladder.has(local) ? local : granularity;
}

/**
 * What a caller asked of a stream: one of its levels, or its raw datapoints, which also stand for everything
 * finer in `Granularity.values`.
 * @throws {UnsupportedGranularity} when the stream has no such level.
 */
export function resolveGranularity(
  asked: AskedGranularity,
  record: LadderRecord & { readonly id: StreamId },
): { readonly granularity: Granularity; readonly isRaw: boolean } {
  const granularity = localGranularity(asked, record);
  const ladder = ladderOf(record);
  if (ladder.has(granularity)) return { granularity, isRaw: false };
  const isFiner = granularity.durationMs <= ladder.raw.durationMs;
  if (isFiner && RAW_GRANULARITIES.includes(granularity)) {
    return { granularity: ladder.raw, isRaw: true };
  }
  throw new UnsupportedGranularity(
    `Stream ${record.id} has no level ${granularity}: it has ${[ladder.raw, ...ladder.levels].join(', ')}.`,
  );
}
