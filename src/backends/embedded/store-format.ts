import type { Database, RootDatabase } from 'lmdb';
import { StoreFormatUnsupported } from '../../exceptions/errors.ts';
import { EMPTY_INDEX, encodeJournalIndex } from './journal-index.ts';
import { BLOCK_KEY_LEVEL_OFFSET_V2, blockKeyOfV2, parseSeqKey } from './keys.ts';

/** Version of the layout that this code writes. It reads no newer one. */
const STORE_FORMAT_VERSION = 3;
/** The layout without files of the journal. In it and in the next one, blocks stand by stream, not by level. */
const FORMAT_WITHOUT_FILES = 1;

const FORMAT_KEY: Uint8Array = Buffer.from('format');
/** In `meta`: the index of the journal. */
export const JOURNAL_KEY: Uint8Array = Buffer.from('journal');
/** In `meta` of the layout without files of the journal: the sealed seq, big-endian. */
const SEALED_KEY: Uint8Array = Buffer.from('sealed');
/** The database of the blocks. */
export const BLOCKS_NAME = 'levels';
/** The same by stream. */
const BLOCKS_BY_STREAM_NAME = 'blocks';
/** Keys that are held in memory at once. */
const KEY_COUNT_MAX = 10_000;

export const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const;

/** A database of byte keys and byte values. */
export type ByteDatabase = Database<Uint8Array, Uint8Array>;

type Root = RootDatabase<Uint8Array, Uint8Array>;

/**
 * Makes a store of an older layout, or a new one, a store of this layout. Called before any database
 * but `meta` is opened: of a newer layout nothing but the format's key is known.
 * @throws {StoreFormatUnsupported} when the layout is newer.
 */
export function checkFormat(root: Root, path: string): void {
  const meta = root.openDB<Uint8Array, Uint8Array>({ name: 'meta', ...BINARY });
  const version = checkedVersion(meta, path);
  if (version === STORE_FORMAT_VERSION) return;
  const blocks = version === undefined ? null : openBlocks(root);
  root.transactionSync(() => {
    // With the write lock: another process may have been faster.
    const current = checkedVersion(meta, path);
    if (current === STORE_FORMAT_VERSION) return;
    if (current === FORMAT_WITHOUT_FILES) indexJournal(meta);
    if (blocks !== null) orderByLevel(blocks);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, STORE_FORMAT_VERSION, true);
    meta.put(FORMAT_KEY, bytes);
  });
}

/** Undefined in a new store. */
function checkedVersion(meta: ByteDatabase, path: string): number | undefined {
  const stored = meta.getBinary(FORMAT_KEY);
  if (stored === undefined) return undefined;
  const version = stored.length === 4 ? stored.readUInt32LE(0) : Number.NaN;
  if (version >= FORMAT_WITHOUT_FILES && version <= STORE_FORMAT_VERSION) return version;
  throw new StoreFormatUnsupported(
    `The store ${path} has format version ${version}, not ${STORE_FORMAT_VERSION}.`,
  );
}

function indexJournal(meta: ByteDatabase): void {
  const sealed = meta.getBinary(SEALED_KEY);
  if (sealed === undefined) return;
  const sealedSeq = parseSeqKey(sealed);
  meta.put(JOURNAL_KEY, encodeJournalIndex({ ...EMPTY_INDEX, sealedSeq }));
  meta.remove(SEALED_KEY);
}

interface Blocks {
  readonly byStream: ByteDatabase;
  readonly byLevel: ByteDatabase;
}

/** Databases cannot be opened inside a transaction. */
function openBlocks(root: Root): Blocks {
  return {
    byStream: root.openDB<Uint8Array, Uint8Array>({ name: BLOCKS_BY_STREAM_NAME, ...BINARY }),
    byLevel: root.openDB<Uint8Array, Uint8Array>({ name: BLOCKS_NAME, ...BINARY }),
  };
}

/** Level after level, so that LMDB fills page after page. */
function orderByLevel({ byStream, byLevel }: Blocks): void {
  const levels = new Set<number>();
  for (const key of keysOf(byStream)) levels.add(key[BLOCK_KEY_LEVEL_OFFSET_V2]!);
  for (const level of [...levels].sort((a, b) => a - b)) {
    for (const key of keysOf(byStream)) {
      if (key[BLOCK_KEY_LEVEL_OFFSET_V2] !== level) continue;
      byLevel.putSync(blockKeyOfV2(key), byStream.getBinary(key)!, { append: true });
    }
  }
  byStream.dropSync();
}

function* keysOf(database: ByteDatabase): Generator<Uint8Array> {
  let last: Uint8Array | null = null;
  for (;;) {
    const options = last === null ? {} : { start: last, exclusiveStart: true };
    const keys: Uint8Array[] = [...database.getKeys({ ...options, limit: KEY_COUNT_MAX })];
    yield* keys;
    if (keys.length < KEY_COUNT_MAX) return;
    last = keys.at(-1)!;
  }
}
