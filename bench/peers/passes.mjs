// The passes of an engine over a part of the work, each in a process of its own, and which figures count of each.
//
//   cold       the process does nothing else: what it is before anything is compiled, and its peak of memory
//   rehearsed  the process has done the same work before, on a throw-away store with other data: everything else
//   single     the only one of a part that is slow
import { OURS } from './engines.mjs';

const RSS_FIGURE = 'w2_peak_rss';
const COLD_NAMES = new Map([
  ['w1_ingest', 'w1_ingest_cold'],
  ['w2_ingest', 'w2_ingest_cold'],
  [RSS_FIGURE, RSS_FIGURE],
]);

/** @returns the passes over a part in this round, counted from 0; maybe none */
export function passesOf({ name, coldPartNames, slowPartNames = [] }, { part, round }) {
  const isFirst = round === 0;
  if (slowPartNames.includes(part)) return isFirst ? ['single'] : [];
  // Peers are cold once: it takes time, and their figures hardly depend on it.
  const isCold = coldPartNames.includes(part) && (isFirst || name === OURS);
  return isCold ? ['cold', 'rehearsed'] : ['rehearsed'];
}

/** @returns those that count, under the names of the report */
export function figuresOfPass(pass, figures) {
  const entries = Object.entries(figures);
  if (pass === 'single') return figures;
  if (pass === 'rehearsed')
    return Object.fromEntries(entries.filter(([name]) => name !== RSS_FIGURE));
  return Object.fromEntries(
    entries.flatMap(([name, value]) =>
      COLD_NAMES.has(name) ? [[COLD_NAMES.get(name), value]] : [],
    ),
  );
}
