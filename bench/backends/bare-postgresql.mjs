// PostgreSQL without us: the `pg` driver and one indexed row for each datapoint.
import { once } from 'node:events';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

const COPY_SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const COPY_ROW_SIZE_BYTES = 34;
const COPY_END = Buffer.from([0xff, 0xff]);
/** PostgreSQL counts microseconds from here. */
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);

const WAYS = [
  { name: 'INSERT … VALUES', table: 'bare_values', insert: insertValues, isRival: true },
  { name: 'INSERT … SELECT unnest', table: 'bare_unnest', insert: insertUnnest, isRival: false },
  { name: 'COPY, binary', table: 'bare_copy', insert: copyRows, isRival: false },
];

/** Connects, and makes a table for each way of inserting. */
export async function openBare(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const { table } of WAYS) {
    await client.query(
      `CREATE TABLE ${table} (m int NOT NULL, t timestamptz NOT NULL, v double precision);
       CREATE INDEX ON ${table} (m, t)`,
    );
  }
  return {
    server: await describeServer(client),
    ways: WAYS.map(({ name, table, insert, isRival }) => ({
      name,
      isRival,
      insert: (rows) => insert(client, table, rows),
      count: async () => (await firstRow(client, `SELECT count(*)::int AS n FROM ${table}`)).n,
    })),
    downsampling: {
      name: 'INSERT … SELECT date_bin … GROUP BY',
      prepare: (rows) => copyRows(client, 'bare_copy', rows),
      run: (m, levels) => downsample(client, m, levels),
    },
    rowSizeBytes: async () => {
      await client.query('VACUUM bare_copy');
      const { size, n } = await firstRow(
        client,
        "SELECT pg_total_relation_size('bare_copy')::float AS size, count(*)::int AS n FROM bare_copy",
      );
      return size / n;
    },
    close: () => client.end(),
  };
}

/** Bytes of a whole database on disk. */
export async function storeSizeBytes(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('VACUUM');
    return (await firstRow(client, 'SELECT pg_database_size(current_database())::float AS size'))
      .size;
  } finally {
    await client.end();
  }
}

async function describeServer(client) {
  const settings = [];
  for (const name of ['fsync', 'synchronous_commit', 'shared_buffers']) {
    settings.push(`${name} ${Object.values(await firstRow(client, `SHOW ${name}`))[0]}`);
  }
  const { server_version: version } = await firstRow(client, 'SHOW server_version');
  return `PostgreSQL ${version.split(' ')[0]}, ${settings.join(', ')}`;
}

async function firstRow(client, text) {
  return (await client.query(text)).rows[0];
}

async function insertValues(client, table, { streams, timestamps, values }) {
  const parameters = [];
  const rows = [];
  for (let i = 0; i < timestamps.length; i++) {
    rows.push(`($${3 * i + 1},$${3 * i + 2},$${3 * i + 3})`);
    parameters.push(streams[i], new Date(timestamps[i]), values[i]);
  }
  await client.query(`INSERT INTO ${table} (m, t, v) VALUES ${rows.join()}`, parameters);
}

async function insertUnnest(client, table, { streams, timestamps, values }) {
  await client.query(
    `INSERT INTO ${table} (m, t, v)
     SELECT m, to_timestamp(t / 1000), v FROM unnest($1::int[], $2::float8[], $3::float8[]) AS x (m, t, v)`,
    [Array.from(streams), Array.from(timestamps), Array.from(values)],
  );
}

async function copyRows(client, table, { streams, timestamps, values }) {
  const stream = client.query(copyFrom(`COPY ${table} (m, t, v) FROM STDIN (FORMAT binary)`));
  const rows = Buffer.allocUnsafe(timestamps.length * COPY_ROW_SIZE_BYTES);
  for (let i = 0, offset = 0; i < timestamps.length; i++) {
    offset = rows.writeInt16BE(3, offset);
    offset = rows.writeInt32BE(4, offset);
    offset = rows.writeInt32BE(streams[i], offset);
    offset = rows.writeInt32BE(8, offset);
    offset = rows.writeBigInt64BE(BigInt(timestamps[i] - POSTGRES_EPOCH_MS) * 1000n, offset);
    offset = rows.writeInt32BE(8, offset);
    offset = rows.writeDoubleBE(values[i], offset);
  }
  stream.end(Buffer.concat([COPY_SIGNATURE, rows, COPY_END]));
  await once(stream, 'finish');
}

/** Count, sum, min and max only, each level from the one above, in one transaction. */
async function downsample(client, m, levels) {
  await client.query(
    `CREATE TABLE IF NOT EXISTS bare_levels (level text, m int, t timestamptz, c bigint,
       s double precision, l double precision, u double precision, PRIMARY KEY (level, m, t));
     BEGIN`,
  );
  for (const [index, level] of levels.entries()) {
    const bucket = `date_bin('${level.durationMs / 1000} s', t, '2000-01-01Z')`;
    const source =
      index === 0
        ? `SELECT ${bucket}, count(v), sum(v), min(v), max(v) FROM bare_copy WHERE m = ${m}`
        : `SELECT ${bucket}, sum(c), sum(s), min(l), max(u) FROM bare_levels
           WHERE m = ${m} AND level = '${levels[index - 1].name}'`;
    await client.query(
      `INSERT INTO bare_levels SELECT '${level.name}', ${m}, x.* FROM (${source} GROUP BY 1) AS x`,
    );
  }
  await client.query('COMMIT');
}
