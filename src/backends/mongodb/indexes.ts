import type { IndexSpecification } from 'mongodb';
import { BackendUnavailable } from '../../exceptions/errors.ts';
import type { Connection } from './connection.ts';

export type Keys = Readonly<Record<string, 1>>;

const TRY_COUNT_MAX = 5;
const NAMESPACE_NOT_FOUND = 26;

export interface Index {
  readonly collection: string;
  readonly name: string;
  readonly keys: Keys;
  readonly location: string;
  /** Default: false. */
  readonly isSparse?: boolean;
}

/**
 * Makes an index, and its collection, unless it is there.
 * @throws {BackendUnavailable} when it is there with other keys.
 */
export async function ensureIndex(connection: Connection, index: Index): Promise<void> {
  const { collection, name, keys, location, isSparse = false } = index;
  for (let tryCount = 1; ; tryCount++) {
    const present = await presentKeys(connection, index);
    if (present !== null) {
      if (JSON.stringify(present) === JSON.stringify(keys)) return;
      throw new BackendUnavailable(
        `The index ${name} of ${collection} in ${location} has the keys ${JSON.stringify(present)}; ` +
          `it needs ${JSON.stringify(keys)}. Drop it, and it is made anew.`,
      );
    }
    try {
      await connection.run('index.create', collection, (documents) =>
        documents.createIndex(keys as IndexSpecification, {
          name,
          ...(isSparse ? { sparse: true } : {}),
        }),
      );
      return;
    } catch (error) {
      // Another process may have been making it.
      if (tryCount === TRY_COUNT_MAX) throw error;
    }
  }
}

/** Null where the index, or its collection, is not there. */
async function presentKeys(
  connection: Connection,
  { collection, name }: Index,
): Promise<object | null> {
  return connection.run('index.list', collection, async (documents) => {
    try {
      const indexes = await documents.listIndexes().toArray();
      return indexes.find((index) => index['name'] === name)?.['key'] ?? null;
    } catch (error) {
      if ((error as { code?: unknown }).code === NAMESPACE_NOT_FOUND) return null;
      throw error;
    }
  });
}
