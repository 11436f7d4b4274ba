// InfluxDB without us: the `influx` driver, and a POST of line protocol put together by hand.
import { setTimeout as sleep } from 'node:timers/promises';
import { InfluxDB } from 'influx';
import { storeSizeBytes as postgresqlSizeBytes } from './bare-postgresql.mjs';

/** How long a server that was told to do so soon may take to move points from its log to files. */
const FILES_WITHIN_MS = 20_000;

/** Connects to the database of a store URL. */
export async function openBare(url, { isOwnServer }) {
  const server = new Server(url);
  const driver = new InfluxDB(server.driverOptions());
  return {
    server: `InfluxDB ${await server.version()}`,
    ways: [
      {
        name: 'driver writePoints',
        isRival: true,
        insert: (rows) => driver.writePoints(pointsOf('bare_driver', rows), { precision: 's' }),
        count: () => server.count('bare_driver'),
      },
      {
        name: 'line protocol by hand',
        isRival: true,
        insert: (rows) => server.write(linesOf('bare_lines', rows)),
        count: () => server.count('bare_lines'),
      },
    ],
    downsampling: {
      name: 'SELECT … INTO … GROUP BY time',
      prepare: (rows) => server.write(linesOf('bare_raw', rows)),
      run: (m, levels) => downsample(server, m, levels),
    },
    rowSizeBytes: async () => {
      let rowCount = 0;
      for (const measurement of ['bare_driver', 'bare_lines', 'bare_raw']) {
        rowCount += await server.count(measurement);
      }
      return (await server.sizeBytes({ isOwnServer })) / rowCount;
    },
    close: async () => {},
  };
}

/** Bytes of the InfluxDB database and of the PostgreSQL database beside it. */
export async function storeSizeBytes(url, { isOwnServer }) {
  const metadataUrl = new URL(url).searchParams.get('metadata');
  return (
    (await new Server(url).sizeBytes({ isOwnServer })) + (await postgresqlSizeBytes(metadataUrl))
  );
}

class Server {
  #url;
  #database;

  constructor(url) {
    this.#url = new URL(url);
    this.#database = decodeURIComponent(this.#url.pathname.slice(1));
  }

  driverOptions() {
    const { hostname, port, username, password } = this.#url;
    return {
      host: hostname,
      port: Number(port || 8086),
      database: this.#database,
      ...(username !== '' && {
        username: decodeURIComponent(username),
        password: decodeURIComponent(password),
      }),
    };
  }

  async version() {
    return (await this.#request('/ping', { method: 'GET' })).headers.get('x-influxdb-version');
  }

  async write(lines) {
    const query = new URLSearchParams({ db: this.#database, precision: 's' });
    await this.#request(`/write?${query}`, { method: 'POST', body: lines });
  }

  async query(text) {
    const body = new URLSearchParams({ db: this.#database, q: text });
    const response = await this.#request('/query', { method: 'POST', body });
    const { results } = JSON.parse(response.text);
    const failed = results.find(({ error }) => error !== undefined);
    if (failed !== undefined) throw new Error(failed.error);
    return results[0].series ?? [];
  }

  async count(measurement) {
    const [series] = await this.query(`SELECT count(v) FROM ${measurement}`);
    return series?.values[0][1] ?? 0;
  }

  /**
   * Of all shards of the database: files and write-ahead log. A server of our own was told to empty its log
   * soon; others do when it is large, or ten minutes old.
   */
  async sizeBytes({ isOwnServer }) {
    const deadlineMs = performance.now() + (isOwnServer ? FILES_WITHIN_MS : 0);
    while ((await this.#sumOf('tsm1_cache', 'memBytes')) > 0 && performance.now() < deadlineMs) {
      await sleep(200);
    }
    return this.#sumOf('shard', 'diskBytes');
  }

  async #sumOf(module, column) {
    let sum = 0;
    for (const { tags, columns, values } of await this.query(`SHOW STATS FOR '${module}'`)) {
      if (tags.database === this.#database) sum += values[0][columns.indexOf(column)];
    }
    return sum;
  }

  async #request(path, options) {
    const { hostname, port, username, password } = this.#url;
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    const response = await fetch(`http://${hostname}:${port || 8086}${path}`, {
      ...options,
      headers:
        username === ''
          ? {}
          : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`InfluxDB answered ${response.status}: ${text}`);
    return { headers: response.headers, text };
  }
}

function pointsOf(measurement, { streams, timestamps, values }) {
  const points = new Array(timestamps.length);
  for (let i = 0; i < points.length; i++) {
    points[i] = {
      measurement,
      tags: { m: String(streams[i]) },
      fields: { v: values[i] },
      timestamp: new Date(timestamps[i]),
    };
  }
  return points;
}

function linesOf(measurement, { streams, timestamps, values }) {
  let lines = '';
  for (let i = 0; i < timestamps.length; i++) {
    lines += `${measurement},m=${streams[i]} v=${values[i]} ${timestamps[i] / 1000}\n`;
  }
  return lines;
}

/** Count, sum, min and max only, each level from the one above. */
async function downsample(server, m, levels) {
  for (const [index, level] of levels.entries()) {
    const columns =
      index === 0
        ? 'count(v) AS c, sum(v) AS s, min(v) AS l, max(v) AS u'
        : 'sum(c) AS c, sum(s) AS s, min(l) AS l, max(u) AS u';
    const source = index === 0 ? 'bare_raw' : `"bare_${levels[index - 1].name}"`;
    await server.query(
      `SELECT ${columns} INTO "bare_${level.name}" FROM ${source} WHERE m = '${m}'
       GROUP BY time(${level.durationMs / 1000}s), m fill(none)`,
    );
  }
}
