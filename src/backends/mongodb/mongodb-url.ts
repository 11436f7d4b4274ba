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

/**
 * Takes `mongodb://user:password@host:port/database?options` apart.
 * @throws {InvalidBackendUrl} when it has another shape, names no database, or asks for writes
 * without an answer: nobody would know whether a commit is stored.
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
  if (new URLSearchParams(query).get('w') === '0') {
    throw new InvalidBackendUrl(`The URL ${location} asks for writes without an answer (w=0).`);
  }
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

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
