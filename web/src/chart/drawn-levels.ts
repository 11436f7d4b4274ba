import type { StreamInfo } from '../api/types.ts';
import { LETTERS } from './columns.ts';

/** What is drawn as a line, the best first. */
const LINES = ['mean', 'median', 'sum', 'count', 'max', 'min'] as const;

export interface DrawnLevels {
  /** Letter of the line. */
  readonly letter: string;
  /** Names to ask for; empty: the stream has none that a chart can draw. */
  readonly valueDownsamplers: readonly string[];
}

/** Which downsamplers of a stream a chart draws: its mean, or what comes nearest, and the extremes. */
export function drawnLevels({
  valueDownsamplers,
}: Pick<StreamInfo, 'valueDownsamplers'>): DrawnLevels {
  const line = LINES.find((name) => valueDownsamplers.includes(name));
  if (line === undefined) return { letter: 'm', valueDownsamplers: [] };
  const hasBand = valueDownsamplers.includes('min') && valueDownsamplers.includes('max');
  // Around a sum or a count, the extremes of single datapoints are no band.
  const isAmongExtremes = line !== 'sum' && line !== 'count';
  return {
    letter: LETTERS[line]!,
    valueDownsamplers: [...new Set([line, ...(hasBand && isAmongExtremes ? ['min', 'max'] : [])])],
  };
}
