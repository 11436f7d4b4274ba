import { isApiToken } from './secrets.ts';

/** What a request shows of itself. */
export type Credentials =
  | { readonly kind: 'none' }
  /** Something that is no credentials: to be refused, not ignored. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'token'; readonly secret: string }
  | { readonly kind: 'password'; readonly name: string; readonly password: string };

/**
 * Reads `Authorization`: `Bearer TOKEN`, `Basic` of user:password or anything:TOKEN, and, as clients of
 * InfluxDB send it, `Token TOKEN` or `Token user:password`.
 */
export function parseAuthorization(header: string | undefined): Credentials {
  if (header === undefined) return { kind: 'none' };
  const [, scheme = '', rest = ''] = /^([A-Za-z]+)\s+(\S.*)$/.exec(header.trim()) ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return { kind: 'token', secret: rest };
    case 'token':
      return rest.includes(':') ? parsePair(rest) : { kind: 'token', secret: rest };
    case 'basic':
      return parsePair(Buffer.from(rest, 'base64').toString('utf8'));
    default:
      return { kind: 'malformed' };
  }
}

/** A user and his password, in two fields of a URL's query; a token stands in the place of either. */
export function credentialsOf(name: string, password: string): Credentials {
  if (isApiToken(password)) return { kind: 'token', secret: password };
  if (isApiToken(name) && password === '') return { kind: 'token', secret: name };
  return name === '' ? { kind: 'malformed' } : { kind: 'password', name, password };
}

function parsePair(pair: string): Credentials {
  const colon = pair.indexOf(':');
  if (colon < 0) return { kind: 'malformed' };
  return credentialsOf(pair.slice(0, colon), pair.slice(colon + 1));
}
