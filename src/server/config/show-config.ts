import type { ServiceConfig } from './service-config.ts';

/** Places of values that no output shows. */
const SECRET_PATHS: readonly string[] = ['store', 'alerts.webhookSecret', 'alerts.email.url'];

/** Up to the last `@`: whoever did not encode his password has signs of all kinds in it. */
const PASSWORD = /(:\/\/[^:@/]*):.*@/;
const URLS = /^(?:[a-z+]+:\/\/|embedded:|memory:)/;

/** The configuration as JSON text of several lines, durations in milliseconds; secrets are left out. */
export function showConfig(config: ServiceConfig): string {
  return JSON.stringify(withoutSecrets(config, ''), null, 2);
}

function withoutSecrets(value: unknown, path: string): unknown {
  if (SECRET_PATHS.includes(path) && typeof value === 'string') return hidden(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = Object.entries(value).map(([key, member]) => [
    key,
    withoutSecrets(member, path === '' ? key : `${path}.${key}`),
  ]);
  return Object.fromEntries(members);
}

/** A value for a message; secrets are left out. */
export function shownSetting(value: unknown, name: string): string {
  const isSecret = SECRET_PATHS.includes(name) && typeof value === 'string';
  return JSON.stringify(isSecret ? hidden(value) : value);
}

/** A URL without its password, anything else not at all. */
function hidden(text: string): string {
  return URLS.test(text) ? text.replace(PASSWORD, '$1:***@') : '***';
}
