import { endianness } from 'node:os';
import { resolve } from 'node:path';
import { isNativeError } from 'node:util/types';
import { open, type RootDatabase, type Transaction } from 'lmdb';
import {
  BackendUnavailable,
  BlockCorrupt,
  StoreFormatUnsupported,
  StreamAppendFailed,
} from '../../exceptions/errors.ts';
import { openLmdbRoot } from '../lmdb/root.ts';
import { flushFolders, prepareFolder } from './store-folder.ts';
import { BINARY, BLOCKS_NAME, type ByteDatabase, checkFormat } from './store-format.ts';

const NAMES = ['meta', 'streams', 'ids', 'tags', 'journal', 'blocks', 'leases'] as const;
/** Each process needs one slot for its reads; slots of processes that died are taken back. */
const READER_COUNT_MAX = 512;
/**
 * Address space, not disk or memory: fewer remappings while a store grows, and it grows beyond it.
 */
const MAP_SIZE_BYTES = 2 ** 30;
const MDB_PAGE_NOTFOUND = -30797;
const MDB_CORRUPTED = -30796;
const MDB_BAD_TXN = -30782;

/** How a store folder is opened, beside its path. */
export const STORE_OPTIONS = {
  ...BINARY,
  // A folder may have a dot in its name; without this, LMDB would take it for a file.
  noSubdir: false,
  // A commit is on disk when it returns, and before any other process sees it.
  overlappingSync: false,
  // One more while a store of an older layout is upgraded.
  maxDbs: NAMES.length + 1,
  maxReaders: READER_COUNT_MAX,
  mapSize: MAP_SIZE_BYTES,
} as const;

/** All databases as of one commit. LMDB uses none of their pages again until it is released. */
export interface StoreSnapshot {
  /** As they are stored. */
  readonly names: readonly string[];
  /** The rows of a database in the order of their keys, some at a time. */
  chunks(name: string, rowCountMax: number): Iterable<readonly StoredRow[]>;
  release(): void;
}

interface StoredRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

type Databases = { readonly [name in (typeof NAMES)[number]]: ByteDatabase };

/** The databases of one store folder (docs/format/embedded-store.md) and its transactions. */
export interface StoreFiles extends Databases {
  readonly path: string;
  /**
   * Runs synchronous reads on one snapshot, which has every commit that was acknowledged before, by
   * any process. @throws {BlockCorrupt} {BackendUnavailable}
   */
  read<T>(action: () => T): T;
  /**
   * Runs synchronous reads and writes in one transaction: when this returns, all of it is on disk;
   * when it throws, nothing is. @throws {StreamAppendFailed} when the store did not take the bytes;
   * {BlockCorrupt} when it met damage.
   */
  write<T>(action: () => T): T;
  /** As `write`, for an action that changes nothing: others do not either meanwhile. */
  readLocked<T>(action: () => T): T;
  /** What is committed at this moment; with the write lock, that stays the newest as long as it is held. */
  takeSnapshot(): StoreSnapshot;
  /** Whether the transaction under way has changed anything. */
  readonly isChanged: boolean;
  /** Takes back what killed processes left behind. */
  clearStaleReaders(): void;
  close(): Promise<void>;
}

/**
 * Opens a store folder, and makes it if there is none.
 * @throws {BackendUnavailable} {StoreFormatUnsupported}
 */
export async function openStoreFiles(path: string): Promise<StoreFiles> {
  const location = resolve(path);
  if (endianness() !== 'LE') {
    throw new BackendUnavailable('The embedded store needs a little-endian machine.');
  }
  let root: RootDatabase<Uint8Array, Uint8Array> | null = null;
  try {
    const changed = await prepareFolder(location);
    root = await openLmdbRoot(() =>
      open<Uint8Array, Uint8Array>({ ...STORE_OPTIONS, path: location }),
    );
    const files = prepare(root, location);
    await flushFolders(changed);
    return files;
  } catch (error) {
    await root?.close();
    if (error instanceof StoreFormatUnsupported) throw error;
    throw new BackendUnavailable(`Cannot open the store ${location}: ${reason(error)}.`, {
      cause: error,
    });
  }
}

