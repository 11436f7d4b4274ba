// npm run bench -- --marks [--smoke] [--json]: speed marks of the embedded store, with fixed inputs.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Datastream, openBackend } from '../../dist/index.js';
import { machineText } from '../machine-text.mjs';
import { writeSection } from '../section.mjs';
import { measureBareCommits, measureMemoryScan, measureSyncedAppends } from './baselines.mjs';
import { runMarks } from './marks.mjs';
import { runObjectMarks, SHARE_UNIT } from './object-marks.mjs';

/** Of the inputs at full size: whatever makes the engine faster must not change what it computes. */
const EXPECTED_HASH = 'b485f6b5af4fc2e8';
const EXPECTED_SMOKE_HASH = 'dd2867bd165b2d84';

/** Measures all marks; prints a table or JSON. @returns whether results were as expected. */
export async function benchEmbedded({ isSmoke, isJson, into }) {
  const [startLoad] = loadavg();
  const folder = mkdtempSync(join(tmpdir(), 'datastream-bench-'));
  try {
    const log = (line) => process.stderr.write(`  ${line}\n`);
    const scale = isSmoke ? 0.01 : 1;
    const { figures, hash, values } = await withStore(join(folder, 'store'), (datastream) =>
      runMarks(datastream, { scale, log }),
    );
    const objectFigures = await withStore(join(folder, 'objects'), (datastream) =>
      runObjectMarks(datastream, { scale, folder, log }),
    );
    const baselines = {
      syncs: measureSyncedAppends(folder, isSmoke ? 20 : 500),
      commitMs: await measureBareCommits(folder, isSmoke ? 20 : 300),
      scan: measureMemoryScan(values),
    };
    const result = { figures: [...figures, ...objectFigures], hash, ...baselines };
    const text = `${table(result)}\nOn ${machineText(startLoad)}.\n`;
    process.stdout.write(isJson ? `${JSON.stringify(result)}\n` : text);
    if (into !== undefined) writeSection(into, 'marks', text);
    return isExpected(hash, isSmoke ? EXPECTED_SMOKE_HASH : EXPECTED_HASH);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withStore(folder, work) {
  const datastream = new Datastream(await openBackend(`embedded:${folder}`));
  try {
    return await work(datastream);
  } finally {
    await datastream.close();
  }
}

function isExpected(hash, expected) {
  if (hash === expected) return true;
  process.stderr.write(`The result hash is ${hash}, and was ${expected}: a result has changed.\n`);
  return false;
}

function table({ figures, hash, syncs, commitMs, scan }) {
  const rows = figures.map(({ name, unit, goal, rate }) =>
    [
      name,
      `${rateText(rate)} ${unit}`,
      rateText(goal),
      `${(rate / goal).toFixed(2)}`,
      unit === SHARE_UNIT ? '' : `${(rate / scan).toFixed(4)}`,
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
  if (rate >= 1e5) return `${(rate / 1e6).toPrecision(3)} M`;
  return rate < 100 ? rate.toPrecision(3) : Math.round(rate).toLocaleString('en');
}
