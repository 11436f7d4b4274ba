// npm run bench [-- --smoke] [-- --json]: speed marks of the embedded store, with fixed inputs;
// with --backends [--only NAMES]: the stores on servers beside it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Datastream, openBackend } from '../dist/index.js';
import { measureBareCommits, measureMemoryScan, measureSyncedAppends } from './baselines.mjs';
import { runMarks } from './marks.mjs';

/** Of the inputs at full size: whatever makes the engine faster must not change what it computes. */
const EXPECTED_HASH = 'b485f6b5af4fc2e8';
const EXPECTED_SMOKE_HASH = 'dd2867bd165b2d84';

const { values: options } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    backends: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
if (options.backends) await runBackends();
else await runEmbedded();

async function runBackends() {
  const { benchBackends } = await import('./backends/main.mjs');
  const { smoke: isSmoke, json: isJson, only } = options;
  if (!(await benchBackends({ isSmoke, isJson, only }))) process.exitCode = 1;
}

async function runEmbedded() {
  const folder = mkdtempSync(join(tmpdir(), 'datastream-bench-'));
  try {
    const datastream = new Datastream(await openBackend(`embedded:${join(folder, 'store')}`));
    const log = (line) => process.stderr.write(`  ${line}\n`);
    const { figures, hash, values } = await runMarks(datastream, {
      scale: options.smoke ? 0.01 : 1,
      log,
    });
    await datastream.close();
    const syncs = measureSyncedAppends(folder, options.smoke ? 20 : 500);
    const commitMs = await measureBareCommits(folder, options.smoke ? 20 : 300);
    const scan = measureMemoryScan(values);
    const expected = options.smoke ? EXPECTED_SMOKE_HASH : EXPECTED_HASH;
    if (options.json)
      process.stdout.write(`${JSON.stringify({ figures, hash, syncs, commitMs, scan })}\n`);
    else process.stdout.write(table(figures, { hash, syncs, commitMs, scan }));
    if (hash !== expected) {
      process.stderr.write(
        `The result hash is ${hash}, and was ${expected}: a result has changed.\n`,
      );
      process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function table(figures, { hash, syncs, commitMs, scan }) {
  const rows = figures.map(({ name, unit, goal, rate }) =>
    [
      name,
      `${rateText(rate)} ${unit}`,
      rateText(goal),
      `${(rate / goal).toFixed(2)}`,
      `${(rate / scan).toFixed(4)}`,
    ].join(' | '),
  );
  return [
    '| mark | measured | goal | of goal | of an in-memory pass |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row} |`),
    '',
    `Baselines of this run: ${Math.round(syncs)} appends of 8 kB with fdatasync a second; ` +
      `${commitMs.toFixed(2)} ms for a bare LMDB commit of 12 kB; ` +
      `${rateText(scan)} doubles a second in a plain pass over an array.`,
    `Result hash: ${hash}`,
    '',
  ].join('\n');
}

/** Three digits, in millions where there are any. */
function rateText(rate) {
  return rate >= 1e5 ? `${(rate / 1e6).toPrecision(3)} M` : Math.round(rate).toLocaleString('en');
}
