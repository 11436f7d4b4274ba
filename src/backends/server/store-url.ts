const HIDDEN = '***';
/** Query parameters of a store URL that hold another URL, or a secret. */
const SECRET_PARAMETERS = /([?&](?:metadata|password|token|authMechanismProperties)=)([^&#]*)/gi;
/** Hosts with ports and without a user: what must not be taken for a name and a password. */
const HOSTS = /^(\[[^\]@]*\]|[^:@[\]]*)(:\d+)?(,[^:@]*(:\d+)?)*$/;

/**
 * The URL as it may be printed: user names stay, passwords and everything that may hold one are hidden.
 * Takes any text, a URL or not; of one that is none, rather too much is hidden than too little.
 */
export function redactUrl(url: string): string {
  const from = url.search(SECRET_PARAMETERS);
  const head = from < 0 ? url : url.slice(0, from);
  const parameters = url.slice(head.length).replace(SECRET_PARAMETERS, (_match, name, value) => {
    const isUrl = /^[a-z][a-z0-9+]*(:|%3a)/i.test(value);
    return `${name}${isUrl ? redactUrl(decodeText(value)) : HIDDEN}`;
  });
  return hidePassword(head) + parameters;
}

function hidePassword(url: string): string {
  const [scheme] = /^[a-z][a-z0-9+]*:\/\//i.exec(url) ?? [];
  if (scheme === undefined) return url;
  const rest = url.slice(scheme.length);
  const authority = rest.split(/[/?#]/, 1)[0]!;
  if (HOSTS.test(authority) && !rest.includes('@')) return url;
  // Up to the last "@": a password in which "/" or "@" was not encoded is hidden whole, too.
  const at = rest.lastIndexOf('@');
  const userInfo = at < 0 ? rest : rest.slice(0, at);
  const colon = userInfo.indexOf(':');
  if (colon < 0) return url;
  return `${scheme}${userInfo.slice(0, colon)}:${HIDDEN}${at < 0 ? '' : rest.slice(at)}`;
}

function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return HIDDEN;
  }
}
