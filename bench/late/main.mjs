// npm run bench -- --late [--rounds N] [--smoke] [--json]: the same data in order, late and shuffled; and corrections.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figureText } from '../backends/figure-text.mjs';
import { runChild } from '../child.mjs';
import { machineText } from '../machine-text.mjs';
import { writeSection } from '../section.mjs';
import { ORDERS } from './orders.mjs';

const ONE_RUN = fileURLToPath(new URL('./one-run.mjs', import.meta.url));
const SIZES = { arrival: 1_000_000, corrected: 10_000_000, correctionCount: 100 };
const SMOKE_SIZES = { arrival: 20_000, corrected: 50_000, correctionCount: 3 };
/** Of seed 1: whatever makes late data quicker must not change what is computed of it. */
const EXPECTED_HASH = '615f1cd32584e32e';
const EXPECTED_SMOKE_HASH = '2cf6cac6fde89978';
const SEED = 1;

const ARRIVAL_FIGURES = {
  appendSeconds: 'appends, s',
  downsampleSeconds: 'maintenance, s',
  currentSeconds: 'both, s',
  currentRatio: '… of that in order',
  checkpointSeconds: 'checkpoint at the end, s',
  lastingSeconds: 'all three, s',
  lastingRatio: '… of that in order',
  elapsedSeconds: 'seconds that passed',
  rssMb: 'peak memory, MB',
};

const CORRECTIONS = {
  upsert: 'upsert of a datapoint',
  replace: 'replaceData of a datapoint',
  delete: 'deleteData of a datapoint',
  late: 'append of a late datapoint',
};

/** Measures each order and the corrections; prints tables or JSON. @returns whether all results were right */
export async function benchLate({ isSmoke, isJson, into, roundCount }) {
  const [startLoad] = loadavg();
  const sizes = isSmoke ? SMOKE_SIZES : SIZES;
  const rounds = [];
  for (let round = 0; round < roundCount; round++) {
    for (const order of Object.keys(ORDERS)) {
      const task = { subject: 'arrival', order, seed: SEED, pointCount: sizes.arrival };
      rounds.push({ order, ...(await measureInChild(task)) });
    }
  }
  const orders = Object.keys(ORDERS).map((order) => leastOf(order, rounds));
  for (const { figures } of orders) {
    for (const kind of ['current', 'lasting']) {
      const seconds = `${kind}Seconds`;
      figures[`${kind}Ratio`] = figures[seconds] / orders[0].figures[seconds];
    }
  }
  const { correctionCount } = sizes;
  const task = { subject: 'corrections', seed: SEED, pointCount: sizes.corrected, correctionCount };
  const corrections = await measureInChild(task);
  const hashes = [...new Set(rounds.map(({ hash }) => hash))];
  const text = report({ orders, corrections, sizes, hashes, startLoad });
  process.stdout.write(isJson ? `${JSON.stringify({ orders, corrections, hashes })}\n` : text);
  if (into !== undefined) writeSection(into, 'late', text);
  const failures = [...rounds, corrections].flatMap(({ failure }) => failure ?? []);
  for (const failure of failures) process.stderr.write(`FAILED: ${failure}\n`);
  return failures.length === 0 && areExpected(hashes, isSmoke);
}

function areExpected(hashes, isSmoke) {
  const expected = isSmoke ? EXPECTED_SMOKE_HASH : EXPECTED_HASH;
  if (hashes.length === 1 && hashes[0] === expected) return true;
  process.stderr.write(`Result hashes are ${hashes.join()}, and ${expected} is right.\n`);
  return false;
}

/** In a process of its own, so that its peak of memory is of this task alone. */
async function measureInChild(task) {
  const folder = mkdtempSync(join(tmpdir(), 'datastream-late-'));
  try {
    const { printed, failure } = await runChild(ONE_RUN, { ...task, folder });
    const name = task.order ?? task.subject;
    process.stderr.write(`  ${name}: ${failure ?? JSON.stringify(printed.figures)}\n`);
    return { figures: {}, hash: null, ...printed, failure };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The least of each figure over the rounds: what else the machine does only adds to it. */
function leastOf(order, rounds) {
  const figures = {};
  for (const round of rounds.filter((item) => item.order === order)) {
    for (const [key, figure] of Object.entries(round.figures)) {
      figures[key] = Math.min(figures[key] ?? figure, figure);
    }
  }
  return { order, figures };
}

function report({ orders, corrections, sizes, hashes, startLoad }) {
  const { figures } = corrections;
  return [
    `${countText(sizes.arrival)} datapoints, appended in ten parts; processor time, the least of the rounds`,
    '',
    ...table([
      ['', ...orders.map(({ order }) => ORDERS[order].title)],
      ...Object.entries(ARRIVAL_FIGURES).map(([key, title]) => [
        title,
        ...orders.map(({ figures: of }) => figureText(of[key] ?? Number.NaN)),
      ]),
    ]),
    '',
    `Corrections in a stream of ${countText(sizes.corrected)}, anywhere, p50`,
    '',
    ...table([
      ['', 'the call, ms', 'of the processor', 'the maintenance after it, ms', 'of the processor'],
      ...Object.entries(CORRECTIONS).map(([kind, title]) => [
        title,
        ...['Ms', 'CpuMs', 'MaintainedMs', 'MaintainedCpuMs'].map((figure) =>
          figureText(figures[`${kind}${figure}`] ?? Number.NaN),
        ),
      ]),
    ]),
    '',
    `\`upsertMultiple\` of ${countText(figures.upsertCount ?? 0)}, anywhere in it: ` +
      `${figureText(figures.upsertsSeconds ?? Number.NaN)} s of processor time, ` +
      `${figureText(figures.upsertsMaintainedSeconds ?? Number.NaN)} s for the maintenance after it.`,
    `Hash of all levels, whatever the order: ${hashes.join()}`,
    '',
    `On ${machineText(startLoad)}.`,
    '',
  ].join('\n');
}

function table([head, ...rows]) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)];
}

function countText(count) {
  return count.toLocaleString('en');
}
