import { existsSync } from 'node:fs';
import { Datastream } from '../api/datastream.ts';
import type { Backend } from '../backends/backend.ts';
import { openBackend } from '../backends/open-backend.ts';
import { BackendUnavailable } from '../exceptions/errors.ts';
import type { DatastreamWarning } from '../exceptions/warnings.ts';
import { assert } from '../model/assert.ts';
import type { CliIo } from './cli-io.ts';
import { Output } from './output.ts';

/** The store of commands that are told none. */
export const DEFAULT_STORE_URL = 'embedded:./data';
const EMBEDDED_SCHEME = 'embedded:';

/** The code under which the engine warns that maintenance of one stream failed. */
const MAINTENANCE_WARNING_CODE = 'DATASTREAM_WARNING';

/** Warnings beyond this number are counted, not printed: a bad counter can give one per datapoint. */
const PRINTED_WARNING_COUNT = 20;

/** What a command works with: the outside world, buffered output, and the store. */
export class CommandContext {
  readonly io: CliIo;
  readonly out: Output;
  /** URL of the store; set before a command runs. */
  storeUrl: string = DEFAULT_STORE_URL;
  /** Whether the command line names the store. */
  isStoreGiven = false;
  /** Takes the engine's warnings; `collect` keeps them away from its live view. */
  onWarning: (warning: DatastreamWarning) => void;
  #location: string | null = null;
  #warningCount = 0;
  #maintenanceFailureCount = 0;

  constructor(io: CliIo) {
    this.io = io;
    this.out = new Output(io.stdout);
    this.onWarning = (warning) => this.#warn(warning);
  }

  /** Writes one line to stderr, under the name of the program. */
  note(message: string): void {
    this.io.stderr.write(`datastream: ${oneLine(message)}\n`);
  }

  /** Names the open store in output, never with a password. */
  get storeLocation(): string {
    assert(this.#location !== null, 'a store is open');
    return this.#location;
  }

  /** Where an embedded store has its files; null for every other store. */
  get storeFolder(): string | null {
    return folderOf(this.storeUrl);
  }

  /** How often maintenance of a stream failed so far. */
  get maintenanceFailureCount(): number {
    return this.#maintenanceFailureCount;
  }

  /**
   * Opens the store for the time of the work, and closes it whatever happens.
   * @throws {BackendUnavailable} when there is no store yet and `creates` does not allow to make one.
   */
  async withDatastream<T>(
    work: (datastream: Datastream) => Promise<T>,
    {
      creates = false,
      keepsLevels = false,
      leaseDurationMs,
    }: {
      readonly creates?: boolean;
      /** Whether levels follow appends, where the store can do it. */
      readonly keepsLevels?: boolean;
      readonly leaseDurationMs?: number | undefined;
    } = {},
  ): Promise<T> {
    if (!creates) assertStoreExists(this.storeUrl);
    // Leases run by the store's own clock: those of many machines would differ.
    const backend = await openStore(this.storeUrl, this.io.signal);
    this.#location = backend.location;
    const datastream = new Datastream(backend, {
      now: this.io.now,
      liveDownsampling: keepsLevels && backend.supports.liveLevels,
      ...(leaseDurationMs !== undefined && { leaseDurationMs }),
      onWarning: (warning) => {
        if (warning.code === MAINTENANCE_WARNING_CODE) this.#maintenanceFailureCount++;
        this.onWarning(warning);
      },
    });
    let result: T;
    try {
      result = await work(datastream);
    } catch (error) {
      // A store that failed may fail to close, too; why the work failed matters more.
      await datastream.close().catch(() => {});
      throw error;
    }
    await datastream.close();
    return result;
  }

  /** Says how many warnings were not printed. */
  finishWarnings(): void {
    const hiddenCount = this.#warningCount - PRINTED_WARNING_COUNT;
    if (hiddenCount > 0) this.note(`warning: ${hiddenCount} more warnings`);
  }

  #warn(warning: DatastreamWarning): void {
    this.#warningCount++;
    if (this.#warningCount <= PRINTED_WARNING_COUNT) this.note(`warning: ${warning.message}`);
  }
}

/**
 * Opens a store, unless the signal comes while a server does not answer.
 * @throws the reason of the signal, and whatever `openBackend` throws.
 */
export async function openStore(url: string, signal: AbortSignal): Promise<Backend> {
  const opening = openBackend(url);
  let giveUp = (): void => {};
  const interrupted = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(signal.reason);
    signal.addEventListener('abort', giveUp);
  });
  try {
    return await Promise.race([opening, interrupted]);
  } catch (error) {
    // A store that opens after all has nobody left to close it.
    opening.then((backend) => backend.close()).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/**
 * A mistyped path must not become an empty store. What a server has, its backend finds out.
 * @throws {BackendUnavailable} when an embedded store is not there.
 */
export function assertStoreExists(storeUrl: string): void {
  const path = folderOf(storeUrl);
  if (path === null || path === '' || existsSync(path)) return;
  throw new BackendUnavailable(
    `There is no store at ${path}; "ensure", "import", "collect", "dummy" and "copy" create one.`,
  );
}

function folderOf(storeUrl: string): string | null {
  return storeUrl.startsWith(EMBEDDED_SCHEME) ? storeUrl.slice(EMBEDDED_SCHEME.length) : null;
}

/** The text on one line, without control characters that could move the cursor. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to keep out
  return text.trim().replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
