import { InvalidOperatorArguments } from '../exceptions/errors.ts';

type Arguments = Readonly<Record<string, unknown>>;

/**
 * Reads an optional argument; null when it is absent.
 * @throws {InvalidOperatorArguments} when there is one and it is not a finite number.
 */
export function readFinite(operator: string, args: Arguments, name: string): number | null {
  return readNumber(operator, args, { name, isFit: Number.isFinite, what: 'a finite number' });
}

/** As `readFinite`, of a number above zero. */
export function readPositive(operator: string, args: Arguments, name: string): number | null {
  const isFit = (value: unknown): boolean => Number.isFinite(value) && (value as number) > 0;
  return readNumber(operator, args, { name, isFit, what: 'a positive finite number' });
}

/** As `readPositive` of seconds, in milliseconds. */
export function readDurationMs(operator: string, args: Arguments, name: string): number | null {
  const seconds = readPositive(operator, args, name);
  // As written in decimals: 1.001 * 1000 is a little less than 1001, and 1.1 * 1000 a little more than 1100.
  return seconds === null ? null : Number((seconds * 1000).toPrecision(15));
}

/**
 * Reads an optional argument, a number for which `isFit` holds; null when it is absent.
 * @throws {InvalidOperatorArguments} saying that it must be `what`.
 */
export function readNumber(
  operator: string,
  args: Arguments,
  { name, isFit, what }: { name: string; isFit: (value: unknown) => boolean; what: string },
): number | null {
  const value = args[name];
  if (value === undefined) return null;
  if (isFit(value)) return value as number;
  throw new InvalidOperatorArguments(`Argument ${name} of ${operator} must be ${what}.`);
}

/**
 * Reads an optional argument that is one of some words; the first of them when it is absent.
 * @throws {InvalidOperatorArguments}
 */
export function readWord<Word extends string>(
  operator: string,
  args: Arguments,
  { name, words }: { name: string; words: readonly [Word, ...Word[]] },
): Word {
  const value = args[name];
  if (value === undefined) return words[0];
  const word = words.find((item) => item === value);
  if (word !== undefined) return word;
  throw new InvalidOperatorArguments(
    `Argument ${name} of ${operator} must be ${words.map((item) => JSON.stringify(item)).join(' or ')}.`,
  );
}

/** @throws {InvalidOperatorArguments} when an argument that has to be there is absent. */
export function required(operator: string, name: string, value: number | null): number {
  if (value !== null) return value;
  throw new InvalidOperatorArguments(`Operator ${operator} takes the argument ${name}.`);
}
