import { StoreFormatUnsupported } from '../../exceptions/errors.ts';
import type { Connection } from './connection.ts';
import { DatapointCollections } from './datapoint-collections.ts';
import { ensureIndex, type Keys } from './indexes.ts';
import { LEASES_COLLECTION } from './lease-generations.ts';
import { isDuplicateKey } from './mongodb-errors.ts';
import { STREAMS_COLLECTION } from './stream-documents.ts';

const META_COLLECTION = 'meta';
/** Version of what docs/format/mongodb.md describes. */
const FORMAT_VERSION = 1;
const FORMAT_ID = 'format';

const INDEXES: readonly (readonly [string, string, Keys])[] = [
  [STREAMS_COLLECTION, 'number', { m: 1 }],
  [STREAMS_COLLECTION, 'terms', { w: 1 }],
  [LEASES_COLLECTION, 'subject', { l: 1 }],
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
  await new DatapointCollections(connection, location).prepareFixed();
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
