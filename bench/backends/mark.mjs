// A measured figure, and what was measured beside it.
import { figureText } from './figure-text.mjs';

export const OURS = 'ours';

/** Rates, with the ratio of ours to one of them: the named one, or the only other. */
export function rateMark(name, { rates, goalName, unit, log }) {
  const comparedWith = goalName ?? [...rates.keys()].find((other) => other !== OURS) ?? null;
  const ratio = comparedWith === null ? null : rates.get(OURS) / rates.get(comparedWith);
  return { ...simpleMark(name, unit, Object.fromEntries(rates), log), comparedWith, ratio };
}

/** Figures that are compared with nothing. */
export function simpleMark(name, unit, figures, log) {
  const shown = Object.entries(figures).map(([who, figure]) => `${who} ${figureText(figure)}`);
  log(`${name}: ${shown.join(', ')} ${unit}`);
  return { name, unit, figures, comparedWith: null, ratio: null };
}
