// node one-run.mjs '{ engine, part, seed, isSmoke, folder }': one part of the work in a process of its own, so
// that its peak of memory is its own. Prints the outcome as JSON.
import { ENGINES } from './engines.mjs';
import { Run } from './run.mjs';
import { FULL_SIZE, SMOKE_SIZE } from './workload.mjs';

const { engine, part, seed, isSmoke, folder } = JSON.parse(process.argv[2]);
const run = new Run({ seed, size: isSmoke ? SMOKE_SIZE : FULL_SIZE, folder });
const parts = await ENGINES[engine].load();
await parts[part](run);
process.stdout.write(`${JSON.stringify(run.outcome())}\n`, () => process.exit(0));
