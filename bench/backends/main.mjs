// npm run bench -- --backends [--smoke] [--json] [--only NAMES]: the stores side by side, and each server's
// store against the bare driver of the same server.
import { figureText } from './figure-text.mjs';
import { FULL_SIZE, measureBackend, SMOKE_SIZE } from './marks.mjs';
import { BACKEND_NAMES, withStores } from './stores.mjs';

/** Whatever makes a store faster must not change what comes back. */
const EXPECTED = {
  full: { raw: '14f4a603191dca8a', extremes: '8724c0853ebd59c8', levels: '9fd1f853cda1cd6c' },
  smoke: { raw: '6dad5f1fab65b9ef', extremes: 'cad68b7174c4b51b', levels: '98313346dab25003' },
};

/** Measures the named backends, or all; prints a table or JSON. @returns whether results were as expected. */
export async function benchBackends({ isSmoke, isJson, only }) {
  const names = only?.split(',') ?? BACKEND_NAMES;
  const unknown = names.find((name) => !BACKEND_NAMES.includes(name));
  if (unknown !== undefined) {
    throw new Error(`There is no backend "${unknown}" to measure: ${BACKEND_NAMES.join(', ')}.`);
  }
  const size = isSmoke ? SMOKE_SIZE : FULL_SIZE;
  const backends = {};
  for (const name of names) {
    const log = (line) => process.stderr.write(`  ${name}: ${line}\n`);
    backends[name] = await withStores(name, (stores) => measureBackend(stores, size, log));
    if (backends[name].missing !== undefined) log(`not measured: ${backends[name].missing}`);
  }
  process.stdout.write(isJson ? `${JSON.stringify({ backends })}\n` : report(backends));
  return areExpected(backends, isSmoke ? EXPECTED.smoke : EXPECTED.full);
}

function areExpected(backends, expected) {
  let isExpected = true;
  for (const [name, { hashes = {} }] of Object.entries(backends)) {
    for (const [of, hash] of Object.entries(hashes)) {
      if (hash === null || hash === expected[of]) continue;
      process.stderr.write(
        `${name}: the hash of ${of} is ${hash}, and was ${expected[of]}: a result has changed.\n`,
      );
      isExpected = false;
    }
  }
  return isExpected;
}

function report(backends) {
  const measured = Object.entries(backends).filter(([, { missing }]) => missing === undefined);
  const missing = Object.entries(backends).filter(([, backend]) => backend.missing !== undefined);
  return [
    ...table(measured),
    '',
    'In parentheses: of the rate of the bare driver on the same server, its quickest way below in bold.',
    '',
    ...measured.flatMap(([name, { marks, server }]) => [
      `- ${server === null ? name : `${name}: ${server}`}`,
      ...marks.flatMap((mark) => besideLine(mark) ?? []),
    ]),
    '',
    ...missing.map(([name, { missing: reason }]) => `- ${name} was not measured: ${reason}`),
    ...measured.map(([name, { hashes }]) => `Result hashes of ${name}: ${hashText(hashes)}`),
    `Peak memory of this process: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
    '',
  ].join('\n');
}

function table(measured) {
  const rowNames = [
    ...new Set(
      measured.flatMap(([, { marks }]) => marks.map(({ name, unit }) => `${name}, ${unit}`)),
    ),
  ];
  return [
    ['mark', ...measured.map(([name]) => name)],
    ['---', ...measured.map(() => '---:')],
    ...rowNames.map((rowName) => [
      rowName,
      ...measured.map(([, { marks }]) =>
        cellOf(marks.find(({ name, unit }) => `${name}, ${unit}` === rowName)),
      ),
    ]),
  ].map((cells) => `| ${cells.join(' | ')} |`);
}

function cellOf(mark) {
  if (mark === undefined) return '';
  const ratio = mark.ratio === null ? '' : ` (${mark.ratio.toFixed(2)} ×)`;
  return figureText(mark.figures.ours) + ratio;
}

function besideLine({ name, unit, figures, comparedWith }) {
  const { ours: _ours, ...others } = figures;
  if (Object.keys(others).length === 0) return null;
  const shown = Object.entries(others).map(
    ([who, figure]) => `${who === comparedWith ? `**${who}**` : who} ${figureText(figure)}`,
  );
  return `  - ${name}, ${unit}: ${shown.join('; ')}`;
}

function hashText(hashes) {
  return Object.entries(hashes)
    .filter(([, hash]) => hash !== null)
    .map(([of, hash]) => `${of} ${hash}`)
    .join(', ');
}
