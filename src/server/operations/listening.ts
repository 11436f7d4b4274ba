import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { isLoopbackHost } from '../access/addresses.ts';
import { ConfigError } from '../config/config-error.ts';
import type { ServiceConfig } from '../config/service-config.ts';

/**
 * Only this host reaches a service that has no user yet: anybody else could make himself its admin, or use what
 * `access.mode` `open` gives, or write where Graphite is taken in.
 * @throws {ConfigError}
 */
export function assertMayListen(
  { host, ingest: { graphitePort, graphiteHost } }: ServiceConfig,
  { hasUsers }: { readonly hasUsers: boolean },
): void {
  if (hasUsers) return;
  assertOwnHost('host', host);
  if (graphitePort !== null) assertOwnHost('ingest.graphiteHost', graphiteHost);
}

function assertOwnHost(setting: string, host: string): void {
  if (isLoopbackHost(host.includes(':') ? `[${host}]` : host)) return;
  throw new ConfigError(
    `${setting}: ${JSON.stringify(host)} can be reached from elsewhere, and there is no user yet; expected 127.0.0.1 ` +
      'until there is one: follow the link that the service prints there, or use "datastream user add".',
  );
}

/** Where something was to listen, and the names of the settings that say so. */
export interface ListeningPlace {
  readonly host: string;
  readonly port: number;
  readonly settings: string;
}

/** Why nothing listens there, in words for whoever chose the place. */
export function listeningError(
  error: unknown,
  { host, port, settings }: ListeningPlace,
): ConfigError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = LISTENING_REASONS[code ?? ''] ?? message;
  return new ConfigError(`${settings}: cannot listen on ${host}, port ${port}: ${reason}.`, {
    cause: error,
  });
}

const LISTENING_REASONS: Readonly<Record<string, string>> = Object.freeze({
  EADDRINUSE: 'something listens there already; expected a free port',
  EACCES: 'the system does not allow it; expected a port from 1024 on',
  EADDRNOTAVAIL: 'it is no address of this host',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name is not resolved',
});

/** Whether people reach the service by TLS, whoever speaks it. */
export function isPublicSecure({ publicUrl }: Pick<ServiceConfig, 'publicUrl'>): boolean {
  return publicUrl?.startsWith('https:') === true;
}

/**
 * Whose word counts on where a request comes from: of the proxy that connects alone, it is what that proxy itself
 * has seen, the last address of its header; those before it are what anybody wrote.
 */
export function trustedProxies({
  trustProxy,
}: Pick<ServiceConfig, 'trustProxy'>):
  | boolean
  | string[]
  | ((address: string, hopCount: number) => boolean) {
  if (trustProxy === true) return (_address, hopCount) => hopCount === 0;
  return trustProxy === false ? false : [...trustProxy];
}

/** The certificate and the key that the configuration names; null for plain HTTP. @throws {ConfigError} */
export function readTls({
  tls,
}: ServiceConfig): { readonly cert: Buffer; readonly key: Buffer } | null {
  if (tls === null) return null;
  const pair = { cert: readPem('certificate', tls.certificate), key: readPem('key', tls.key) };
  try {
    createSecureContext(pair);
  } catch (error) {
    const { message } = error as Error;
    throw new ConfigError(
      `tls: ${tls.certificate} and ${tls.key} are no certificate with its key: ${message}.`,
      { cause: error },
    );
  }
  return pair;
}

function readPem(name: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(`tls.${name}: cannot read ${path}: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}
