import { type ExecFileOptions, execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { CACHE_FOLDER, findProgram } from './files.ts';
import { type Place, startServer } from './server-process.ts';
import type { ServerProgram } from './test-server.ts';

const OWNER = 'datastream';
const GUARDED_ROLE = 'guarded';
const GUARDED_PASSWORD = 'let-me-in';

/** Debian keeps the server's programs off PATH, a folder for each version. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** Anybody on this machine is let in, but for one role that has to give its password. */
const HBA = `
host all ${GUARDED_ROLE} 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
local all all trust
`;

const run = promisify(execFile);

interface User {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL with its defaults; `fsync` stays on, because tests kill it and count what is left. */
export const postgresql: ServerProgram = {
  missingReason() {
    if (findPostgres() === null) {
      return `no postgres and initdb on PATH or in ${DEBIAN_FOLDER}, no POSTGRESQL_URL`;
    }
    return serverUser() === null ? 'PostgreSQL does not run as root, and no user postgres' : null;
  },
  start: () =>
    startServer({
      name: 'postgresql',
      // Ends connections and then itself; SIGTERM would wait for the clients.
      stopSignal: 'SIGINT',
      prepare: async (place) => {
        await run('cp', ['-a', await ensureTemplate(), dataFolder(place)]);
        const { uid, gid } = serverUser()!;
        if (uid !== undefined) await chown(place.folder, uid, gid!);
      },
      command: (place) => ({
        file: findPostgres()!,
        args: ['-D', dataFolder(place), ...settings(place)],
        ...serverUser()!,
      }),
      url: (port) => `postgresql://${OWNER}@127.0.0.1:${port}/postgres`,
      passwordUrl: (port) =>
        `postgresql://${GUARDED_ROLE}:${GUARDED_PASSWORD}@127.0.0.1:${port}/postgres`,
      ask: (port) =>
        queryPostgresql(`postgresql://${OWNER}@127.0.0.1:${port}/postgres`, 'SELECT 1'),
    }),
};

/** Runs one statement on a connection of its own. */
export async function queryPostgresql(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  // The server may end while the connection is idle, which is no reason to end the tests.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function settings({ folder, port }: Place): readonly string[] {
  return [
    `listen_addresses=127.0.0.1`,
    `port=${port}`,
    `unix_socket_directories=${folder}`,
    // Files in the data folder, which go with it when the server was killed.
    'dynamic_shared_memory_type=mmap',
  ].flatMap((setting) => ['-c', setting]);
}

/** Makes the first content of a data folder once per version: `initdb` takes seconds, a copy does not. */
async function ensureTemplate(): Promise<string> {
  const postgres = findPostgres()!;
  const { stdout } = await run(postgres, ['--version']);
  const version = stdout.match(/\d+/)![0];
  const template = join(CACHE_FOLDER, `postgresql-${version}-${process.getuid?.() ?? 0}`);
  if (existsSync(template)) return template;
  const user = serverUser()!;
  const workshop = await mkdtemp(join(tmpdir(), 'datastream-initdb-'));
  try {
    if (user.uid !== undefined) await chown(workshop, user.uid, user.gid!);
    const data = join(workshop, 'data');
    await initialize(data, dirname(postgres), { ...user, cwd: workshop });
    await writeFile(join(data, 'pg_hba.conf'), HBA);
    await mkdir(CACHE_FOLDER, { recursive: true });
    await publish(data, template);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
  return template;
}

async function initialize(data: string, folder: string, options: ExecFileOptions): Promise<void> {
  await run(
    join(folder, 'initdb'),
    ['-D', data, '-U', OWNER, '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync'],
    options,
  );
  const single = run(join(folder, 'postgres'), ['--single', '-F', '-D', data, 'postgres'], options);
  single.child.stdin?.end(
    `CREATE ROLE ${GUARDED_ROLE} SUPERUSER LOGIN PASSWORD '${GUARDED_PASSWORD}'\n`,
  );
  await single;
}

/** Copies and renames, so that runs at the same moment see the whole template or none. */
async function publish(data: string, template: string): Promise<void> {
  const draft = await mkdtemp(`${template}-`);
  try {
    await run('cp', ['-a', `${data}/.`, draft]);
    await rename(draft, template);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(template)) throw error;
  }
}

function findPostgres(): string | null {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER).map(Number) : [];
  const newestFirst = versions.filter(Number.isInteger).sort((a, b) => b - a);
  const folders = newestFirst.map((version) => join(DEBIAN_FOLDER, String(version), 'bin'));
  const initdb = findProgram('initdb', folders);
  return initdb === null ? null : findProgram('postgres', [dirname(initdb)]);
}

/** Who runs the server: this process's own user, or `postgres` where that is root; null without one. */
function serverUser(): User | null {
  if (process.getuid?.() !== 0) return {};
  const line = readFileSync('/etc/passwd', 'utf8').match(/^postgres:[^:]*:(\d+):(\d+):/m);
  return line === null ? null : { uid: Number(line[1]), gid: Number(line[2]) };
}

function dataFolder({ folder }: Place): string {
  return join(folder, 'data');
}
