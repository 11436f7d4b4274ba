/** The statistics that the streams of a history keep, as far as the store has them. */
import type { BackendManifest } from '../../src/backends/manifest.ts';
import type { ModelStream, Rules } from './model.ts';
import { MORE_NOMINAL, MORE_NUMERIC } from './more-statistics.ts';

const NUMERIC = {
  mean: 'm',
  sum: 's',
  min: 'l',
  max: 'u',
  sum_squares: 'q',
  std_dev: 'd',
  count: 'c',
} as const;
const NOMINAL = { count: 'c', most_often: 'o', least_often: 'r', frequencies: 'f' } as const;
const TIMES = {
  mean: 'm',
  first: 'a',
  last: 'z',
  intervals_mean: 'i',
  intervals_min: 'l',
  intervals_max: 'u',
  intervals_sum_squares: 'q',
  intervals_std_dev: 'd',
} as const;
/** The pairs whose names the manifest has. */
function selected(
  letters: Readonly<Record<string, string>>,
  names: readonly string[] | 'all',
): readonly (readonly [name: string, letter: string])[] {
  return Object.entries(letters).filter(([name]) => names === 'all' || names.includes(name));
}

/** How the store differs from the plain one. */
export function rulesOf(supports: BackendManifest): Rules {
  const lettersOf = (
    letters: Readonly<Record<string, string>>,
    names: readonly string[] | 'all',
  ): ReadonlySet<string> => new Set(selected(letters, names).map(([, letter]) => letter));
  return {
    keepsEqualTimestamps: supports.equalTimestamps,
    hasComputedLevels: supports.levels === 'computed',
    letters: {
      v: lettersOf(
        { ...NUMERIC, ...NOMINAL, ...MORE_NUMERIC, ...MORE_NOMINAL },
        supports.valueDownsamplers,
      ),
      t: lettersOf(TIMES, supports.timeDownsamplers),
    },
  };
}

/** Names of the value downsamplers that such a stream has. */
export function downsamplersOf(
  { isNumeric, hasMore }: Pick<ModelStream, 'isNumeric' | 'hasMore'>,
  { valueDownsamplers }: BackendManifest,
): string[] {
  const usual = isNumeric ? NUMERIC : NOMINAL;
  const more = isNumeric ? MORE_NUMERIC : MORE_NOMINAL;
  const letters = hasMore ? { ...usual, ...more } : usual;
  return selected(letters, valueDownsamplers).map(([name]) => name);
}
