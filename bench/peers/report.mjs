// The table of the comparison, in Markdown.
import { figureText } from '../backends/figure-text.mjs';
import { distanceLines } from './distances.mjs';
import { OURS } from './engines.mjs';
import { FIGURES } from './figures.mjs';
import { FULL_SIZE, SMOKE_SIZE } from './workload.mjs';

export function report({ seed, roundCount, isSmoke, engines, limits, machine }) {
  const measured = engines.filter(({ figures }) => Object.keys(figures).length > 0);
  const ours = measured.find(({ name }) => name === OURS);
  return [
    ...table(measured, ours),
    '',
    `Medians; rounds: ${roundCount}, seed: ${seed}${isSmoke ? ', smoke size: no measurement' : ''}. ` +
      'In parentheses: how many times better ours is.',
    'Before it is measured, each engine does the same kind of work in its process, on a throw-away store with other ' +
      'data (ours and DuckDB all of it, the others a third; a part that takes a minute is done once and without). ' +
      'Peaks of memory, and figures of first work, are of processes that do nothing before.',
    `On ${machine}.`,
    '',
    ...engines.flatMap(engineLines),
    '',
    limitsText(limits),
    ...(ours === undefined ? [] : oursText(ours, limits, isSmoke ? SMOKE_SIZE : FULL_SIZE)),
    '',
  ].join('\n');
}

function table(measured, ours) {
  const peers = measured.filter((engine) => engine !== ours);
  const rows = FIGURES.filter(({ name }) => measured.some(({ figures }) => name in figures));
  return [
    ['figure', ...measured.map(({ title }) => title), 'against the best'],
    ['---', ...measured.map(() => '---:'), '---:'],
    ...rows.map((figure) => [
      `${figure.title}, ${figure.unit}`,
      ...measured.map((engine) => cellOf(figure, engine, ours)),
      bestText(figure, { peers, ours }),
    ]),
  ].map((cells) => `| ${cells.join(' | ')} |`);
}

function cellOf(figure, engine, ours) {
  const value = engine.figures[figure.name];
  if (value === undefined) return '';
  const ratio = engine === ours ? undefined : ratioOf(figure, { engine, ours });
  return figureText(value) + (ratio === undefined ? '' : ` (${ratioText(ratio)})`);
}

/** How many times better ours is; undefined when one of them has no such figure. */
function ratioOf({ name, isRate }, { engine, ours }) {
  const own = ours?.figures[name];
  const other = engine.figures[name];
  if (own === undefined || other === undefined) return undefined;
  return isRate ? own / other : other / own;
}

/** Against the peer that is hardest to beat. */
function bestText(figure, { peers, ours }) {
  const ratios = peers
    .map((engine) => ({ title: engine.title, ratio: ratioOf(figure, { engine, ours }) }))
    .filter(({ ratio }) => ratio !== undefined)
    .sort((a, b) => a.ratio - b.ratio);
  return ratios.length === 0 ? '' : `${ratioText(ratios[0].ratio)} ${ratios[0].title}`;
}

function ratioText(ratio) {
  return `${ratio.toPrecision(ratio < 1000 ? 3 : 4)} ×`;
}

function engineLines({ title, about, missing, notes, failures }) {
  if (missing !== null) return [`- ${title} was not measured: ${missing}`];
  return [
    `- ${title}: ${about}`,
    ...notes.map((note) => `  - ${note}`),
    ...failures.map((failure) => `  - FAILED: ${failure}`),
  ];
}

function limitsText(limits) {
  return (
    `Limits: ${figureText(limits.syncsPerSecond)} appends of 8 kB with fdatasync a second, ` +
    `${figureText(limits.writesPerSecond)} writes of 8 kB with fdatasync into a file that has its size, ` +
    `${figureText(limits.commitsPerSecond)} commits of bare LMDB of what 10,000 points are stored as, ` +
    `${figureText(limits.doublesPerSecond)} doubles a second in a plain pass; ` +
    `order-0 entropy of the deltas ${limits.w1EntropyBytes.toFixed(2)} bytes a point of W1, ` +
    `${limits.w2EntropyBytes.toFixed(2)} of W2.`
  );
}

function oursText({ figures, hashes }, limits, size) {
  return [
    '',
    'How much of that ours reaches:',
    '',
    ...distanceLines(figures, limits, size),
    '',
    `Result hashes: ${hashText(hashes)}`,
  ];
}

function hashText(hashes) {
  return Object.entries(hashes)
    .map(([part, hash]) => `${part} ${hash}`)
    .join(', ');
}
