import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends a server and removes its folder when the process that started it is gone, however it went: the
 * end of its standard input tells it. Each line of the input is the pid to end; 0 is nobody.
 */
const GUARD_SCRIPT = `
folder=$1 signal=$2 pid=0
while read -r line; do pid=$line; done
if [ "$pid" -gt 0 ]; then
  kill -CONT "$pid"; kill -"$signal" "$pid"
  tries=0
  while kill -0 "$pid" && [ "$tries" -lt 50 ]; do tries=$((tries + 1)); sleep 0.1; done
  kill -KILL "$pid"
fi
rm -rf "$folder"
`;

/** Watches over one server for the life of this process. */
export class Guard {
  readonly #shell: ChildProcess;

  constructor(folder: string, stopSignal: 'SIGINT' | 'SIGTERM') {
    this.#shell = spawn(
      'sh',
      ['-c', GUARD_SCRIPT, 'datastream-test-guard', folder, stopSignal.replace('SIG', '')],
      // A group of its own, so that the interrupt of a terminal leaves it to its work.
      { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] },
    );
    // A guard that somebody ended is no reason for a test to fail.
    this.#shell.stdin?.on('error', () => {});
    this.#shell.unref();
    (this.#shell.stdin as unknown as { unref(): void }).unref();
  }

  /** Says whom to end; null is nobody. */
  watch(pid: number | null): void {
    this.#shell.stdin?.write(`${pid ?? 0}\n`);
  }

  /** Lets the guard end; it removes what is left of the folder. */
  release(): void {
    this.#shell.stdin?.end();
  }
}
