/**
 * Letters of the value downsamplers by name, in the order of the registry; those of percentiles, of which there
 * is no end, are told by `valueLetter`. Wire format: never changes.
 */
export const VALUE_DOWNSAMPLER_LETTERS: {
  readonly mean: 'm';
  readonly sum: 's';
  readonly min: 'l';
  readonly max: 'u';
  readonly sum_squares: 'q';
  readonly std_dev: 'd';
  readonly count: 'c';
  readonly median: 'n';
  readonly most_often: 'o';
  readonly least_often: 'r';
  readonly frequencies: 'f';
  readonly first: 'a';
  readonly last: 'z';
  readonly range: 'g';
  readonly variance: 'v';
  readonly rate_of_change: 'k';
  readonly distinct: 'h';
  readonly integral: 'i';
  readonly time_weighted_mean: 'w';
  readonly coverage: 'e';
} = Object.freeze({
  mean: 'm',
  sum: 's',
  min: 'l',
  max: 'u',
  sum_squares: 'q',
  std_dev: 'd',
  count: 'c',
  median: 'n',
  most_often: 'o',
  least_often: 'r',
  frequencies: 'f',
  first: 'a',
  last: 'z',
  range: 'g',
  variance: 'v',
  rate_of_change: 'k',
  distinct: 'h',
  integral: 'i',
  time_weighted_mean: 'w',
  coverage: 'e',
});

/** Key of the count in an already downsampled value. */
export const COUNT_LETTER = 'c';

const PERCENTILE_PREFIX = 'percentile_';

/** Those that say of datapoints what a group of them, as the finished statistics it is, cannot tell. */
const GROUPLESS_NAMES: readonly string[] = Object.freeze([
  'rate_of_change',
  'distinct',
  'integral',
  'time_weighted_mean',
  'coverage',
]);

/** The percentage in the name of a percentile, from 0 to 100 and written without needless zeros; null for other names. */
export function percentageOf(name: string): number | null {
  if (!name.startsWith(PERCENTILE_PREFIX)) return null;
  const text = name.slice(PERCENTILE_PREFIX.length);
  const percentage = Number(text);
  return percentage >= 0 && percentage <= 100 && String(percentage) === text ? percentage : null;
}

/** The letter of a named downsampler; null for an unknown name. */
export function valueLetter(name: string): string | null {
  const letters: Readonly<Record<string, string>> = VALUE_DOWNSAMPLER_LETTERS;
  if (Object.hasOwn(letters, name)) return letters[name]!;
  const percentage = percentageOf(name);
  return percentage === null ? null : `p${percentage}`;
}

/** Letters of the named downsamplers, in their order. Unknown names are left out. */
export function valueLetters(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => valueLetter(name) ?? []);
}

/** Whether streams with the downsampler take already downsampled values. */
export function takesGroups(name: string): boolean {
  return percentageOf(name) === null && !GROUPLESS_NAMES.includes(name);
}
