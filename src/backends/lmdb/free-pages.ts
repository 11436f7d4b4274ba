import type { FileHandle } from 'node:fs/promises';

/**
 * Layout of LMDB's pages. A page of a tree has the offsets of its nodes behind the header; `lower`
 * is the size of that list, and offsets count from the header's end.
 */
const PAGE_HEADER_SIZE_BYTES = 24;
const FLAGS_OFFSET = 18;
const LOWER_OFFSET = 20;
const IS_BRANCH = 0x01;
const IS_LEAF = 0x02;
const NODE_HEADER_SIZE_BYTES = 8;
/** The value lies on pages of its own; the node has the number of the first. */
const IS_BIG_NODE = 0x01;
const NO_ROOT = 0xffff_ffff_ffff_ffffn;
const DEPTH_MAX = 32;

/** The tree that lists the pages of an LMDB file that are not in use. */
export interface FreeTree {
  readonly pageSizeBytes: number;
  /** Number of the root page. */
  readonly root: bigint;
}

/** Pages `[start, end)`. */
interface PageRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Says whether LMDB lists all of the pages as free; false also when its list does not read.
 */
export async function areFree(
  file: FileHandle,
  { tree, pages }: { tree: FreeTree; pages: PageRange },
): Promise<boolean> {
  const free: PageRange[] = [];
  try {
    if (tree.root !== NO_ROOT) await collect(file, { tree, page: tree.root, depth: 0, free });
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
  free.sort((a, b) => a.start - b.start);
  let reached = pages.start;
  for (const { start, end } of free) {
    if (start <= reached && end > reached) reached = end;
  }
  return reached >= pages.end;
}

interface Walk {
  readonly tree: FreeTree;
  readonly page: bigint;
  readonly depth: number;
  readonly free: PageRange[];
}

/** @throws {RangeError} when the bytes are no such tree. */
async function collect(file: FileHandle, { tree, page, depth, free }: Walk): Promise<void> {
  const bytes = await readPages(file, { tree, page, sizeBytes: tree.pageSizeBytes });
  const flags = bytes.readUInt16LE(FLAGS_OFFSET);
  const isTree = flags === IS_BRANCH || flags === IS_LEAF;
  if (!isTree || depth > DEPTH_MAX) throw new RangeError('no page of a tree');
  const nodeCount = bytes.readUInt16LE(LOWER_OFFSET) >> 1;
  for (let i = 0; i < nodeCount; i++) {
    const node = PAGE_HEADER_SIZE_BYTES + bytes.readUInt16LE(PAGE_HEADER_SIZE_BYTES + 2 * i);
    if (flags === IS_BRANCH) {
      // Six bytes of a page number; the size of the key follows.
      const child = BigInt(bytes.readUIntLE(node, 6));
      await collect(file, { tree, page: child, depth: depth + 1, free });
    } else {
      addListed(await nodeValue(file, { tree, bytes, node }), free);
    }
  }
}

async function nodeValue(
  file: FileHandle,
  { tree, bytes, node }: { tree: FreeTree; bytes: Buffer; node: number },
): Promise<Buffer> {
  const sizeBytes = bytes.readUInt32LE(node);
  const start = node + NODE_HEADER_SIZE_BYTES + bytes.readUInt16LE(node + 6);
  if ((bytes.readUInt16LE(node + 4) & IS_BIG_NODE) === 0) {
    return bytes.subarray(start, start + sizeBytes);
  }
  const page = bytes.readBigUInt64LE(start);
  const whole = await readPages(file, {
    tree,
    page,
    sizeBytes: PAGE_HEADER_SIZE_BYTES + sizeBytes,
  });
  return whole.subarray(PAGE_HEADER_SIZE_BYTES);
}

/** `[count:u64]`, then page numbers; 0 is a gap, and −n stands before the first of n neighbours. */
function addListed(list: Buffer, free: PageRange[]): void {
  const count = Number(list.readBigInt64LE(0));
  for (let i = 1; i <= count; i++) {
    const entry = Number(list.readBigInt64LE(i * 8));
    if (entry > 0) free.push({ start: entry, end: entry + 1 });
    if (entry >= 0) continue;
    i++;
    const start = Number(list.readBigInt64LE(i * 8));
    free.push({ start, end: start - entry });
  }
}

async function readPages(
  file: FileHandle,
  { tree, page, sizeBytes }: { tree: FreeTree; page: bigint; sizeBytes: number },
): Promise<Buffer> {
  const { size } = await file.stat();
  const position = Number(page) * tree.pageSizeBytes;
  if (position + sizeBytes > size) throw new RangeError('a page behind the end of the file');
  const bytes = Buffer.alloc(sizeBytes);
  const { bytesRead } = await file.read(bytes, 0, sizeBytes, position);
  if (bytesRead < sizeBytes) throw new RangeError('a page behind the end of the file');
  return bytes;
}
