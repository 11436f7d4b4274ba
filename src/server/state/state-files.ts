import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isNativeError } from 'node:util/types';
import { type Database, open as openLmdb, type RootDatabase } from 'lmdb';
import { checkDataFile } from '../../backends/lmdb/data-file.ts';
import { openLmdbRoot } from '../../backends/lmdb/root.ts';
import { ServiceError } from './service-error.ts';

/** Name of the file in its folder. */
export const STATE_FILE = 'service.lmdb';
const FORMAT_VERSION = 1;
const FORMAT_KEY: StateKey = ['format'];
/** Only the user who runs the service reads its state: it has password hashes. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** More than LMDB writes before it can report an error. */
const PROBE_SIZE_BYTES = 128 * 1024;
const READER_COUNT_MAX = 256;
/** Address space, not disk or memory; the file grows beyond it. */
const MAP_SIZE_BYTES = 2 ** 26;

/** Names first, then an id or a sequence number; ordered element by element. */
export type StateKey = readonly (string | number)[];

type Root = RootDatabase<unknown, (string | number)[]>;
type JsonDatabase = Database<unknown, (string | number)[]>;

/** Sorts behind every string that ids and indexed values are made of. */
const LAST_TEXT = '\uffff';

/** The LMDB file of the service's state: JSON values by key, one transaction at a time over all processes. */
export class StateFiles {
  readonly path: string;
  readonly #root: Root;
  readonly #values: JsonDatabase;
  #depth = 0;
  #isWriting = false;

  private constructor(path: string, root: Root) {
    this.path = path;
    this.#root = root;
    this.#values = root.openDB<unknown, (string | number)[]>({ name: 'values', encoding: 'json' });
  }

  /**
   * Opens the file in the folder; makes both, if it may, where they are missing. Only their owner can read them.
   * @throws {ServiceError} STATE_UNAVAILABLE when that fails; STATE_FORMAT_UNSUPPORTED when a newer
   * version wrote the file.
   */
  static async open(
    folder: string,
    { creates }: { readonly creates: boolean },
  ): Promise<StateFiles> {
    const path = join(resolve(folder), STATE_FILE);
    if (!creates && !existsSync(path)) {
      throw new ServiceError('STATE_UNAVAILABLE', `There is no state of a service at ${path}.`);
    }
    let root: Root | null = null;
    try {
      await prepareFiles(folder, path);
      root = await openLmdbRoot(() => openRoot(path));
      const files = new StateFiles(path, root);
      for (const file of [path, `${path}-lock`]) chmodSync(file, FILE_MODE);
      files.#checkFormat();
      return files;
    } catch (error) {
      await root?.close();
      if (error instanceof ServiceError) throw error;
      throw new ServiceError(
        'STATE_UNAVAILABLE',
        `Cannot open the state of the service, ${path}: ${reason(error)}.`,
        { cause: error },
      );
    }
  }

