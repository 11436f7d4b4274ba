import { InvalidBackendUrl } from '../../exceptions/errors.ts';
import { redactUrl } from '../server/store-url.ts';

export interface MongodbUrl {
  /** As given: for the driver alone. */
  readonly url: string;
  readonly database: string;
  /** The URL without its password. */
  readonly location: string;
  /** Texts that must not appear in a message. */
  readonly secrets: readonly string[];
}

/** Scheme, user information, hosts, path, query: the hosts may be several, which `URL` does not read. */
const SHAPE = /^mongodb(?:\+srv)?:\/\/(?:([^@/?]*)@)?([^@/?]+)(?:\/([^?]*))?(?:\?(.*))?$/;
const NAME_SIZE_MAX = 63;
/** Options that are numbers: the driver takes other text for NaN, and then waits for ever. */
const NUMERIC_OPTION = /(?:ms|poolsize|maxconnecting)$/i;

/**
 * Takes `mongodb://user:password@host:port/database?options` apart.
 * @throws {InvalidBackendUrl} when it has another shape, names no database, has an option that should be a
 * number, or asks for writes without an answer: nobody would know whether a commit is stored.
 */
export function parseMongodbUrl(url: string): MongodbUrl {
  const location = redactUrl(url);
  const match = SHAPE.exec(url);
  if (match === null) {
    throw new InvalidBackendUrl(
      `Not a MongoDB URL: ${location}. Expected mongodb://user:password@host:port/database.`,
    );
  }
  const [, userInfo = '', , path = '', query = ''] = match;
  checkOptions(query, location);
  const database = decoded(path);
  if (database === '' || database.length > NAME_SIZE_MAX || /[/\\. "$*<>:|?\0]/.test(database)) {
    throw new InvalidBackendUrl(
      `The URL ${location} has to name a database after the host, as in ${location.split('?')[0]!.replace(/\/?$/, '')}/datastream.`,
    );
  }
  const colon = userInfo.indexOf(':');
  const password = colon < 0 ? '' : userInfo.slice(colon + 1);
  const secrets = [...new Set([password, decoded(password)])].filter((text) => text !== '');
  return { url, database, location, secrets };
}

function checkOptions(query: string, location: string): void {
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'w' && value === '0') {
      throw new InvalidBackendUrl(`The URL ${location} asks for writes without an answer (w=0).`);
    }
    if (NUMERIC_OPTION.test(name) && !/^\d+$/.test(value)) {
      throw new InvalidBackendUrl(
        `The option ${name} of ${location} is ${JSON.stringify(value)}: expected a whole number.`,
      );
    }
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
