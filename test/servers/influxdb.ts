import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './files.ts';
import { type Place, startServer } from './server-process.ts';
import type { ServerProgram } from './test-server.ts';

const USER = 'datastream';
const PASSWORD = 'let-me-write';

/** InfluxDB 1.x, which syncs its log before it acknowledges a write. */
export const influxdb: ServerProgram = {
  missingReason: () =>
    findProgram('influxd') === null ? 'no influxd on PATH, no INFLUXDB_URL' : null,
  start: ({ isAuthRequired = false } = {}) =>
    startServer({
      name: 'influxdb',
      stopSignal: 'SIGTERM',
      prepare: (place) => writeFile(configPath(place), configuration(place, isAuthRequired)),
      command: (place) => ({
        file: findProgram('influxd')!,
        args: ['run', '-config', configPath(place)],
      }),
      url: (port) => `influxdb://127.0.0.1:${port}`,
      ...(isAuthRequired && {
        passwordUrl: (port) => `influxdb://${USER}:${PASSWORD}@127.0.0.1:${port}`,
        // The first user may be made by anybody, and has to be an administrator.
        initialize: (port) =>
          queryInfluxdb(
            `influxdb://127.0.0.1:${port}`,
            `CREATE USER ${USER} WITH PASSWORD '${PASSWORD}' WITH ALL PRIVILEGES`,
          ),
      }),
      ask: (port) => expectOk(fetch(`http://127.0.0.1:${port}/ping`)),
    }),
};

/** Runs one InfluxQL statement that changes something. @throws {Error} when the server refuses it. */
export async function queryInfluxdb(url: string, statement: string): Promise<void> {
  const { hostname, port, username, password } = new URL(url);
  const base = `http://${hostname}:${port || '8086'}`;
  const credentials = Buffer.from(
    `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
  );
  await expectOk(
    fetch(`${base}/query`, {
      method: 'POST',
      body: new URLSearchParams({ q: statement }),
      headers: username === '' ? {} : { authorization: `Basic ${credentials.toString('base64')}` },
    }),
  );
}

async function expectOk(request: Promise<Response>): Promise<void> {
  const response = await request;
  const body = await response.text();
  if (!response.ok || body.includes('"error"')) throw new Error(`${response.status} ${body}`);
}

function configPath({ folder }: Place): string {
  return join(folder, 'influxdb.conf');
}

function configuration({ folder, port }: Place, isAuthRequired: boolean): string {
  return `
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "${folder}/meta"
  logging-enabled = false
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[continuous_queries]
  log-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  auth-enabled = ${isAuthRequired}
  log-enabled = false
[logging]
  level = "error"
  suppress-logo = true
`;
}
