// DuckDB in process: rows go in by its appender, a data chunk at a time; a flush is a commit.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { importPackage } from './packages.mjs';
import { checkBuckets, checkHourOf, expectedCounts } from './peer-checks.mjs';
import { rawReadIndex } from './run.mjs';
import { insertLevelSql, LEVEL_COLUMNS } from './sql.mjs';
import { LEVELS, secondsAt, W1_BATCH_ROW_COUNT } from './workload.mjs';

const CHUNK_ROW_COUNT = 1000;

export const parts = { w1, w2, w2Live };

async function w1(run) {
  const duckdb = await Duckdb.open(run, 'w1');
  const values = run.workload.w1();
  const chunks = [];
  for (let from = 0; from < values.length; from += CHUNK_ROW_COUNT) {
    const rows = Array.from(values.subarray(from, from + CHUNK_ROW_COUNT));
    const instants = rows.map((_, i) => instant(secondsAt(from + i)));
    chunks.push([new Array(rows.length).fill(1), instants, rows]);
  }
  const ingestSeconds = await run.ingest('w1', values.length, () =>
    duckdb.append(chunks, W1_BATCH_ROW_COUNT / CHUNK_ROW_COUNT),
  );
  run.figure('w1_bytes_raw', (await duckdb.sizeBytes()) / values.length);
  const rollupSeconds = await run.seconds(() => duckdb.insertLevels());
  run.figure('w1_rollup', rollupSeconds);
  run.figure('w1_levels_once', values.length / (ingestSeconds + rollupSeconds));
  run.figure('w1_levels', values.length / (ingestSeconds + rollupSeconds));
  run.figure('w1_bytes_levels', (await duckdb.sizeBytes()) / values.length);
  checkBuckets(run, await duckdb.buckets('1d', 1), { values, level: 'days' });
  await run.latency('read_90d_1h', run.workload.size.readCounts.long, async () =>
    (
      await duckdb.connection.runAndReadAll(
        'SELECT ts, mean, min, max, sum, count FROM r1h WHERE sid = 1 ORDER BY ts',
      )
    ).getColumnsJS(),
  );
  checkBuckets(run, await duckdb.buckets('1h', 1), { values, level: 'hours' });
  duckdb.close();
}

async function w2(run) {
  const duckdb = await Duckdb.open(run, 'w2');
  const ticks = run.workload.w2();
  const { streamCount } = run.workload.size;
  await duckdb.insertStreams();
  const chunks = tickChunks(ticks, streamCount);
  await run.ingest('w2', ticks.length, () => duckdb.append(chunks, 1));
  run.figure('w2_bytes_raw', (await duckdb.sizeBytes()) / ticks.length);
  run.figure('w2_rollup', await run.seconds(() => duckdb.insertLevels()));
  run.figure('w2_bytes_levels', (await duckdb.sizeBytes()) / ticks.length);
  checkBuckets(run, await duckdb.buckets('10m', 7), { ticks, index: 7, level: '10minutes' });
  await derive(run, duckdb, ticks);
  await read(run, duckdb, ticks);
  run.notePeakMemory();
  duckdb.close();
}

/** After each tick that ends buckets, those are inserted. */
async function w2Live(run) {
  const duckdb = await Duckdb.open(run, 'w2-live');
  const ticks = run.workload.w2();
  const { streamCount, tickCount } = run.workload.size;
  const chunks = tickChunks(ticks, streamCount);
  const inserts = [];
  for (const level of LEVELS) {
    inserts.push(
      await duckdb.connection.prepare(
        insertLevelSql(level, { unitsPerSecond: 1000, where: 'ts >= $1 AND ts < $2' }),
      ),
    );
  }
  const seconds = await run.seconds(async () => {
    const appender = await duckdb.connection.createAppender('raw');
    for (let tick = 0; tick < tickCount; tick++) {
      duckdb.appendChunk(appender, chunks[tick]);
      appender.flushSync();
      for (const { level, fromSeconds, endSeconds } of run.workload.endedBuckets(tick)) {
        const insert = inserts[LEVELS.indexOf(level)];
        insert.bindBigInt(1, instant(fromSeconds));
        insert.bindBigInt(2, instant(endSeconds));
        await insert.run();
      }
    }
    appender.closeSync();
  });
  run.figure('w2_live', ticks.length / seconds);
  checkBuckets(run, await duckdb.buckets('10m', 7), { ticks, index: 7, level: '10minutes' });
  checkBuckets(run, await duckdb.buckets('1d', 7), { ticks, index: 7, level: 'days' });
  duckdb.close();
}

async function derive(run, duckdb, ticks) {
  const expected = expectedCounts(run, ticks);
  let count = 0;
  const derivSeconds = await run.seconds(async () => {
    count = await duckdb.changes(`INSERT INTO raw
      SELECT sid + 100000, ts, (v - before_v) / ((ts - before_ts) / 1000.0) FROM (
        SELECT sid, ts, v, lag(v) OVER w before_v, lag(ts) OVER w before_ts FROM raw
        WHERE sid IN (SELECT sid FROM streams WHERE kind = 'counter')
        WINDOW w AS (PARTITION BY sid ORDER BY ts)
      ) WHERE v >= before_v`);
  });
  run.figure('deriv', derivSeconds);
  run.check('derivatives', count === expected.derivatives);
  const sumSeconds = await run.secondsOfBrief({
    work: async (repeat) => {
      count = await duckdb.changes(`INSERT INTO raw
        SELECT ${200_000 + repeat}, ts, sum(v) FROM raw
        WHERE sid IN (SELECT sid FROM streams WHERE is_wide) GROUP BY ts`);
    },
  });
  run.figure('sum100', sumSeconds);
  run.check('sums', count === expected.sums);
}

