#!/usr/bin/env node
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT_CODES } from './exit-codes.ts';
import { run } from './run.ts';

const interruption = new AbortController();
for (const signalName of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signalName, () => {
    // The first signal lets the work end cleanly; the second one ends it, and stores survive that too.
    if (interruption.signal.aborted) process.exit(EXIT_CODES['INTERRUPTED']);
    interruption.abort();
  });
}

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  isTerminal: {
    stdin: process.stdin.isTTY === true,
    stdout: process.stdout.isTTY === true,
    stderr: process.stderr.isTTY === true,
  },
  now: () => new Date(),
  signal: interruption.signal,
  sleep: async (durationMs, signal) => {
    await delay(durationMs, undefined, { signal }).catch(() => {});
  },
  onExit: (work) => {
    process.once('exit', work);
    return () => process.off('exit', work);
  },
  // A terminal may be resized while the live view runs.
  get columnCount() {
    return process.stdout.columns;
  },
  get rowCount() {
    return process.stdout.rows;
  },
});
// A server that was given up on before it answered would hold the process.
if (interruption.signal.aborted) process.exit();
