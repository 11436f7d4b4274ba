import { InvalidBackendUrl } from '../../exceptions/errors.ts';
import { redactUrl } from '../server/store-url.ts';

/** What a PostgreSQL URL says, with the defaults filled in. */
export interface SqlTarget {
  /** The URL without our own parameters, as the driver takes it. Has the password: never print it. */
  readonly connectionString: string;
  /** The URL as it may be printed: no password, no parameters. */
  readonly location: string;
  /** A plain identifier; every table of the store lives in this schema. */
  readonly schema: string;
  /** Connections at most. */
  readonly poolSize: number;
  readonly connectTimeoutMs: number;
  /** After this time a statement is given up. */
  readonly queryTimeoutMs: number;
  /** How long something that failed in passing is tried again. */
  readonly retryTimeoutMs: number;
}

const SCHEMA_DEFAULT = 'datastream';
/** A lower-case identifier needs no quotes, so that operators find it by the name that they typed. */
const SCHEMA_PATTERN = /^[a-z_][a-z0-9_]{0,62}$/;
const SCHEME_PATTERN = /^(?:postgresql|postgres):\/\//;

/** A "@" behind the host: a password with a "/" or "?" in it was taken for a port and a path, and would be shown. */
const HIDDEN_AT_PATTERN = /^[^/]*:\/\/(?:[^/?]*\/[^?]*@|[^/?@]*:[^/?@]*\?.*@)/;

/** Our own parameters that are numbers: default, least and greatest. */
const NUMBERS = {
  pool: [8, 1, 1000],
  connectTimeoutMs: [10_000, 1, 600_000],
  queryTimeoutMs: [120_000, 1, 86_400_000],
  retryTimeoutMs: [20_000, 0, 600_000],
} as const;

/** Parameters that the driver understands by itself. */
const DRIVER_PARAMETERS: ReadonlySet<string> = new Set([
  'sslmode',
  'sslcert',
  'sslkey',
  'sslrootcert',
  'sslnegotiation',
  'uselibpqcompat',
  'host',
  'user',
  'options',
  'application_name',
]);

/**
 * Takes a URL `postgresql://user:password@host:port/database?schema=NAME&pool=8&…` apart.
 * @throws {InvalidBackendUrl} when it is no such URL, or a parameter is unknown or out of bounds.
 */
export function parseSqlUrl(url: string): SqlTarget {
  const [address = '', query = ''] = splitAt(url, '?');
  const isWhole = !(url.includes('#') || HIDDEN_AT_PATTERN.test(url));
  if (!SCHEME_PATTERN.test(url) || !isWhole || !URL.canParse(url)) {
    throw new InvalidBackendUrl(
      `The store URL ${JSON.stringify(withoutUserInfo(url))} is none of postgresql://user:password@host:port/database; reserved characters of a password are written as %40 for "@", %2F for "/" and so on.`,
    );
  }
  const location = redactUrl(address);
  const parameters = new URLSearchParams(query);
  const passed = new URLSearchParams();
  for (const [name, value] of parameters) {
    if (name === 'schema' || Object.hasOwn(NUMBERS, name)) continue;
    if (!DRIVER_PARAMETERS.has(name)) throw unknownParameter(name, location);
    passed.append(name, value);
  }
  const schema = parameters.get('schema') ?? SCHEMA_DEFAULT;
  if (!SCHEMA_PATTERN.test(schema)) {
    throw new InvalidBackendUrl(
      `The schema ${JSON.stringify(schema)} of ${location} is no plain identifier: expected lower-case letters, digits and "_", at most 63.`,
    );
  }
  const number = (name: keyof typeof NUMBERS): number => numberOf(name, parameters, location);
  return {
    connectionString: passed.size === 0 ? address : `${address}?${passed}`,
    location,
    schema,
    poolSize: number('pool'),
    connectTimeoutMs: number('connectTimeoutMs'),
    queryTimeoutMs: number('queryTimeoutMs'),
    retryTimeoutMs: number('retryTimeoutMs'),
  };
}

function numberOf(
  name: keyof typeof NUMBERS,
  parameters: URLSearchParams,
  location: string,
): number {
  const [standard, least, greatest] = NUMBERS[name];
  const text = parameters.get(name);
  if (text === null) return standard;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= greatest) return value;
  throw new InvalidBackendUrl(
    `The parameter ${name}=${text} of ${location} is no whole number from ${least} to ${greatest}.`,
  );
}

function unknownParameter(name: string, location: string): InvalidBackendUrl {
  const known = ['schema', ...Object.keys(NUMBERS), ...DRIVER_PARAMETERS].join(', ');
  return new InvalidBackendUrl(
    `Unknown parameter ${JSON.stringify(name)} of ${location}: expected one of ${known}.`,
  );
}

function splitAt(text: string, separator: string): readonly [string, string] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

/** A broken URL without all that may belong to a password, and without parameters. */
function withoutUserInfo(url: string): string {
  const [address] = splitAt(url.replace(/^([^/]*:\/\/).*@/s, '$1***@'), '?');
  return redactUrl(splitAt(address, '#')[0]);
}
