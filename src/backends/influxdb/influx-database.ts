import { BackendUnavailable } from '../../exceptions/errors.ts';
import { importDriver } from '../server/driver.ts';
import { quoteName } from './influx-text.ts';
import type { InfluxTarget } from './influx-url.ts';

/**
 * Keeps everything, four weeks to a shard: a read of fresh rows copies what its shard holds in memory, and
 * each DELETE visits every shard.
 */
const OWN_POLICY = 'datastream';
const OWN_POLICY_TERMS = 'DURATION INF REPLICATION 1 SHARD DURATION 28d';

interface Driver {
  getDatabaseNames(): Promise<string[]>;
  createDatabase(name: string): Promise<unknown>;
  queryRaw(query: string, options: { database: string; method: 'POST' }): Promise<unknown>;
}

/**
 * Sees to it that the database is there, with a retention policy for our rows, and returns the policy's
 * name. A policy that the URL names has to be there.
 * @throws {BackendUnavailable} {DriverMissing}
 */
export async function ensureDatabase(target: InfluxTarget): Promise<string> {
  const driver = await connect(target);
  const { database, retentionPolicy, location } = target;
  try {
    const databases = await driver.getDatabaseNames();
    if (!databases.includes(database)) await driver.createDatabase(database);
    const present = await policyNames(driver, database);
    const wanted = retentionPolicy ?? OWN_POLICY;
    if (present.includes(wanted)) return wanted;
    if (retentionPolicy !== null) {
      throw new BackendUnavailable(
        `The store ${location} has no retention policy ${JSON.stringify(wanted)}.`,
      );
    }
    await run(
      driver,
      `CREATE RETENTION POLICY ${quoteName(wanted)} ON ${quoteName(database)} ${OWN_POLICY_TERMS}`,
      database,
    );
    return wanted;
  } catch (error) {
    if (error instanceof BackendUnavailable) throw error;
    throw new BackendUnavailable(`The store ${location} cannot be opened: ${reasonOf(error)}.`, {
      cause: withoutRequest(error),
    });
  }
}

async function connect(target: InfluxTarget): Promise<Driver> {
  const { InfluxDB } = await importDriver('influx', async () => {
    const module = await import('influx');
    return module.default ?? module;
  });
  const { host, port, protocol, database, credentials, requestTimeoutMs } = target;
  return new InfluxDB({
    host,
    port,
    protocol,
    database,
    ...(credentials && { username: credentials.user, password: credentials.password }),
    pool: { requestTimeout: requestTimeoutMs, maxRetries: 0 },
  });
}

async function policyNames(driver: Driver, database: string): Promise<readonly string[]> {
  const statement = `SHOW RETENTION POLICIES ON ${quoteName(database)}`;
  const rows = await run(driver, statement, database);
  return rows.map(([name]) => String(name));
}

async function run(
  driver: Driver,
  statement: string,
  database: string,
): Promise<readonly (readonly unknown[])[]> {
  const answer = (await driver.queryRaw(statement, { database, method: 'POST' })) as {
    results?: readonly {
      error?: string;
      series?: readonly { values?: readonly (readonly unknown[])[] }[];
    }[];
  };
  const result = answer.results?.[0];
  if (result?.error !== undefined) throw new Error(result.error);
  return result?.series?.[0]?.values ?? [];
}

function reasonOf(error: unknown): string {
  const { message, errors } = error as { message?: string; errors?: readonly Error[] };
  return (message || errors?.[0]?.message || String(error)).trim().replace(/\.$/, '');
}

/** The driver's errors hold the request, and with it the password. */
function withoutRequest(error: unknown): Error {
  const cause = new Error(reasonOf(error));
  cause.name = (error as Error).name ?? 'Error';
  return cause;
}
