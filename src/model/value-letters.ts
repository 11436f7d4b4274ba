/** Letters of the value downsamplers by name, in the order of the registry. Wire format: never changes. */
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
});

/** Key of the count in an already downsampled value. */
export const COUNT_LETTER = 'c';

/** Letters of the named downsamplers, in their order. Unknown names are left out. */
export function valueLetters(names: readonly string[]): readonly string[] {
  const letters: Readonly<Record<string, string>> = VALUE_DOWNSAMPLER_LETTERS;
  return names.filter((name) => Object.hasOwn(letters, name)).map((name) => letters[name]!);
}
