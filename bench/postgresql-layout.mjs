/*
 * Blocks in rows against a row for each datapoint, in plain and in partitioned tables, side by side on one
 * server: node bench/postgresql-layout.mjs postgresql://user@host/database (after `npm run build`).
 * docs/format/postgresql.md has the results. Everything is in schemas that are dropped at the end.
 */
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { Granularity } from '../dist/backends/index.js';
import { openBackend } from '../dist/index.js';
import { gauge, regular, uniform } from './random.mjs';

const url = process.argv[2] ?? process.env.POSTGRESQL_URL;
if (url === undefined) {
  console.error('usage: node bench/postgresql-layout.mjs postgresql://user@host/database');
  process.exit(2);
}
const ROW_COUNT = 1_000_000;
const STREAM_COUNT = 1000;
const TICK_COUNT = 300;
const SINGLE_COUNT = 1000;
const STEP_MS = 30_000;
const START_MS = Date.UTC(2000, 0, 1);
const YEAR_MS = 366 * 86_400_000;
const INSERT_ROW_COUNT = 10_000;

const next = uniform(20);
const timestamps = regular(START_MS, STEP_MS, ROW_COUNT);
const values = gauge(20, ROW_COUNT);
const tickValues = Array.from({ length: TICK_COUNT }, () =>
  Float64Array.from({ length: STREAM_COUNT }, () => Math.round(next() * 1e4) / 100),
);

