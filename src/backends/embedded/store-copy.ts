import { setImmediate as nextTurn } from 'node:timers/promises';
import { open } from 'lmdb';
import { STORE_OPTIONS, type StoreSnapshot } from './store-files.ts';
import { BINARY } from './store-format.ts';

/** Rows between two turns of the event loop, of at most a page or two each; they share a flush. */
const CHUNK_ROW_COUNT = 4096;
/** A lease is a promise between the processes that work on a store, not a part of what it holds. */
const LEFT_OUT: ReadonlySet<string> = new Set(['leases']);

/**
 * Writes the databases of a snapshot into an empty folder. In the order of their keys, so that LMDB fills page
 * after page: the copy is as small as a store can be.
 */
export async function writeCopiedDatabases(snapshot: StoreSnapshot, folder: string): Promise<void> {
  const root = open<Uint8Array, Uint8Array>({ ...STORE_OPTIONS, path: folder });
  try {
    for (const name of snapshot.names) {
      const target = root.openDB<Uint8Array, Uint8Array>({ name, ...BINARY });
      if (LEFT_OUT.has(name)) continue;
      for (const rows of snapshot.chunks(name, CHUNK_ROW_COUNT)) {
        root.transactionSync(() => {
          for (const { key, value } of rows) target.putSync(key, value, { append: true });
        });
        await nextTurn();
      }
    }
  } finally {
    await root.close();
  }
}
