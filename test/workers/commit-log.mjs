// Loaded before the command line (`node --import`): writes down what each commit of this process puts in
// the place of what, after the store has taken it, and the leases that it lost.
// COMMIT_LOG: the file to write lines of JSON to.
// DIE_AT_COMMIT, DIE_FILE: the first of all processes to begin its commit of that number dies of SIGKILL
// without sending it; the file, which it creates, tells the others that one did.
import { appendFileSync, openSync } from 'node:fs';
import { AbstractBackend } from '../../dist/backends/abstract-backend.js';

const { COMMIT_LOG, DIE_AT_COMMIT = 'Infinity', DIE_FILE } = process.env;
const dieAtCount = Number(DIE_AT_COMMIT);
const { commit } = AbstractBackend.prototype;
let begunCount = 0;
let underWayCount = 0;
let isDying = false;

AbstractBackend.prototype.commit = async function (request) {
  begunCount++;
  if (begunCount === dieAtCount) isDying = isFirstToDie();
  // What it has sent is answered and written down first, so that it is known who computed what.
  if (isDying) return dieWhenQuiet();
  underWayCount++;
  try {
    const outcome = await commit.call(this, request);
    if (outcome.isCommitted) log(request);
    return outcome;
  } finally {
    underWayCount--;
    if (isDying) dieWhenQuiet();
  }
};

function log({ writes = [] }) {
  for (const { kind, streamId, granularity, range, block, untilMs } of writes) {
    if (kind !== 'replace' && kind !== 'advance') continue;
    const { timestamps } = block;
    const rowCount = timestamps.length;
    const { startMs, endMs } = range ?? { startMs: timestamps[0] ?? untilMs, endMs: untilMs };
    const line = { streamId, granularity: granularity.name, startMs, endMs, rowCount };
    appendFileSync(COMMIT_LOG, `${JSON.stringify(line)}\n`);
  }
}

const { renewLease } = AbstractBackend.prototype;

AbstractBackend.prototype.renewLease = async function (streamId, options) {
  const isHeld = await renewLease.call(this, streamId, options);
  if (!isHeld) appendFileSync(COMMIT_LOG, `${JSON.stringify({ lostLease: streamId })}\n`);
  return isHeld;
};

function isFirstToDie() {
  try {
    openSync(DIE_FILE, 'wx');
    return true;
  } catch {
    return false;
  }
}

/** Never resolves. */
function dieWhenQuiet() {
  if (underWayCount === 0) process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
}
