import type { StreamInfo } from '../api/types.ts';
import { LETTERS } from './columns.ts';
import type { LineKind } from './plot-model.ts';
import { visualizationOf } from './visualization.ts';

/** What can be a line, the best first. */
const LINES = ['mean', 'median', 'sum', 'count', 'max', 'min'] as const;

export interface DrawnLevels {
  /** Letter of the line. */
  readonly letter: string;
  readonly kind: LineKind;
  /** Names to ask for; empty: the stream has none that a chart can draw. */
  readonly valueDownsamplers: readonly string[];
}

/**
 * Which downsamplers of a stream a chart draws: those that its tags ask for, or its mean with the extremes as a band,
 * or what comes nearest.
 */
export function drawnLevels(stream: Pick<StreamInfo, 'valueDownsamplers' | 'tags'>): DrawnLevels {
  const visualization = visualizationOf(stream);
  const has = (name: string): boolean => stream.valueDownsamplers.includes(name);
  if (visualization?.type === 'event') {
    return {
      letter: LETTERS['count']!,
      kind: 'line',
      valueDownsamplers: has('count') ? ['count'] : [],
    };
  }
  const wanted = visualization?.valueDownsamplers?.filter(has) ?? [];
  const isBandOnly = wanted.includes('min') && wanted.includes('max') && !wanted.includes('mean');
  if (isBandOnly) return { letter: 'm', kind: 'band', valueDownsamplers: ['min', 'max'] };
  const line = LINES.find((name) => (wanted.length > 0 ? wanted.includes(name) : has(name)));
  if (line === undefined) return { letter: 'm', kind: 'line', valueDownsamplers: [] };
  const letter = LETTERS[line]!;
  if (visualization?.type === 'stack') return { letter, kind: 'stack', valueDownsamplers: [line] };
  // Around a sum or a count, the extremes of single datapoints are no band.
  const extremes = line === 'sum' || line === 'count' ? [] : bandOf(wanted, has);
  return { letter, kind: 'line', valueDownsamplers: [...new Set([line, ...extremes])] };
}

function bandOf(wanted: readonly string[], has: (name: string) => boolean): readonly string[] {
  if (wanted.length > 0) return ['min', 'max'].filter((name) => wanted.includes(name));
  return has('min') && has('max') ? ['min', 'max'] : [];
}
