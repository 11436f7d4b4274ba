import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Guard } from './guard.ts';
import { findFreePort } from './ports.ts';
import { descendantsOf, signalIfAlive, untilGone } from './processes.ts';
import type { TestServer } from './test-server.ts';

const READY_WITHIN_MS = 30_000;
const END_WITHIN_MS = 15_000;
const POLL_INTERVAL_MS = 20;
const START_COUNT_MAX = 3;

/** How one server program is run; everything but `prepare` is asked again at each restart. */
export interface Recipe {
  readonly name: string;
  /** The signal on which the program ends at once and in order. */
  readonly stopSignal: 'SIGINT' | 'SIGTERM';
  readonly command: (place: Place) => Command;
  readonly url: (port: number) => string;
  readonly passwordUrl?: (port: number) => string;
  /** Fills the empty folder. */
  readonly prepare?: (place: Place) => Promise<void>;
  /** Asks the server something; resolves when the answer says that it serves, else rejects. */
  readonly ask: (port: number) => Promise<void>;
  /** What a fresh server needs once, such as a first user. */
  readonly initialize?: (port: number) => Promise<void>;
}

/** Where one server lives; the same over restarts. */
export interface Place {
  readonly folder: string;
  readonly port: number;
}

/** What to run, as this process's user or another. */
interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

/** Starts a server by its recipe. @throws {Error} with the end of its log when it does not come up. */
export async function startServer(recipe: Recipe): Promise<TestServer> {
  for (let startCount = 1; ; startCount += 1) {
    const folder = await mkdtemp(join(tmpdir(), `datastream-${recipe.name}-`));
    const server = new ServerProcess(recipe, { folder, port: await findFreePort() });
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      // Another run may have taken the port between the look and the start.
      if (startCount === START_COUNT_MAX) throw error;
    }
  }
}

class ServerProcess implements TestServer {
  readonly url: string;
  readonly passwordUrl: string | null;
  readonly port: number;
  readonly folder: string;
  readonly #recipe: Recipe;
  readonly #place: Place;
  readonly #logPath: string;
  readonly #guard: Guard;
  #child: ChildProcess | null = null;
  /** Why the program itself could not be run, such as for the want of a right. */
  #spawnError: Error | null = null;
  #isRemoved = false;

  constructor(recipe: Recipe, place: Place) {
    this.#recipe = recipe;
    this.#place = place;
    this.port = place.port;
    this.folder = place.folder;
    this.url = recipe.url(place.port);
    this.passwordUrl = recipe.passwordUrl?.(place.port) ?? null;
    this.#logPath = join(place.folder, 'server.log');
    this.#guard = new Guard(place.folder, recipe.stopSignal);
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  async start(): Promise<void> {
    // PostgreSQL runs as another user than root, and has to reach its part of the folder.
    await chmod(this.#place.folder, 0o711);
    await this.#recipe.prepare?.(this.#place);
    await this.#launch();
    await this.#recipe.initialize?.(this.port);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    const { pid } = child;
    // Frozen first, so that it does not start children behind the list.
    signalIfAlive(pid, 'SIGSTOP');
    const pids = [pid, ...descendantsOf(pid)];
    for (const each of pids) signalIfAlive(each, 'SIGKILL');
    await Promise.all(pids.map(untilGone));
    await untilReaped(child);
    this.#forgetIf(child);
  }

  pause(): void {
    this.#signalAll('SIGSTOP');
  }

  resume(): void {
    this.#signalAll('SIGCONT');
  }

  async restart(): Promise<void> {
    if (this.#isRemoved) throw new Error(`${this.#recipe.name} was stopped for good`);
    await this.#end();
    await this.#launch();
  }

  async stop(): Promise<void> {
    if (this.#isRemoved) return;
    this.#isRemoved = true;
    await this.#end();
    await rm(this.#place.folder, { recursive: true, force: true });
    this.#guard.release();
  }

  async #launch(): Promise<void> {
    const { file, args, ...user } = this.#recipe.command(this.#place);
    const log = openSync(this.#logPath, 'a');
    const child = spawn(file, args, {
      ...user,
      cwd: this.#place.folder,
      // A group of its own: the interrupt of a terminal ends the tests, and they end the server.
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    // A test that forgot its server must not keep the run from ending; the guard sees to the server.
    child.unref();
    this.#child = child;
    child.once('error', (error) => {
      this.#spawnError = error;
      this.#forgetIf(child);
    });
    child.once('exit', () => this.#forgetIf(child));
    if (child.pid !== undefined) this.#guard.watch(child.pid);
    await this.#untilReady(child);
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    const deadlineMs = performance.now() + READY_WITHIN_MS;
    for (;;) {
      try {
        await this.#recipe.ask(this.port);
        // An answer after its end came from somebody else on that port.
        if (this.#child === child) return;
      } catch (cause) {
        if (performance.now() > deadlineMs) throw await this.#startFailure(cause);
      }
      if (this.#child !== child) throw await this.#startFailure(undefined);
      await sleep(POLL_INTERVAL_MS);
    }
  }

  async #startFailure(cause: unknown): Promise<Error> {
    const log = await readFile(this.#logPath, 'utf8').catch(() => '');
    const end = log.trim().split('\n').slice(-5).join('\n');
    const reason = this.#spawnError?.message ?? (end || 'its log is empty');
    return new Error(`${this.#recipe.name} did not start: ${reason}`, { cause });
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    this.resume();
    signalIfAlive(child.pid, this.#recipe.stopSignal);
    const gone = untilGone(child.pid).then(() => true);
    const isGone = await Promise.race([gone, sleep(END_WITHIN_MS, false, { ref: false })]);
    if (!isGone) await this.kill();
    await untilReaped(child);
    this.#forgetIf(child);
  }

  #signalAll(signal: NodeJS.Signals): void {
    const pid = this.pid;
    if (pid === null) return;
    for (const each of [pid, ...descendantsOf(pid)]) signalIfAlive(each, signal);
  }

  #forgetIf(child: ChildProcess): void {
    if (this.#child === child) this.#forget();
  }

  #forget(): void {
    this.#child = null;
    this.#guard.watch(null);
  }
}

/** Waits until the exit was noticed: before that, PostgreSQL takes the process for a running one. */
async function untilReaped(child: ChildProcess): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) await sleep(5);
}
