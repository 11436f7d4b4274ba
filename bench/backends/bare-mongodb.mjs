// MongoDB without us: the `mongodb` driver and one indexed document for each datapoint.
import { MongoClient } from 'mongodb';

/** Connects, and makes the collection. */
export async function openBare(url) {
  const client = new MongoClient(url);
  await client.connect();
  const database = client.db();
  const collection = database.collection('bare');
  await collection.createIndex({ m: 1, t: 1 });
  return {
    server: await describeServer(database),
    ways: [
      {
        name: 'insertMany, unordered',
        isRival: true,
        insert: ({ streams, timestamps, values }) => {
          const documents = new Array(timestamps.length);
          for (let i = 0; i < documents.length; i++) {
            documents[i] = { m: streams[i], t: new Date(timestamps[i]), v: values[i] };
          }
          return collection.insertMany(documents, { ordered: false });
        },
        count: () => collection.estimatedDocumentCount(),
      },
    ],
    downsampling: null,
    rowSizeBytes: async () => {
      const { storageSize, totalIndexSize, count } = await database.command({ collStats: 'bare' });
      return (storageSize + totalIndexSize) / count;
    },
    close: () => client.close(),
  };
}

/** Bytes of a whole database on disk, as the server counts them. */
export async function storeSizeBytes(url) {
  const client = new MongoClient(url);
  try {
    const { storageSize, indexSize } = await client.db().stats();
    return storageSize + indexSize;
  } finally {
    await client.close();
  }
}

async function describeServer(database) {
  const { version, ferretdbVersion } = await database.command({ buildInfo: 1 });
  return ferretdbVersion === undefined
    ? `MongoDB ${version}`
    : `FerretDB, in the place of MongoDB ${version}`;
}
