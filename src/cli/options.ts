import { Granularity } from '../model/granularity.ts';
import { usageError } from './cli-error.ts';

/** Gathers an option that may be given several times, or with several values at once. */
export function collectValues(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** Reads a list of names, `mean,min`; empty text is an empty list. */
export function parseNames(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** @throws {CliError} USAGE unless the text is a whole number above zero. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count > 0) return count;
  throw usageError(`Not a whole number above 0: ${JSON.stringify(text)}.`);
}

/** Reads `i/n`, with i from 1 to n. @throws {CliError} USAGE when it is not that. */
export function parseShard(text: string): { readonly index: number; readonly count: number } {
  const [, position = '0', total = '0'] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const index = Number(position) - 1;
  const count = Number(total);
  if (Number.isSafeInteger(count) && index >= 0 && index < count) return { index, count };
  throw usageError(
    `Not a part of the streams: ${JSON.stringify(text)}; expected e.g. 1/4, up to 4/4.`,
  );
}

/** @throws {CliError} USAGE unless the text is one of the choices. */
export function parseChoice<Choice extends string>(
  text: string,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw usageError(`Expected one of ${choices.join(', ')}, not ${JSON.stringify(text)}.`);
}

/** @throws {UnsupportedGranularity} when there is none of that name. */
export function parseGranularity(text: string): Granularity {
  return Granularity.byName(text);
}
