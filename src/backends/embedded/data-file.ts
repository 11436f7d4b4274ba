import { type FileHandle, open } from 'node:fs/promises';

/**
 * Where LMDB's two meta pages say what they say; `struct MDB_meta` behind a page header of 24
 * bytes.
 */
const MAGIC = 0xbeefc0de;
const MAGIC_OFFSET = 24;
const PAGE_SIZE_OFFSET = 48;
const LAST_PAGE_OFFSET = 144;
const TXN_ID_OFFSET = 152;
const META_SIZE_BYTES = 168;
const PAGE_SIZE_MIN_BYTES = 256;
const PAGE_SIZE_MAX_BYTES = 65_536;
const ZEROS: Uint8Array = new Uint8Array(1 << 20);

/**
 * Makes sure that LMDB can map a data file without ending the process: LMDB trusts the file, and
 * reading a mapped page behind its end is a fatal signal, not an error. A file that is no LMDB file
 * is refused; to one that ends early, zeros are added, in which LMDB then finds no valid page. (A
 * healthy file may lack its last pages too, when they were never in use.) A file that is not there
 * or empty is fine.
 */
export async function prepareDataFile(path: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    const { size } = await file.stat();
    if (size > 0) await extend(path, { sizeBytes: size, wantedBytes: await wantedSizeBytes(file) });
  } finally {
    await file.close();
  }
}

async function wantedSizeBytes(file: FileHandle): Promise<number> {
  const first = await readMeta(file, 0);
  const pageSizeBytes = first.readUInt32LE(PAGE_SIZE_OFFSET);
  if (pageSizeBytes < PAGE_SIZE_MIN_BYTES || pageSizeBytes > PAGE_SIZE_MAX_BYTES) throw notLmdb();
  const second = await readMeta(file, pageSizeBytes);
  const isFirstNewer = first.readBigUInt64LE(TXN_ID_OFFSET) > second.readBigUInt64LE(TXN_ID_OFFSET);
  const lastPage = (isFirstNewer ? first : second).readBigUInt64LE(LAST_PAGE_OFFSET);
  return (Number(lastPage) + 1) * pageSizeBytes;
}

async function readMeta(file: FileHandle, position: number): Promise<Buffer> {
  const bytes = Buffer.alloc(META_SIZE_BYTES);
  const { bytesRead } = await file.read(bytes, 0, META_SIZE_BYTES, position);
  if (bytesRead < META_SIZE_BYTES || bytes.readUInt32LE(MAGIC_OFFSET) !== MAGIC) throw notLmdb();
  return bytes;
}

/** Appends, as that never overwrites what another process adds at the same time. */
async function extend(
  path: string,
  { sizeBytes, wantedBytes }: { sizeBytes: number; wantedBytes: number },
): Promise<void> {
  if (sizeBytes >= wantedBytes) return;
  const file = await open(path, 'a');
  try {
    for (let at = sizeBytes; at < wantedBytes; at += ZEROS.length) {
      await file.write(ZEROS, 0, Math.min(ZEROS.length, wantedBytes - at));
    }
  } finally {
    await file.close();
  }
}

function notLmdb(): Error {
  return new Error('data.mdb is not an LMDB data file, or is damaged');
}
