import { TIME_DOWNSAMPLERS, VALUE_DOWNSAMPLERS } from '../../../downsamplers/registry.ts';
import { Granularity } from '../../../model/granularity.ts';
import { isoTimeMs } from '../../../text/time.ts';
import { Problem } from '../../http/problem.ts';

export type Parameters = Readonly<Record<string, unknown>>;

const TRUE_WORDS: ReadonlySet<string> = new Set(['yes', 'true', 't', '1', 'y']);
const WHOLE = /^-?\d+$/;

/** The values of a parameter, which may be repeated. */
function textsOf(parameters: Parameters, name: string): readonly string[] {
  const given = parameters[name];
  if (given === undefined) return [];
  return (Array.isArray(given) ? given : [given]).map(String);
}

/** The last value of a parameter; null when it is not there, or empty. */
export function textOf(parameters: Parameters, name: string): string | null {
  const text = textsOf(parameters, name).at(-1) ?? '';
  return text === '' ? null : text;
}

/** @throws {Problem} 400 unless it is a whole number from 0 on. */
export function countOf(
  parameters: Parameters,
  name: 'limit' | 'offset',
  { byDefault }: { readonly byDefault: number },
): number {
  const text = textOf(parameters, name);
  if (text === null) return byDefault;
  const count = WHOLE.test(text) ? Number(text) : Number.NaN;
  if (count >= 0) return count;
  throw new Problem(
    400,
    Number.isNaN(count)
      ? `Invalid ${name} '${text}' provided. Please provide a positive integer.`
      : `Invalid ${name} '${text}' provided. Please provide a positive integer >= 0.`,
  );
}

export function flagOf(parameters: Parameters, name: string): boolean {
  return TRUE_WORDS.has((textOf(parameters, name) ?? '').toLowerCase());
}

/** By name or key, in whatever case names are; null when it is not there. @throws {Problem} 400 */
export function granularityOf(parameters: Parameters): Granularity | null {
  const text = textOf(parameters, 'granularity');
  if (text === null) return null;
  const found = Granularity.values.find(({ name, key }) => {
    return key === text || name === text.toLowerCase();
  });
  if (found !== undefined) return found;
  throw new Problem(400, `Invalid granularity: '${text}'`);
}

/** Names of downsamplers, given as names or keys; null when there are none. @throws {Problem} 400 */
export function downsamplersOf(
  parameters: Parameters,
  kind: 'value' | 'time',
): readonly string[] | null {
  const words = textsOf(parameters, `${kind}_downsamplers`)
    .flatMap((text) => text.split(','))
    .filter((word) => word !== '');
  if (words.length === 0) return null;
  const known = kind === 'value' ? VALUE_DOWNSAMPLERS : TIME_DOWNSAMPLERS;
  return words.map((word) => {
    const found = known.find(({ name, letter }) => name === word || letter === word);
    if (found !== undefined) return found.name;
    throw new Problem(400, `Invalid ${kind} downsampler: '${word}'`);
  });
}

/** One side of a range of time. */
export interface Bound {
  readonly time: Date | null;
  readonly isExclusive: boolean;
}

/** Whole seconds since the epoch, or ISO 8601. @throws {Problem} 400 */
export function boundOf(parameters: Parameters, side: 'start' | 'end'): Bound {
  const included = textOf(parameters, side);
  const excluded = textOf(parameters, `${side}_exclusive`);
  if (included !== null && excluded !== null) {
    throw new Problem(400, `Only one time range ${side} can be specified.`);
  }
  const text = included ?? excluded;
  if (text === null) return { time: null, isExclusive: false };
  const timeMs = WHOLE.test(text) ? Number(text) * 1000 : isoTimeMs(text);
  if (timeMs !== null && Math.abs(timeMs) <= 8.64e15) {
    return { time: new Date(timeMs), isExclusive: included === null };
  }
  throw new Problem(400, `Invalid time range ${side} value: '${text}'`);
}
