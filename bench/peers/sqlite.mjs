// SQLite in process: write-ahead log, a flush for each commit. Rows are clustered by stream and time, which is quick
// to read, or by time and stream, which is quick to write tick by tick: two contenders.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { importPackage } from './packages.mjs';
import { checkBuckets, checkHourOf, expectedCounts } from './peer-checks.mjs';
import { rawReadIndex } from './run.mjs';
import { insertLevelSql, LEVEL_COLUMNS } from './sql.mjs';
import { HOUR_POINT_COUNT, LEVELS, secondsAt, W1_BATCH_ROW_COUNT } from './workload.mjs';

/** Rows of one INSERT: fewer calls from JavaScript. */
const INSERT_ROW_COUNT_MAX = 1000;
const BY_STREAM = 'sid, ts';
const BY_TIME = 'ts, sid';

export const parts = {
  w1,
  w2: (run) => w2(run, BY_STREAM),
};
export const byTimeParts = {
  w2: (run) => w2(run, BY_TIME),
  w2Live,
};

async function w1(run) {
  const sqlite = await Sqlite.open(run, { name: 'w1', key: BY_STREAM });
  const values = run.workload.w1();
  const ingestSeconds = await run.ingest('w1', values.length, () => {
    for (let from = 0; from < values.length; from += W1_BATCH_ROW_COUNT) {
      sqlite.commit(() => {
        const end = Math.min(from + W1_BATCH_ROW_COUNT, values.length);
        sqlite.insert(from, end, (row, i) => {
          row[0] = 1;
          row[1] = secondsAt(i);
          row[2] = values[i];
        });
      });
    }
  });
  run.figure('w1_bytes_raw', sqlite.sizeBytes() / values.length);
  const rollupSeconds = await run.seconds(() => sqlite.insertLevels());
  run.figure('w1_rollup', rollupSeconds);
  run.figure('w1_levels_once', values.length / (ingestSeconds + rollupSeconds));
  run.figure('w1_levels', values.length / (ingestSeconds + rollupSeconds));
  run.figure('w1_bytes_levels', sqlite.sizeBytes() / values.length);
  const hours = sqlite.database.prepare(
    'SELECT ts, mean, min, max, sum, count FROM r1h WHERE sid = 1 ORDER BY ts',
  );
  hours.setReturnArrays(true);
  const rows = await run.latency('read_90d_1h', run.workload.size.readCounts.long, () =>
    hours.all(),
  );
  run.check('hours', rows.length === values.length / HOUR_POINT_COUNT);
  checkBuckets(run, sqlite.buckets('1h', 1), { values, level: 'hours' });
  checkBuckets(run, sqlite.buckets('1d', 1), { values, level: 'days' });
  sqlite.database.close();
}

async function w2(run, key) {
  const sqlite = await Sqlite.open(run, { name: 'w2', key });
  const ticks = run.workload.w2();
  sqlite.insertStreams(run.workload.streams);
  await run.ingest('w2', ticks.length, () => {
    for (let tick = 0; tick < run.workload.size.tickCount; tick++) {
      sqlite.commit(() => sqlite.insertTick(ticks, { ...run.workload.size, tick }));
    }
  });
  run.figure('w2_bytes_raw', sqlite.sizeBytes() / ticks.length);
  run.figure('w2_rollup', await run.seconds(() => sqlite.insertLevels()));
  run.figure('w2_bytes_levels', sqlite.sizeBytes() / ticks.length);
  checkBuckets(run, sqlite.buckets('10m', 7), { ticks, index: 7, level: '10minutes' });
  await derive(run, sqlite, ticks);
  await read(run, sqlite, ticks);
  run.notePeakMemory();
  sqlite.database.close();
}

async function w2Live(run) {
  const sqlite = await Sqlite.open(run, { name: 'w2-live', key: BY_TIME, levelKey: BY_TIME });
  const ticks = run.workload.w2();
  const inserts = LEVELS.map((level) =>
    sqlite.database.prepare(
      insertLevelSql(level, { unitsPerSecond: 1, where: 'ts >= ? AND ts < ?' }),
    ),
  );
  const seconds = await run.seconds(() => {
    for (let tick = 0; tick < run.workload.size.tickCount; tick++) {
      sqlite.commit(() => {
        sqlite.insertTick(ticks, { ...run.workload.size, tick });
        for (const { level, fromSeconds, endSeconds } of run.workload.endedBuckets(tick)) {
          inserts[LEVELS.indexOf(level)].run(fromSeconds, endSeconds);
        }
      });
    }
  });
  run.figure('w2_live', ticks.length / seconds);
  checkBuckets(run, sqlite.buckets('10m', 7), { ticks, index: 7, level: '10minutes' });
  checkBuckets(run, sqlite.buckets('1d', 7), { ticks, index: 7, level: 'days' });
  sqlite.database.close();
}

