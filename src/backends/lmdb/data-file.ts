import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { areFree } from './free-pages.ts';

/**
 * Where LMDB's two meta pages say what they say; `struct MDB_meta` behind a page header of 24
 * bytes.
 */
const MAGIC = 0xbeefc0de;
const MAGIC_OFFSET = 24;
const PAGE_SIZE_OFFSET = 48;
const FREE_ROOT_OFFSET = 88;
const LAST_PAGE_OFFSET = 144;
const TXN_ID_OFFSET = 152;
const META_SIZE_BYTES = 168;
const PAGE_SIZE_MIN_BYTES = 256;
const PAGE_SIZE_MAX_BYTES = 65_536;
const PAGE_COUNT_MAX = 2 ** 48;
/** Another process may write pages while they are read here; then they are read again. */
const TRY_COUNT_MAX = 10;

interface DataFile {
  readonly file: FileHandle;
  readonly name: string;
}

/** What the newer of the two meta pages says. */
interface Meta {
  readonly pageSizeBytes: number;
  readonly pageCount: number;
  readonly transactionId: bigint;
  /** Root page of the tree of free pages. */
  readonly freeRoot: bigint;
}

/**
 * Makes sure that LMDB can map a data file without ending the process: LMDB trusts the file, and
 * reading a mapped page behind its end is a fatal signal, not an error. A file that is no LMDB file
 * or was cut off is refused. A healthy file may lack pages at its end too, when they were freed
 * before they were ever written: those LMDB lists as free, and does not read. A file that is not
 * there or empty is fine.
 */
export async function checkDataFile(path: string): Promise<void> {
  const file = await openedFile(path);
  if (file === null) return;
  try {
    const { size } = await file.stat();
    if (size > 0) await checkPages({ file, name: basename(path) });
  } finally {
    await file.close();
  }
}

async function openedFile(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function checkPages(dataFile: DataFile): Promise<void> {
  const { file, name } = dataFile;
  let meta = await newestMeta(dataFile);
  for (let i = 0; i < TRY_COUNT_MAX; i++) {
    const { pageSizeBytes, pageCount, freeRoot: root, transactionId } = meta;
    // Asked for after the meta was read: what that counts was written before it.
    const { size } = await file.stat();
    const pages = { start: Math.floor(size / pageSizeBytes), end: pageCount };
    if (pages.start >= pages.end) return;
    if (await areFree(file, { tree: { pageSizeBytes, root }, pages })) return;
    meta = await newestMeta(dataFile);
    if (meta.transactionId === transactionId) break;
  }
  const { size } = await file.stat();
  const wanted = meta.pageCount * meta.pageSizeBytes;
  throw new Error(`${name} was cut off: it has ${size} bytes of ${wanted}`);
}

async function newestMeta(dataFile: DataFile): Promise<Meta> {
  const first = await readMeta(dataFile, 0);
  const pageSizeBytes = first.readUInt32LE(PAGE_SIZE_OFFSET);
  if (pageSizeBytes < PAGE_SIZE_MIN_BYTES || pageSizeBytes > PAGE_SIZE_MAX_BYTES) {
    throw notLmdb(dataFile);
  }
  const second = await readMeta(dataFile, pageSizeBytes);
  const isFirstNewer = first.readBigUInt64LE(TXN_ID_OFFSET) > second.readBigUInt64LE(TXN_ID_OFFSET);
  const newest = isFirstNewer ? first : second;
  const pageCount = Number(newest.readBigUInt64LE(LAST_PAGE_OFFSET)) + 1;
  if (pageCount > PAGE_COUNT_MAX) throw notLmdb(dataFile);
  return {
    pageSizeBytes,
    pageCount,
    transactionId: newest.readBigUInt64LE(TXN_ID_OFFSET),
    freeRoot: newest.readBigUInt64LE(FREE_ROOT_OFFSET),
  };
}

async function readMeta(dataFile: DataFile, position: number): Promise<Buffer> {
  const bytes = Buffer.alloc(META_SIZE_BYTES);
  const { bytesRead } = await dataFile.file.read(bytes, 0, META_SIZE_BYTES, position);
  if (bytesRead < META_SIZE_BYTES || bytes.readUInt32LE(MAGIC_OFFSET) !== MAGIC) {
    throw notLmdb(dataFile);
  }
  return bytes;
}

function notLmdb({ name }: DataFile): Error {
  return new Error(`${name} is not an LMDB data file, or is damaged`);
}
