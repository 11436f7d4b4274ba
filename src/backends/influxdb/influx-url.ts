import { InvalidBackendUrl } from '../../exceptions/errors.ts';
import { redactUrl } from '../server/store-url.ts';

/** What a store URL says about InfluxDB, with the defaults filled in. */
export interface InfluxTarget {
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Null where the server asks nobody. Has the password: never print it. */
  readonly credentials: { readonly user: string; readonly password: string } | null;
  /** Name of a retention policy that is there; null: the backend's own, which keeps everything. */
  readonly retentionPolicy: string | null;
  /** Connections at most. */
  readonly connectionCountMax: number;
  /** After this time a request is given up. */
  readonly requestTimeoutMs: number;
  /** How long something that failed in passing is tried again. */
  readonly retryTimeoutMs: number;
  /** Appends are refused while more than this waits in PostgreSQL for an InfluxDB that is away. */
  readonly backlogMaxBytes: number;
  /** The PostgreSQL URL. Has a password: never print it. */
  readonly metadataUrl: string;
  /** The URL as it may be printed: no password, no parameters. */
  readonly location: string;
}

const PORT_DEFAULT = 8086;

/** Parameters that are numbers: default, least and greatest. */
const NUMBERS = {
  connections: [4, 1, 100],
  requestTimeoutMs: [30_000, 1, 600_000],
  retryTimeoutMs: [5000, 0, 600_000],
  backlogMaxBytes: [128 * 1024 * 1024, 1, 2 ** 40],
} as const;

const KNOWN: readonly string[] = ['metadata', 'ssl', 'retention', ...Object.keys(NUMBERS)];

/**
 * Takes a URL `influxdb://user:password@host:8086/database?metadata=ENCODED_POSTGRESQL_URL&…` apart.
 * @throws {InvalidBackendUrl} when it is no such URL, or a parameter is missing, unknown or out of bounds.
 */
export function parseInfluxUrl(url: string): InfluxTarget {
  const [address = '', query = ''] = splitAt(url, '?');
  const location = redactUrl(address);
  const shown = JSON.stringify(location);
  const wrong = (problem: string): InvalidBackendUrl =>
    new InvalidBackendUrl(`The store URL ${shown} ${problem}.`);
  // The URL class knows ports and users of this scheme only under the name of a known one.
  const text = address.replace(/^influxdb:/, 'http:');
  if (!address.startsWith('influxdb://') || !URL.canParse(text)) {
    throw wrong('is none of influxdb://user:password@host:8086/database?metadata=postgresql://…');
  }
  const parsed = new URL(text);
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (KNOWN.includes(name)) continue;
    throw wrong(`has an unknown parameter ${JSON.stringify(name)}: expected ${KNOWN.join(', ')}`);
  }
  const database = decode(parsed.pathname.slice(1), wrong);
  if (database === '') throw wrong('names no database');
  const metadataUrl = parameters.get('metadata');
  if (metadataUrl === null || !/^postgres(?:ql)?:\/\//.test(metadataUrl)) {
    throw wrong('needs metadata=, the encoded URL of a PostgreSQL database');
  }
  const number = (name: keyof typeof NUMBERS): number => numberOf(name, parameters, wrong);
  return {
    protocol: flagOf('ssl', parameters, wrong) ? 'https' : 'http',
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? defaultPort(address) : Number(parsed.port),
    database,
    credentials:
      parsed.username === ''
        ? null
        : { user: decode(parsed.username, wrong), password: decode(parsed.password, wrong) },
    retentionPolicy: parameters.get('retention'),
    connectionCountMax: number('connections'),
    requestTimeoutMs: number('requestTimeoutMs'),
    retryTimeoutMs: number('retryTimeoutMs'),
    backlogMaxBytes: number('backlogMaxBytes'),
    metadataUrl,
    location,
  };
}

/** The URL class drops the port 80, which is the default of the scheme that it was shown. */
function defaultPort(address: string): number {
  return /^[^/]*\/\/[^/]*:80(?:\/|$)/.test(address) ? 80 : PORT_DEFAULT;
}

function numberOf(
  name: keyof typeof NUMBERS,
  parameters: URLSearchParams,
  wrong: (problem: string) => InvalidBackendUrl,
): number {
  const [standard, least, greatest] = NUMBERS[name];
  const text = parameters.get(name);
  if (text === null) return standard;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= greatest) return value;
  throw wrong(`has ${name}=${text}: expected a whole number from ${least} to ${greatest}`);
}

function flagOf(
  name: string,
  parameters: URLSearchParams,
  wrong: (problem: string) => InvalidBackendUrl,
): boolean {
  const text = parameters.get(name) ?? 'false';
  if (text !== 'true' && text !== 'false')
    throw wrong(`has ${name}=${text}: expected true or false`);
  return text === 'true';
}

function decode(text: string, wrong: (problem: string) => InvalidBackendUrl): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('has a "%" that encodes nothing');
  }
}

function splitAt(text: string, separator: string): readonly [string, string] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}
