// npm run bench [-- --rounds N --seed N --only ENGINES --smoke --json]: the same work by our engine and by others.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quantile } from '../backends/rounds.mjs';
import { runChild } from '../child.mjs';
import { machineText } from '../machine-text.mjs';
import { writeSection } from '../section.mjs';
import { ENGINES, OURS } from './engines.mjs';
import { measureLimits, widerLimits } from './limits.mjs';
import { installPackages } from './packages.mjs';
import { passesOf } from './passes.mjs';
import { report } from './report.mjs';

/** Of our results for seed 1: whatever makes the engine faster must not change what it computes. */
const EXPECTED_HASHES = {
  full: expectedHashes('6c26f170d82de7ae', '0f35ca595e59dbc9', '4f4151319ebf6750'),
  smoke: expectedHashes('caff48e6a669afdf', '5493119176d4ba25', '75468c0a316023aa'),
};
/** So that a process can collect what a rehearsal has left. */
const NODE_OPTIONS = { nodeOptions: ['--expose-gc'] };
const ONE_RUN = fileURLToPath(new URL('./one-run.mjs', import.meta.url));

/**
 * Measures the named engines, or all, in turn, round by round; prints a table or JSON.
 * @returns whether all answers were right and ours were as expected.
 */
export async function benchPeers({ isSmoke, isJson, only, into, roundCount, seed }) {
  const names = only?.split(',') ?? Object.keys(ENGINES);
  const unknown = names.find((name) => !Object.hasOwn(ENGINES, name));
  if (unknown !== undefined) {
    throw new Error(
      `There is no engine "${unknown}" to measure: ${Object.keys(ENGINES).join(', ')}.`,
    );
  }
  const log = (line) => process.stderr.write(`  ${line}\n`);
  if (names.some((name) => ENGINES[name].isPackage)) installPackages(log);
  const present = names.filter((name) => ENGINES[name].missingReason() === null);
  const [startLoad] = loadavg();
  const limitsBefore = await measureLimits({ seed, isSmoke });
  const outcomes = await runRounds(present, { isSmoke, roundCount, seed, log });
  const engines = names.map((name) => ({
    name,
    title: ENGINES[name].title,
    missing: ENGINES[name].missingReason(),
    ...summary(outcomes.get(name) ?? []),
  }));
  const limits = widerLimits(limitsBefore, await measureLimits({ seed, isSmoke }));
  const result = { seed, roundCount, isSmoke, engines, limits, machine: machineText(startLoad) };
  const text = report(result);
  process.stdout.write(isJson ? `${JSON.stringify(result)}\n` : text);
  if (into !== undefined) writeSection(into, 'peers', text);
  return isRight(result);
}

/** @returns outcomes of all parts in all rounds, by engine. */
async function runRounds(names, { isSmoke, roundCount, seed, log }) {
  const outcomes = new Map(names.map((name) => [name, []]));
  for (let round = 0; round < roundCount; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length];
      for (const { part, pass } of tasksOf(name, round)) {
        const startedMs = performance.now();
        const outcome = await runOnce({ engine: name, part, pass, seed, isSmoke });
        const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
        log(`round ${round + 1}: ${name} ${part}, ${pass}, ${seconds} s${trouble(outcome)}`);
        outcomes.get(name).push({ part, ...outcome });
      }
    }
  }
  return outcomes;
}

function tasksOf(name, round) {
  const engine = { name, ...ENGINES[name] };
  return engine.partNames.flatMap((part) =>
    passesOf(engine, { part, round }).map((pass) => ({ part, pass })),
  );
}

function trouble({ failure, missing, failedChecks }) {
  if (failure !== null) return `: FAILED: ${failure}`;
  if (missing !== null) return `: ${missing}`;
  return failedChecks.length === 0 ? '' : `: WRONG: ${[...new Set(failedChecks)].join(', ')}`;
}

/** One part in a process of its own, on an empty folder. */
async function runOnce(task) {
  const folder = mkdtempSync(join(tmpdir(), 'datastream-peers-'));
  try {
    const { printed, failure } = await runChild(ONE_RUN, { ...task, folder }, NODE_OPTIONS);
    const nothing = { about: '', missing: null, failedChecks: [], figures: {}, hash: null };
    return { failure, ...(printed ?? nothing) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Medians of the figures over the rounds, what each was in each round, and what went wrong. */
function summary(outcomes) {
  const rounds = collect(outcomes.flatMap(({ figures }) => Object.entries(figures)));
  const medians = Object.entries(rounds).map(([name, values]) => [name, quantile(values, 0.5)]);
  const hashed = outcomes.filter(({ hash }) => hash !== null);
  const hashes = collect(hashed.map(({ part, hash }) => [part, hash]));
  return {
    about: outcomes.find(({ about }) => about !== '')?.about ?? '',
    figures: Object.fromEntries(medians),
    rounds,
    hashes: Object.fromEntries(
      Object.entries(hashes).map(([part, of]) => [part, [...new Set(of)].join()]),
    ),
    notes: unique(outcomes, ({ part, missing }) => missing && `${part}: ${missing}`),
    failures: unique(outcomes, ({ part, failure, failedChecks }) => {
      if (failure !== null) return `${part}: ${failure}`;
      return failedChecks.length > 0 && `${part}: wrong: ${[...new Set(failedChecks)].join(', ')}`;
    }),
  };
}

/** Lists of the values of each name. */
function collect(entries) {
  const lists = {};
  for (const [name, value] of entries) {
    lists[name] ??= [];
    lists[name].push(value);
  }
  return lists;
}

function unique(outcomes, textOfOutcome) {
  return [...new Set(outcomes.map(textOfOutcome).filter(Boolean))];
}

/** Levels and derived streams that follow each append end as those that are computed at once. */
function expectedHashes(w1, w2, w2Live) {
  return { w1, w1Live: w1, w2, w2Live, w2LiveDerived: w2 };
}

function isRight({ engines, isSmoke, seed }) {
  const expected = seed === 1 ? EXPECTED_HASHES[isSmoke ? 'smoke' : 'full'] : {};
  const ours = engines.find(({ name }) => name === OURS);
  let areOurs = true;
  for (const [part, hash] of Object.entries(ours?.hashes ?? {})) {
    if (expected[part] === undefined || expected[part] === hash) continue;
    process.stderr.write(
      `The hash of ${part} is ${hash}, and was ${expected[part]}: a result has changed.\n`,
    );
    areOurs = false;
  }
  return areOurs && engines.every(({ failures }) => failures.length === 0);
}
