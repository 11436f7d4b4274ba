import { InvalidOperatorArguments } from '../exceptions/errors.ts';

type Arguments = Readonly<Record<string, unknown>>;

/**
 * Reads an optional argument; null when it is absent.
 * @throws {InvalidOperatorArguments} when there is one and it is not a finite number.
 */
export function readFinite(operator: string, args: Arguments, name: string): number | null {
  return read(operator, args, { name, isFit: Number.isFinite, what: 'a finite number' });
}

/** As `readFinite`, of a number above zero. */
export function readPositive(operator: string, args: Arguments, name: string): number | null {
  const isFit = (value: unknown): boolean => Number.isFinite(value) && (value as number) > 0;
  return read(operator, args, { name, isFit, what: 'a positive finite number' });
}

function read(
  operator: string,
  args: Arguments,
  { name, isFit, what }: { name: string; isFit: (value: unknown) => boolean; what: string },
): number | null {
  const value = args[name];
  if (value === undefined) return null;
  if (isFit(value)) return value as number;
  throw new InvalidOperatorArguments(`Argument ${name} of ${operator} must be ${what}.`);
}