async function read(run, duckdb, ticks) {
  const { endSeconds, size } = run.workload;
  const lastHour = await duckdb.connection.prepare(
    'SELECT ts, v FROM raw WHERE sid = $1 AND ts >= $2 AND ts < $3 ORDER BY ts',
  );
  let index = 0;
  const [, values] = await run.latency('read_1h_raw', size.readCounts.raw, async (i) => {
    index = rawReadIndex(i, size.streamCount);
    lastHour.bindInteger(1, index);
    lastHour.bindBigInt(2, instant(endSeconds - 3600));
    lastHour.bindBigInt(3, instant(endSeconds));
    return (await lastHour.runAndReadAll()).getColumnsJS();
  });
  checkHourOf(run, values, { ticks, index });
  const columns = await run.latency('read_100x1m', size.readCounts.wide, async () =>
    (
      await duckdb.connection.runAndReadAll(
        'SELECT r.* FROM r1m r JOIN streams USING (sid) WHERE is_wide ORDER BY sid, ts',
      )
    ).getColumnsJS(),
  );
  run.check('minutes', columns[0].length === expectedCounts(run, ticks).wideMinutes);
}

class Duckdb {
  #package;
  #instance;
  #path;
  #run;

  static async open(run, name) {
    const duckdb = new Duckdb();
    duckdb.#run = run;
    duckdb.#package = await importPackage('@duckdb/node-api');
    duckdb.#path = join(run.makeFolder(name), 'peer.duckdb');
    duckdb.#instance = await duckdb.#package.DuckDBInstance.create(duckdb.#path);
    duckdb.connection = await duckdb.#instance.connect();
    run.about(
      `${duckdb.#package.version()} in process, its defaults; a flush of the appender for each batch is a flushed commit`,
    );
    await duckdb.connection.run('CREATE TABLE raw (sid INTEGER, ts BIGINT, v DOUBLE)');
    for (const { shortName } of LEVELS) {
      await duckdb.connection.run(
        `CREATE TABLE r${shortName} (sid INTEGER, ts BIGINT, ${LEVEL_COLUMNS.replace('count INT', 'count BIGINT')})`,
      );
    }
    return duckdb;
  }

  async insertStreams() {
    const rows = this.#run.workload.streams.map(
      ({ index, name, kind, isWide }) => `(${index}, '${name}', '${kind}', ${isWide})`,
    );
    await this.connection.run(
      'CREATE TABLE streams (sid INTEGER, name VARCHAR, kind VARCHAR, is_wide BOOLEAN)',
    );
    await this.connection.run(`INSERT INTO streams VALUES ${rows.join()}`);
  }

  async append(chunks, chunksPerCommit) {
    const appender = await this.connection.createAppender('raw');
    for (const [i, columns] of chunks.entries()) {
      this.appendChunk(appender, columns);
      if ((i + 1) % chunksPerCommit === 0) appender.flushSync();
    }
    appender.closeSync();
  }

  appendChunk(appender, columns) {
    const { DuckDBDataChunk, INTEGER, BIGINT, DOUBLE } = this.#package;
    const chunk = DuckDBDataChunk.create([INTEGER, BIGINT, DOUBLE]);
    chunk.setColumns(columns);
    appender.appendDataChunk(chunk);
  }

  async insertLevels() {
    for (const level of LEVELS) {
      await this.connection.run(
        insertLevelSql(level, { unitsPerSecond: 1000, orderBy: 'ORDER BY 1, 2' }),
      );
    }
  }

  async buckets(shortName, sid) {
    const reader = await this.connection.runAndReadAll(
      `SELECT mean, min, max, sum, count FROM r${shortName} WHERE sid = ${sid} ORDER BY ts`,
    );
    return reader.getRowObjectsJS().map((row) => ({ ...row, count: Number(row.count) }));
  }

  async changes(sql) {
    return Number((await this.connection.runAndReadAll(sql)).getRowsJS()[0][0]);
  }

  async sizeBytes() {
    await this.connection.run('CHECKPOINT');
    return statSync(this.#path).size;
  }

  close() {
    this.connection.closeSync();
    this.#instance.closeSync();
  }
}

function tickChunks(ticks, streamCount) {
  const sids = Array.from({ length: streamCount }, (_, i) => i);
  return Array.from({ length: ticks.length / streamCount }, (_, tick) => [
    sids,
    new Array(streamCount).fill(instant(secondsAt(tick))),
    Array.from(ticks.subarray(tick * streamCount, (tick + 1) * streamCount)),
  ]);
}

function instant(seconds) {
  return BigInt(seconds * 1000);
}