async function derive(run, { database }, ticks) {
  const expected = expectedCounts(run, ticks);
  let count = 0;
  const derivSeconds = await run.seconds(() => {
    const insert = database.prepare(`INSERT INTO raw
      SELECT sid + 100000, ts, (v - before_v) / (ts - before_ts) FROM (
        SELECT sid, ts, v, lag(v) OVER w before_v, lag(ts) OVER w before_ts FROM raw
        WHERE sid IN (SELECT sid FROM streams WHERE kind = 'counter')
        WINDOW w AS (PARTITION BY sid ORDER BY ts)
      ) WHERE v >= before_v`);
    count = Number(insert.run().changes);
  });
  run.figure('deriv', derivSeconds);
  run.check('derivatives', count === expected.derivatives);
  const sumSeconds = await run.secondsOfBrief({
    work: (repeat) => {
      const insert = database.prepare(`INSERT INTO raw
        SELECT ${200_000 + repeat}, ts, sum(v) FROM raw
        WHERE sid IN (SELECT sid FROM streams WHERE is_wide = 1) GROUP BY ts`);
      count = Number(insert.run().changes);
    },
  });
  run.figure('sum100', sumSeconds);
  run.check('sums', count === expected.sums);
}

async function read(run, { database }, ticks) {
  const { endSeconds, size, wide } = run.workload;
  const lastHour = database.prepare(
    'SELECT ts, v FROM raw WHERE sid = ? AND ts >= ? AND ts < ? ORDER BY ts',
  );
  lastHour.setReturnArrays(true);
  let index = 0;
  const rows = await run.latency('read_1h_raw', size.readCounts.raw, (i) => {
    index = rawReadIndex(i, size.streamCount);
    return lastHour.all(index, endSeconds - 3600, endSeconds);
  });
  checkHourOf(
    run,
    rows.map(([, value]) => value),
    { ticks, index },
  );
  const minutes = database.prepare(
    'SELECT sid, ts, mean, min, max, sum, count FROM r1m WHERE sid = ? ORDER BY ts',
  );
  minutes.setReturnArrays(true);
  const rowCount = await run.latency('read_100x1m', size.readCounts.wide, () =>
    wide.reduce((count, { index: sid }) => count + minutes.all(sid).length, 0),
  );
  run.check('minutes', rowCount === expectedCounts(run, ticks).wideMinutes);
}

class Sqlite {
  #path;
  #inserts = new Map();
  #row = [0, 0, 0];

  static async open(run, { name, key, levelKey = BY_STREAM }) {
    const { DatabaseSync } = await importPackage('@photostructure/sqlite');
    const sqlite = new Sqlite();
    sqlite.#path = join(run.makeFolder(name), 'peer.sqlite');
    sqlite.database = new DatabaseSync(sqlite.#path);
    const { database } = sqlite;
    const { version } = database.prepare('SELECT sqlite_version() version').get();
    run.about(
      `${version} in process, journal_mode WAL, synchronous FULL, a cache of 64 MiB, primary key (${key}); each batch is a flushed commit`,
    );
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536',
    );
    database.exec(
      `CREATE TABLE raw (sid INT, ts INT, v DOUBLE, PRIMARY KEY (${key})) WITHOUT ROWID`,
    );
    for (const { shortName } of LEVELS) {
      database.exec(
        `CREATE TABLE r${shortName} (sid INT, ts INT, ${LEVEL_COLUMNS}, PRIMARY KEY (${levelKey})) WITHOUT ROWID`,
      );
    }
    return sqlite;
  }

  insertStreams(streams) {
    this.database.exec(
      'CREATE TABLE streams (sid INTEGER PRIMARY KEY, name TEXT, kind TEXT, is_wide INT)',
    );
    const insert = this.database.prepare('INSERT INTO streams VALUES (?, ?, ?, ?)');
    this.commit(() => {
      for (const { index, name, kind, isWide } of streams) insert.run(index, name, kind, +isWide);
    });
  }

  commit(work) {
    this.database.exec('BEGIN');
    work();
    this.database.exec('COMMIT');
  }

  insertTick(ticks, { tick, streamCount }) {
    const seconds = secondsAt(tick);
    const from = tick * streamCount;
    this.insert(0, streamCount, (row, index) => {
      row[0] = index;
      row[1] = seconds;
      row[2] = ticks[from + index];
    });
  }

  /** Inserts the raw rows `[from, end)`. @param fill writes stream, seconds and value of row i */
  insert(from, end, fill) {
    for (let start = from; start < end; start += INSERT_ROW_COUNT_MAX) {
      const rowCount = Math.min(INSERT_ROW_COUNT_MAX, end - start);
      const values = new Array(rowCount * 3);
      for (let i = 0; i < rowCount; i++) {
        fill(this.#row, start + i);
        for (let column = 0; column < 3; column++) values[i * 3 + column] = this.#row[column];
      }
      this.#insertOf(rowCount).run(...values);
    }
  }

  #insertOf(rowCount) {
    let insert = this.#inserts.get(rowCount);
    if (insert === undefined) {
      const rows = new Array(rowCount).fill('(?, ?, ?)').join();
      insert = this.database.prepare(`INSERT INTO raw VALUES ${rows}`);
      this.#inserts.set(rowCount, insert);
    }
    return insert;
  }

  insertLevels() {
    for (const level of LEVELS) this.database.exec(insertLevelSql(level, { unitsPerSecond: 1 }));
  }

  buckets(shortName, sid) {
    return this.database
      .prepare(`SELECT mean, min, max, sum, count FROM r${shortName} WHERE sid = ? ORDER BY ts`)
      .all(sid);
  }

  sizeBytes() {
    this.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return statSync(this.#path).size;
  }
}
