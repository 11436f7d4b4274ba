import { assert } from './assert.ts';
import { CALENDAR_UNITS, type CalendarUnit, evenCounts } from './calendar.ts';
import { Granularity, type GranularityName, RAW_GRANULARITIES } from './granularity.ts';
import { UTC } from './time-zone.ts';

/** Numbers from here on are of other granularities than those in `Granularity.values`. */
const OTHER_NUMBER_MIN = 16;
/** Added for granularities of zones other than UTC: a stream has those of one zone alone. */
const ZONED_NUMBER_STEP = 64;

/** Every number of units there can be: of each unit, from the shortest, those that divide evenly. */
const KINDS: readonly string[] = CALENDAR_UNITS.flatMap((unit) =>
  evenCounts(unit).map((every) => kindOf({ every, unit })),
);
assert(KINDS.length <= ZONED_NUMBER_STEP, 'every kind has a number of its own');

const NUMBERS: Map<string, number> = new Map(
  Granularity.values.map(({ name }, number) => [name, number]),
);

/**
 * The number under which stores keep a level, below 256. Those in `Granularity.values` have their index there.
 * What is stored depends on it: it never changes, and is the same for every zone but UTC.
 */
export function levelNumber(name: GranularityName): number {
  const known = NUMBERS.get(name);
  if (known !== undefined) return known;
  const granularity = Granularity.byName(name);
  const kind = KINDS.indexOf(kindOf(granularity));
  assert(kind >= 0, 'a granularity is of a known kind');
  const number = OTHER_NUMBER_MIN + kind + (granularity.timeZone === UTC ? 0 : ZONED_NUMBER_STEP);
  NUMBERS.set(name, number);
  return number;
}

/** All numbers that levels may have, ascending. */
export const LEVEL_NUMBERS: readonly number[] = Object.freeze([
  ...Granularity.values.keys(),
  ...KINDS.map((_, kind) => OTHER_NUMBER_MIN + kind),
  ...KINDS.map((_, kind) => OTHER_NUMBER_MIN + ZONED_NUMBER_STEP + kind),
]);

/** The granularity of raw datapoints that have a number. */
export function rawGranularityOf(number: number): Granularity {
  const raw = RAW_GRANULARITIES.find(({ name }) => levelNumber(name) === number);
  assert(raw !== undefined, 'the number of raw datapoints is one of theirs');
  return raw;
}

/** How messages call a level of which only the number is known. */
export function levelLabel(number: number): string {
  const { name } = Granularity.values[number] ?? {};
  const kind = KINDS[(number - OTHER_NUMBER_MIN) % ZONED_NUMBER_STEP];
  return name ?? (number >= OTHER_NUMBER_MIN && kind !== undefined ? kind : `number ${number}`);
}

function kindOf({ every, unit }: { readonly every: number; readonly unit: CalendarUnit }): string {
  return every === 1 ? unit : `${every}${unit}`;
}
