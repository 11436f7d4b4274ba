import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GranularityName } from '../../src/model/granularity.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const COMMIT_LOG = new URL('./commit-log.mjs', import.meta.url).href;

/** Rows that a commit put in the place of all that the range of a level had. */
export interface Replacement {
  readonly streamId: string;
  readonly granularity: GranularityName;
  readonly startMs: number;
  readonly endMs: number;
  readonly rowCount: number;
}

export interface WorkerEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** What the worker wrote, in the order in which the store took it. */
  readonly replacements: readonly Replacement[];
  /** How often a lease had run out when the worker wanted to renew it. */
  readonly lostLeaseCount: number;
}

/** The real command line in a process of its own, with a log of its commits. */
export class Worker {
  readonly #child: ChildProcess;
  readonly #logPath: string;
  readonly #close: Promise<unknown>;
  #stderr = '';

  constructor(
    argv: readonly string[],
    { folder, name, env = {} }: { folder: string; name: string; env?: Record<string, string> },
  ) {
    this.#logPath = join(folder, `${name}.log`);
    this.#child = spawn(process.execPath, ['--import', COMMIT_LOG, MAIN, ...argv], {
      env: { ...process.env, NODE_OPTIONS: '', COMMIT_LOG: this.#logPath, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#close = once(this.#child, 'close');
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Asks it to end as Ctrl-C does, unless it has ended, and waits until it has. */
  async stop(): Promise<WorkerEnd> {
    this.#child.kill('SIGINT');
    return this.end();
  }

  /** Waits until it has ended by itself. */
  async end(): Promise<WorkerEnd> {
    await this.#close;
    const { exitCode, signalCode } = this.#child;
    const text = existsSync(this.#logPath) ? await readFile(this.#logPath, 'utf8') : '';
    const lines = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Replacement | { readonly lostLease: string });
    const replacements = lines.filter((line) => 'rowCount' in line);
    const lostLeaseCount = lines.length - replacements.length;
    return { exitCode, signal: signalCode, stderr: this.#stderr, replacements, lostLeaseCount };
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
