import { UnsupportedGranularity } from '../exceptions/errors.ts';
import { Granularity } from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import type { StreamRecord } from '../model/stream.ts';
import { UTC } from '../model/time-zone.ts';
import { checkExtraLevels, type ExtraLevels, extraLevelNames } from './level-checks.ts';
import { checkKeys } from './option-checks.ts';
import type { GivenGranularity, StreamChanges } from './types.ts';

const LEVEL_KEYS: ReadonlySet<string> = new Set(['add', 'drop']);

/** Either the new list, or what is added to the old one and taken from it. */
export interface LevelChanges {
  readonly list: readonly GivenGranularity[] | null;
  readonly add: readonly GivenGranularity[];
  readonly drop: readonly GivenGranularity[];
  /** Undefined: it stays as it is. */
  readonly timeZone: string | undefined;
}

/**
 * Checks what is to become of the extra levels of a stream, as far as that needs no stream. Null: they stay.
 * @throws {TypeError} when it is neither a list nor `{ add?, drop? }`.
 */
export function checkLevelChanges({ levels, timeZone }: StreamChanges): LevelChanges | null {
  if (levels === undefined && timeZone === undefined) return null;
  const none: LevelChanges = { list: null, add: [], drop: [], timeZone };
  if (levels === undefined) return none;
  if (Array.isArray(levels)) return { ...none, list: [...levels] };
  checkKeys(levels, LEVEL_KEYS, 'levels');
  const { add = [], drop = [] } = levels as { add?: unknown; drop?: unknown };
  if (!Array.isArray(add) || !Array.isArray(drop)) {
    throw new TypeError('Expected levels as a list of granularities, or as { add?, drop? }.');
  }
  return { ...none, add: [...add], drop: [...drop] };
}

/**
 * The extra levels that a stream gets: those that stay, in their order, then those that are added.
 * @throws {UnsupportedGranularity} for a level that the stream cannot have, or does not have and is to lose; and for
 * another time zone while it has extra levels that stay.
 */
export function changedLevels(record: StreamRecord, changes: LevelChanges): ExtraLevels {
  const highest = Granularity.byName(record.highestGranularity);
  const { timeZone: zoneBefore = UTC, extraLevels: before = [] } = record;
  const zone = changes.timeZone === undefined ? zoneBefore : changes.timeZone;
  const asked = checkExtraLevels(highest, changes.list ?? changes.add, zone);
  const wanted = asked.extraLevels ?? [];
  const { timeZone: zoneAfter = UTC } = asked;
  const isKept = keptBy(record, changes, wanted);
  const kept = before.filter(isKept);
  if (zoneAfter !== zoneBefore && kept.length > 0) {
    throw new UnsupportedGranularity(
      `Stream ${record.id} has the level ${kept[0]} in the time zone ${zoneBefore}: it gets the zone ${zoneAfter} ` +
        'only without it.',
    );
  }
  const extraLevels = [...kept, ...wanted.filter((level) => !kept.includes(level))];
  const zoneField = zoneAfter === UTC ? {} : { timeZone: zoneAfter };
  return extraLevels.length === 0 ? zoneField : { ...zoneField, extraLevels };
}

/** Whether a level that the stream has is to stay. */
function keptBy(
  record: StreamRecord,
  { list, drop }: LevelChanges,
  wanted: readonly string[],
): (level: string) => boolean {
  const { timeZone: zoneBefore = UTC, extraLevels = [] } = record;
  if (list !== null) return (level) => wanted.includes(level);
  const dropped = extraLevelNames(drop, zoneBefore);
  const unknown = dropped.find((level) => !extraLevels.includes(level));
  if (unknown === undefined) return (level) => !dropped.includes(level);
  const isFixed = ladderOf({ highestGranularity: record.highestGranularity }).has(
    Granularity.byName(unknown),
  );
  throw new UnsupportedGranularity(
    isFixed && zoneBefore === UTC
      ? `The level ${unknown} cannot be dropped: every stream of ${record.highestGranularity} has it.`
      : `Stream ${record.id} has no level ${unknown} that could be dropped: ` +
          `it has ${extraLevels.join(', ') || 'none but those that every stream has'}.`,
  );
}
