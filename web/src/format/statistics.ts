import type { Certainty } from '../api/statistics.ts';
import { numberText, quantityText } from './number-text.ts';

const SIGNS: Readonly<Record<Certainty, string>> = { exact: '', estimate: '≈ ', atLeast: 'over ' };

/** What stands behind a number that is not exact. */
export const CERTAINTY_TEXT: Readonly<Record<Certainty, string>> = {
  exact: 'counted',
  estimate: 'an estimate, from the counts of its levels',
  atLeast: 'more than these were not counted',
};

/** A count with a sign that says how sure it is. */
export function countText(count: number, certainty: Certainty): string {
  return `${SIGNS[certainty]}${numberText(count)}`;
}

/** Bytes in units of thousands; a dash where nobody knows. */
export function sizeText(sizeBytes: number | null): string {
  return sizeBytes === null ? '–' : quantityText(sizeBytes, 'B');
}