  /** Runs synchronous reads on one snapshot: every write that was finished before, by any process. */
  read<T>(action: () => T): T {
    if (this.#depth > 0) return action();
    this.#root.resetReadTxn();
    this.#depth++;
    try {
      return action();
    } finally {
      this.#depth--;
    }
  }

  /**
   * Runs synchronous reads and writes in one transaction: when this returns, all of it is on disk;
   * when it throws, nothing is. A write within a write is part of it.
   * @throws {ServiceError} STATE_UNAVAILABLE when the disk does not take it.
   */
  write<T>(action: () => T): T {
    if (this.#isWriting) return action();
    if (this.#depth > 0) throw new Error('Broken invariant: a write does not start within a read.');
    this.#depth++;
    this.#isWriting = true;
    try {
      return this.#root.transactionSync(action);
    } catch (error) {
      throw this.#writeFailure(error);
    } finally {
      this.#isWriting = false;
      this.#depth--;
    }
  }

  get(key: StateKey): unknown {
    return this.read(() => this.#values.get([...key]));
  }

  put(key: StateKey, value: unknown): void {
    this.write(() => this.#values.putSync([...key], value));
  }

  remove(key: StateKey): void {
    this.write(() => this.#values.removeSync([...key]));
  }

  /** Keys and values of everything below the prefix, in order. */
  entries(prefix: StateKey, options: RangeOptions = {}): readonly StateEntry[] {
    return this.read(() => [...this.#values.getRange(rangeOf(prefix, options))]);
  }

  /** As `entries`, without the values. */
  keys(prefix: StateKey, options: RangeOptions = {}): readonly StateKey[] {
    return this.read(() => [...this.#values.getKeys(rangeOf(prefix, options))]);
  }

  /**
   * Writes a copy of one moment into a new folder.
   * @throws {ServiceError} STATE_UNAVAILABLE when that fails.
   */
  async backUp(folder: string): Promise<void> {
    const path = join(folder, STATE_FILE);
    try {
      mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
      await this.#root.backup(path, false);
      chmodSync(path, FILE_MODE);
      const file = await open(path, 'r');
      await file.sync().finally(() => file.close());
    } catch (error) {
      throw new ServiceError(
        'STATE_UNAVAILABLE',
        `Cannot write a copy of the state of the service, ${path}: ${reason(error)}.`,
        { cause: error },
      );
    }
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  #writeFailure(error: unknown): unknown {
    // LMDB's own errors carry its result code, or that of the operating system, as a number.
    const isOfLmdb = isNativeError(error) && 'code' in error && typeof error.code === 'number';
    if (!isOfLmdb) return error;
    return new ServiceError(
      'STATE_UNAVAILABLE',
      `The state of the service, ${this.path}, did not take the write: ${reason(error)}.`,
      { cause: error },
    );
  }

  #checkFormat(): void {
    this.write(() => {
      const version = this.get(FORMAT_KEY);
      if (version === undefined) this.put(FORMAT_KEY, FORMAT_VERSION);
      else if (version !== FORMAT_VERSION) {
        throw new ServiceError(
          'STATE_FORMAT_UNSUPPORTED',
          `The state of the service, ${this.path}, has format version ${version}, not ${FORMAT_VERSION}.`,
        );
      }
    });
  }
}

export interface StateEntry {
  readonly key: StateKey;
  readonly value: unknown;
}

export interface RangeOptions {
  /** Last key before the range, in the direction of reading. */
  readonly after?: StateKey | undefined;
  readonly limit?: number | undefined;
  readonly isReverse?: boolean;
}

/** Where LMDB cannot make, read or map its files, its native code ends the process: that is found out before. */
async function prepareFiles(folder: string, path: string): Promise<void> {
  // The folders above are not ours to close.
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, FOLDER_MODE);
  await checkDataFile(path);
  if (existsSync(path)) return;
  const probe = `${path}-${randomUUID()}.tmp`;
  try {
    writeFileSync(probe, new Uint8Array(PROBE_SIZE_BYTES), { mode: FILE_MODE, flush: true });
  } finally {
    rmSync(probe, { force: true });
  }
}

function openRoot(path: string): Root {
  return openLmdb<unknown, (string | number)[]>({
    path,
    noSubdir: true,
    // A commit is on disk when it returns, and before any other process sees it.
    overlappingSync: false,
    maxDbs: 1,
    maxReaders: READER_COUNT_MAX,
    mapSize: MAP_SIZE_BYTES,
    permissionsMode: FILE_MODE,
  } as Parameters<typeof openLmdb>[0] & { path: string });
}

function rangeOf(
  prefix: StateKey,
  { after, limit, isReverse = false }: RangeOptions,
): {
  start: (string | number)[];
  end: (string | number)[];
  reverse: boolean;
  exclusiveStart: boolean;
  limit?: number;
} {
  const first = [...prefix];
  const last = [...prefix, LAST_TEXT];
  const start = after === undefined ? (isReverse ? last : first) : [...after];
  return {
    start,
    end: isReverse ? first : last,
    reverse: isReverse,
    exclusiveStart: true,
    ...(limit !== undefined && { limit }),
  };
}

function reason(error: unknown): string {
  const text = isNativeError(error) ? error.message : String(error);
  return text.split('\n', 1)[0]!.replace(/\.$/, '');
}
