import type { IndexSpecification } from 'mongodb';
import { BackendUnavailable, StoreFormatUnsupported } from '../../exceptions/errors.ts';
import { Granularity } from '../../model/granularity.ts';
import { datapointsCollection } from './block-documents.ts';
import type { Connection } from './connection.ts';
import { LEASES_COLLECTION } from './lease-generations.ts';
import { isDuplicateKey } from './mongodb-errors.ts';
import { STREAMS_COLLECTION } from './stream-documents.ts';

const META_COLLECTION = 'meta';
/** Version of what docs/format/mongodb.md describes. */
const FORMAT_VERSION = 1;
const FORMAT_ID = 'format';
const TRY_COUNT_MAX = 5;

type Keys = Readonly<Record<string, 1>>;

/** A directory of blocks is answered from this index alone. */
const BLOCK_KEYS: Keys = { m: 1, t: 1, e: 1, n: 1, s: 1, _id: 1 };

/** Only blocks without a stamp have the field. */
const PENDING_KEYS: Keys = { p: 1 };

const INDEXES: readonly (readonly [string, string, Keys])[] = [
  [STREAMS_COLLECTION, 'number', { m: 1 }],
  [STREAMS_COLLECTION, 'terms', { w: 1 }],
  [LEASES_COLLECTION, 'subject', { l: 1 }],
  ...Granularity.values.flatMap(({ name }) => [
    [datapointsCollection(name), 'blocks', BLOCK_KEYS] as const,
    [datapointsCollection(name), 'pending', PENDING_KEYS] as const,
  ]),
];

/**
 * Makes what an empty database lacks, and checks what is there. Any number of processes may do so at once.
 * @throws {StoreFormatUnsupported} when a newer version wrote the store.
 * @throws {BackendUnavailable} when an index is there with other keys.
 */
export async function prepareLayout(connection: Connection, location: string): Promise<void> {
  await checkFormat(connection, location);
  for (const [collection, name, keys] of INDEXES) {
    await ensureIndex(connection, { collection, name, keys, location });
  }
}

async function checkFormat(connection: Connection, location: string): Promise<void> {
  const version = await connection.run('meta.format', META_COLLECTION, async (meta) => {
    const present = await meta.findOne({ _id: FORMAT_ID });
    if (present !== null) return present['version'] as unknown;
    try {
      await meta.insertOne({ _id: FORMAT_ID, version: FORMAT_VERSION });
      return FORMAT_VERSION;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return (await meta.findOne({ _id: FORMAT_ID }))?.['version'] as unknown;
    }
  });
  if (version === FORMAT_VERSION) return;
  throw new StoreFormatUnsupported(
    `The store ${location} has format version ${String(version)}; this version reads ${FORMAT_VERSION}.`,
  );
}

interface Index {
  readonly collection: string;
  readonly name: string;
  readonly keys: Keys;
  readonly location: string;
}

async function ensureIndex(connection: Connection, index: Index): Promise<void> {
  const { collection, name, keys, location } = index;
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
          ...(keys === PENDING_KEYS ? { sparse: true } : {}),
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

const NAMESPACE_NOT_FOUND = 26;
