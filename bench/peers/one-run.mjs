// node --expose-gc one-run.mjs '{ engine, part, pass, seed, isSmoke, folder }': one part of the work in a process of
// its own. Prints the outcome as JSON.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ENGINES } from './engines.mjs';
import { figuresOfPass } from './passes.mjs';
import { Run } from './run.mjs';
import { FULL_SIZE, SMOKE_SIZE } from './workload.mjs';

/** Added to the seed: a rehearsal has other data of the same kind. */
const REHEARSAL_SEED_OFFSET = 1_000_000;

const { engine, part, pass, seed, isSmoke, folder } = JSON.parse(process.argv[2]);
const { load, rehearsalSize } = ENGINES[engine];
const parts = await load();
if (pass === 'rehearsed') await rehearse();
const run = new Run({
  seed,
  size: isSmoke ? SMOKE_SIZE : FULL_SIZE,
  folder: join(folder, 'measured'),
});
await parts[part](run);
const outcome = run.outcome();
const printed = { ...outcome, figures: figuresOfPass(pass, outcome.figures) };
process.stdout.write(`${JSON.stringify(printed)}\n`, () => process.exit(0));

/** The same work on a throw-away store, unmeasured: the measured one then finds compiled code. */
async function rehearse() {
  const rehearsalFolder = join(folder, 'rehearsal');
  const size = isSmoke ? SMOKE_SIZE : rehearsalSize;
  await parts[part](new Run({ seed: seed + REHEARSAL_SEED_OFFSET, size, folder: rehearsalFolder }));
  rmSync(rehearsalFolder, { recursive: true, force: true });
  // Nobody is to pay for what the rehearsal has left in memory.
  globalThis.gc();
}
