import {
  IncompatibleGranularities,
  IncompatibleTypes,
  InvalidOperatorArguments,
} from '../exceptions/errors.ts';
import type { Granularity } from '../model/granularity.ts';
import type { ValueType } from '../model/stream.ts';
import type { SourceDescription } from './operator.ts';

/**
 * Refuses arguments that the operator does not know. An argument that is `undefined` is absent.
 * @throws {InvalidOperatorArguments}
 */
export function checkArgumentNames(
  operator: string,
  args: Readonly<Record<string, unknown>>,
  known: readonly string[] = [],
): void {
  for (const [name, value] of Object.entries(args)) {
    if (value === undefined || known.includes(name)) continue;
    const expected = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`;
    throw new InvalidOperatorArguments(
      `Operator ${operator} knows no argument ${JSON.stringify(name)}: ${expected}.`,
    );
  }
}

/**
 * Holds number, order and names of the sources against the names that the operator wants, null
 * for a source without a name.
 * @throws {InvalidOperatorArguments}
 */
export function checkSourceNames(
  operator: string,
  sources: readonly SourceDescription[],
  wanted: readonly (string | null)[],
): void {
  const isAsWanted =
    sources.length === wanted.length && sources.every(({ name }, i) => name === wanted[i]);
  if (isAsWanted) return;
  throw new InvalidOperatorArguments(
    `Operator ${operator} takes the sources ${listNames(wanted)}, ` +
      `not ${listNames(sources.map(({ name }) => name))}.`,
  );
}

function listNames(names: readonly (string | null)[]): string {
  const texts = names.map((name) => (name === null ? 'unnamed' : JSON.stringify(name)));
  return `(${texts.join(', ')})`;
}

/**
 * Refuses a source of a value type that the operator cannot read.
 * @throws {IncompatibleTypes}
 */
export function checkValueType(
  operator: string,
  source: SourceDescription,
  accepted: readonly ValueType[],
): void {
  if (accepted.includes(source.valueType)) return;
  const which = source.name === null ? 'a source' : `the source ${JSON.stringify(source.name)}`;
  throw new IncompatibleTypes(
    `Operator ${operator} takes ${which} of type ${accepted.join(' or ')}, ` +
      `not ${source.valueType}.`,
  );
}

/**
 * Refuses a source that is read at another granularity than the derived stream's own highest.
 * @throws {IncompatibleGranularities}
 */
export function checkGranularities(
  operator: string,
  sources: readonly SourceDescription[],
  own: Granularity,
): void {
  const other = sources.find(({ granularity }) => granularity.name !== own.name);
  if (other === undefined) return;
  throw new IncompatibleGranularities(
    `Operator ${operator} reads its sources at the derived stream's highest granularity, ` +
      `${own.name}, not at ${other.granularity.name}.`,
  );
}

/**
 * Wants one source: without a name, of numbers, read at the derived stream's own highest granularity.
 * @throws {InvalidOperatorArguments} {IncompatibleTypes} {IncompatibleGranularities}
 */
export function checkOneSource(
  operator: string,
  sources: readonly SourceDescription[],
  own: Granularity,
): void {
  checkSourceNames(operator, sources, [null]);
  checkSources(operator, sources, own);
}

/**
 * Wants one source or more, whatever they are called: of numbers, read at the derived stream's own highest granularity.
 * @throws {InvalidOperatorArguments} {IncompatibleTypes} {IncompatibleGranularities}
 */
export function checkSources(
  operator: string,
  sources: readonly SourceDescription[],
  own: Granularity,
): void {
  if (sources.length === 0) {
    throw new InvalidOperatorArguments(`Operator ${operator} takes at least one source.`);
  }
  for (const source of sources) checkValueType(operator, source, ['numeric']);
  checkGranularities(operator, sources, own);
}
