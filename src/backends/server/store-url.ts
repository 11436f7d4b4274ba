const HIDDEN = '***';
/** Query parameters of a store URL that hold another URL, or a secret. */
const SECRET_PARAMETERS = /([?&](?:metadata|password|token|authMechanismProperties)=)([^&#]*)/gi;

/**
 * The URL as it may be printed: user names stay, passwords and everything that may hold one are hidden.
 * Takes any text, a URL or not.
 */
export function redactUrl(url: string): string {
  return url
    .replace(SECRET_PARAMETERS, (_match, name: string, value: string) => {
      const isUrl = /^[a-z][a-z0-9+]*(:|%3a)/i.test(value);
      return `${name}${isUrl ? redactUrl(decodeText(value)) : HIDDEN}`;
    })
    .replace(/^([^/]*:\/\/)([^/?#]*)@/, (_match, scheme: string, userInfo: string) => {
      const colon = userInfo.indexOf(':');
      return `${scheme}${colon < 0 ? userInfo : `${userInfo.slice(0, colon)}:${HIDDEN}`}@`;
    });
}

function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return HIDDEN;
  }
}