function hashOf(times, numbers) {
  const hash = createHash('sha256');
  hash.update(Buffer.from(times.buffer, times.byteOffset, times.byteLength));
  hash.update(Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  return hash.digest('hex').slice(0, 12);
}

const results = new Map();

async function measure(layout, what, rowCount, work) {
  const startMs = performance.now();
  const result = await work();
  const seconds = (performance.now() - startMs) / 1000;
  const row = results.get(what) ?? {};
  row[layout] = rowCount / seconds;
  results.set(what, row);
  return result;
}

async function sizeOf(client, schema) {
  const { rows } = await client.query(
    `SELECT sum(pg_total_relation_size(c.oid)) AS size FROM pg_class c
    WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r'`,
    [schema],
  );
  return Number(rows[0].size);
}

function recordOf(name) {
  return {
    id: randomUUID(),
    tags: { name },
    valueType: 'numeric',
    valueTypeOptions: {},
    valueDownsamplers: ['mean'],
    highestGranularity: 'seconds',
    derivation: null,
    dependents: [],
    stale: [],
    levels: {},
  };
}

async function committed(backend, commit) {
  const outcome = await backend.commit({ expect: [], ...commit });
  if (!outcome.isCommitted) throw new Error('unexpected conflict');
}

async function runBlocks(client, schema) {
  const separator = url.includes('?') ? '&' : '?';
  const backend = await openBackend(`${url}${separator}schema=${schema}`);
  const records = Array.from({ length: STREAM_COUNT + 2 }, (_, i) => recordOf(`stream ${i}`));
  await committed(backend, { create: records.map((record) => ({ record })) });
  const ids = records.map(({ id }) => id);
  await backend.readStreams(ids);
  const granularity = Granularity.Seconds;
  const append = (streamId, times, numbers) => {
    const block = { timestamps: times, columns: { v: numbers } };
    return committed(backend, { writes: [{ kind: 'append', streamId, granularity, block }] });
  };
  const [bulkId, singleId, ...streamIds] = ids;
  await measure('blocks', 'bulk load', ROW_COUNT, () => append(bulkId, timestamps, values));
  const hash = await measure('blocks', 'scan', ROW_COUNT, async () => {
    const times = new Float64Array(ROW_COUNT);
    const numbers = new Float64Array(ROW_COUNT);
    let rest = { startMs: START_MS, endMs: START_MS + YEAR_MS };
    for (let row = 0; rest !== null; ) {
      const request = { streamId: bulkId, granularity, range: rest, rowCountMax: 16_384 };
      const page = await backend.readPage(request);
      times.set(page.block.timestamps, row);
      numbers.set(page.block.columns.v, row);
      row += page.block.timestamps.length;
      rest = page.rest;
    }
    return hashOf(times, numbers);
  });
  const sizeBytes = await sizeOf(client, schema);
  await measure('blocks', 'ticks of 1,000 streams', TICK_COUNT * STREAM_COUNT, async () => {
    for (let tick = 0; tick < TICK_COUNT; tick++) {
      const timestampMs = START_MS + tick * STEP_MS;
      const write = { kind: 'tick', timestampMs, streamIds, values: tickValues[tick] };
      await committed(backend, { writes: [write] });
    }
  });
  await measure('blocks', 'single appends', SINGLE_COUNT, async () => {
    for (let row = 0; row < SINGLE_COUNT; row++) {
      await append(singleId, timestamps.slice(row, row + 1), values.slice(row, row + 1));
    }
  });
  await backend.close();
  return { hash, sizeBytes };
}

/** What rows of their own need: an order among equal timestamps, and a head to check and to move on. */
function rowTables(schema, isPartitioned) {
  const partitions = Array.from({ length: isPartitioned ? 12 : 0 }, (_, month) => {
    const bound = (index) => START_MS + Math.round((YEAR_MS / 12) * index);
    return `CREATE TABLE ${schema}.points_${month} PARTITION OF ${schema}.points
      FOR VALUES FROM (${bound(month)}) TO (${bound(month + 1)})`;
  });
  return [
    `CREATE SCHEMA ${schema}`,
    `CREATE SEQUENCE ${schema}.arrivals`,
    `CREATE TABLE ${schema}.points (
      ordinal bigint, ms bigint, arrival bigint DEFAULT nextval('${schema}.arrivals'), v float8,
      PRIMARY KEY (ordinal, ms, arrival)
    ) ${isPartitioned ? 'PARTITION BY RANGE (ms)' : ''}`,
    ...partitions,
    `CREATE TABLE ${schema}.heads (ordinal bigint PRIMARY KEY, version bigint, latest_ms bigint)
      WITH (fillfactor = 50)`,
    `INSERT INTO ${schema}.heads SELECT n, 0, -1 FROM generate_series(1, ${STREAM_COUNT + 2}) n`,
  ];
}

async function runRows(client, schema, { layout, isPartitioned }) {
  for (const statement of rowTables(schema, isPartitioned)) await client.query(statement);
  const points = `${schema}.points (ordinal, ms, v)`;
  const append = (ordinals, times, numbers) =>
    client.query({
      name: `append ${schema}`,
      text: `WITH added AS (
        INSERT INTO ${points} SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::float8[])
      )
      UPDATE ${schema}.heads h SET version = version + 1, latest_ms = t.ms
      FROM (SELECT n AS ordinal, max(ms) AS ms
        FROM unnest($1::bigint[], $2::bigint[]) AS t (n, ms) GROUP BY n) t
      WHERE h.ordinal = t.ordinal AND h.latest_ms <= t.ms`,
      values: [ordinals, times, numbers],
    });
  await measure(layout, 'bulk load, multi-row INSERT', ROW_COUNT, async () => {
    await client.query('BEGIN');
    for (let from = 0; from < ROW_COUNT; from += INSERT_ROW_COUNT) {
      const rows = [];
      for (let row = from; row < from + INSERT_ROW_COUNT; row++) {
        rows.push(`(3,${timestamps[row]},${values[row]})`);
      }
      await client.query(`INSERT INTO ${points} VALUES ${rows.join(',')}`);
    }
    await client.query('COMMIT');
  });
  await measure(layout, 'bulk load', ROW_COUNT, async () => {
    const lines = function* () {
      for (let from = 0; from < ROW_COUNT; from += INSERT_ROW_COUNT) {
        let text = '';
        for (let row = from; row < from + INSERT_ROW_COUNT; row++) {
          text += `1\t${timestamps[row]}\t${values[row]}\n`;
        }
        yield text;
      }
    };
    await pipeline(Readable.from(lines()), client.query(copyFrom(`COPY ${points} FROM STDIN`)));
  });
  await client.query(`DELETE FROM ${schema}.points WHERE ordinal = 3`);
  await client.query(`VACUUM FULL ${schema}.points`);
  const hash = await measure(layout, 'scan', ROW_COUNT, async () => {
    const times = new Float64Array(ROW_COUNT);
    const numbers = new Float64Array(ROW_COUNT);
    let row = 0;
    for (let after = [-1, 0]; row < ROW_COUNT; ) {
      const { rows } = await client.query({
        name: `scan ${schema}`,
        rowMode: 'array',
        text: `SELECT ms, arrival, v FROM ${schema}.points
          WHERE ordinal = 1 AND (ms, arrival) > ($1, $2) ORDER BY ms, arrival LIMIT 16384`,
        values: after,
      });
      for (const [ms, , v] of rows) {
        times[row] = Number(ms);
        numbers[row++] = v;
      }
      after = rows.at(-1).slice(0, 2);
    }
    return hashOf(times, numbers);
  });
  const sizeBytes = await sizeOf(client, schema);
  const ordinals = Array.from({ length: STREAM_COUNT }, (_, i) => i + 3);
  await measure(layout, 'ticks of 1,000 streams', TICK_COUNT * STREAM_COUNT, async () => {
    for (let tick = 0; tick < TICK_COUNT; tick++) {
      const times = ordinals.map(() => START_MS + tick * STEP_MS);
      await append(ordinals, times, Array.from(tickValues[tick]));
    }
  });
  await measure(layout, 'single appends', SINGLE_COUNT, async () => {
    for (let row = 0; row < SINGLE_COUNT; row++) {
      await append([2], [timestamps[row]], [values[row]]);
    }
  });
  return { hash, sizeBytes };
}

const client = new pg.Client({ connectionString: url });
await client.connect();
const suffix = randomUUID().slice(0, 8);
const schemas = ['blocks', 'rows', 'partitions'].map((name) => `bench_${name}_${suffix}`);
try {
  const stored = {
    blocks: await runBlocks(client, schemas[0]),
    rows: await runRows(client, schemas[1], { layout: 'rows', isPartitioned: false }),
    partitions: await runRows(client, schemas[2], { layout: 'partitions', isPartitioned: true }),
  };
  const wanted = hashOf(timestamps, values);
  for (const [layout, { hash }] of Object.entries(stored)) {
    if (hash !== wanted) throw new Error(`${layout} gave other rows: ${hash} instead of ${wanted}`);
  }
  const bulk = results.get('bulk load');
  results.get('bulk load, multi-row INSERT').blocks = bulk.blocks;
  console.log(`1,000,000 rows of seed 20, hash ${wanted}; rows a second\n`);
  console.log('| what | blocks | rows | partitions | blocks ÷ rows |\n|---|--:|--:|--:|--:|');
  const number = (value) => Math.round(value).toLocaleString('en');
  for (const [what, row] of results) {
    const ratio = (row.blocks / row.rows).toFixed(1);
    const cells = [row.blocks, row.rows, row.partitions].map(number);
    console.log(`| ${what} | ${cells.join(' | ')} | ${ratio} |`);
  }
  const perRow = Object.values(stored).map(({ sizeBytes }) => (sizeBytes / ROW_COUNT).toFixed(1));
  console.log(
    `| bytes a row on disk | ${perRow.join(' | ')} | ${(perRow[0] / perRow[1]).toFixed(2)} |`,
  );
} finally {
  for (const schema of schemas) await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await client.end();
}