function prepare(root: RootDatabase<Uint8Array, Uint8Array>, path: string): StoreFiles {
  checkFormat(root, path);
  let isChanged = false;
  const noteChange = (): void => {
    isChanged = true;
  };
  const databases = Object.fromEntries(
    NAMES.map((property) => {
      const name = storedName(property);
      const database = root.openDB<Uint8Array, Uint8Array>({ name, ...BINARY });
      return [property, withNotedChanges(database, noteChange)];
    }),
  ) as Record<(typeof NAMES)[number], ByteDatabase>;
  return {
    ...databases,
    path,
    get isChanged() {
      return isChanged;
    },
    read(action) {
      root.resetReadTxn();
      try {
        return action();
      } catch (error) {
        // LMDB refuses every further use of a read transaction that met damage.
        if (lmdbCode(error) !== null) dropReadTransaction(root);
        throw readFailure(error, path);
      }
    },
    write(action) {
      isChanged = false;
      try {
        return root.transactionSync(action);
      } catch (error) {
        throw writeFailure(error, path);
      }
    },
    readLocked(action) {
      try {
        return root.transactionSync(action);
      } catch (error) {
        throw readFailure(error, path);
      }
    },
    takeSnapshot() {
      // lmdb-js keeps what it read last for a turn of the event loop, whatever others have committed since.
      root.resetReadTxn();
      const transaction = root.useReadTransaction();
      return {
        names: NAMES.map(storedName),
        chunks: (name, rowCountMax) => {
          const property = NAMES.find((known) => storedName(known) === name)!;
          return chunksOf(databases[property], { transaction, limit: rowCountMax });
        },
        release: () => transaction.done(),
      };
    },
    clearStaleReaders() {
      root.readerCheck();
    },
    async close() {
      await root.close();
    },
  };
}

function storedName(property: (typeof NAMES)[number]): string {
  return property === 'blocks' ? BLOCKS_NAME : property;
}

function* chunksOf(
  database: ByteDatabase,
  options: { readonly transaction: Transaction; readonly limit: number },
): Generator<readonly StoredRow[]> {
  let last: Uint8Array | null = null;
  for (;;) {
    const place = last === null ? {} : { start: last, exclusiveStart: true };
    const rows: readonly StoredRow[] = [...database.getRange({ ...place, ...options })];
    if (rows.length > 0) yield rows;
    if (rows.length < options.limit) return;
    last = rows.at(-1)!.key;
  }
}

/** Calls `note` before each change of the database. */
function withNotedChanges(database: ByteDatabase, note: () => void): ByteDatabase {
  const { put, remove } = database;
  return Object.assign(database, {
    put(...change: Parameters<typeof put>) {
      note();
      return put.apply(database, change);
    },
    remove(...change: Parameters<typeof remove>) {
      note();
      return remove.apply(database, change);
    },
  });
}

/** lmdb-js keeps one read transaction and offers no public way to be rid of it. */
function dropReadTransaction(root: RootDatabase<Uint8Array, Uint8Array>): void {
  // Its typings leave the method out; lmdb-js itself calls it whenever it opens a database.
  (root as typeof root & { _commitReadTxn(): void })._commitReadTxn();
}

function readFailure(error: unknown, path: string): unknown {
  if (lmdbCode(error) === null && !isSystemError(error)) return error;
  if (isDamage(error)) return damaged(error, path);
  return new BackendUnavailable(`Cannot read the store ${path}: ${reason(error)}.`, {
    cause: error,
  });
}

function writeFailure(error: unknown, path: string): unknown {
  if (lmdbCode(error) === null && !isSystemError(error)) return error;
  if (isDamage(error)) return damaged(error, path);
  return new StreamAppendFailed(`The store ${path} did not take the write: ${reason(error)}.`, {
    cause: error,
  });
}

/**
 * Says whether other writes would fail in the same way as the one that failed, as on a full disk.
 * LMDB's "bad transaction" only says that something in this one failed, so it is not counted.
 */
export function isStoreWide(error: unknown): boolean {
  return error instanceof StreamAppendFailed && lmdbCode(error.cause) !== MDB_BAD_TXN;
}

function isDamage(error: unknown): boolean {
  const code = lmdbCode(error);
  return code === MDB_CORRUPTED || code === MDB_PAGE_NOTFOUND;
}

function damaged(error: unknown, path: string): BlockCorrupt {
  return new BlockCorrupt(`The file data.mdb of the store ${path} is damaged.`, { cause: error });
}

/** LMDB's own errors carry its result code, or that of the operating system, as a number. */
function lmdbCode(error: unknown): number | null {
  // Native code makes errors of the realm that loaded it, where `instanceof` may be blind.
  const code = isNativeError(error) && 'code' in error ? error.code : null;
  return typeof code === 'number' ? code : null;
}

/** Says whether that is an error of the operating system, met at a file outside LMDB. */
export function isSystemError(error: unknown): boolean {
  return isNativeError(error) && 'syscall' in error;
}

const NO_ROOM_CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Whether the disk is full, or a limit of what the process may have on it is reached. */
export function isNoRoom(error: unknown): boolean {
  return isSystemError(error) && NO_ROOM_CODES.has((error as NodeJS.ErrnoException).code);
}

function reason(error: unknown): string {
  const text = isNativeError(error) ? error.message : String(error);
  return text.split('\n', 1)[0]!.replace(/\.$/, '');
}
