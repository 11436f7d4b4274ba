import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Access } from './access/access.ts';
import { type AccessSettings, DEFAULT_ACCESS_SETTINGS } from './access/settings.ts';
import { ConfigError } from './config/config-error.ts';
import type { ServiceConfig } from './config/service-config.ts';
import { isPublicSecure } from './operations/listening.ts';
import { StateStore } from './state/state-store.ts';

const EMBEDDED_SCHEME = 'embedded:';
const MEMORY_SCHEME = 'memory:';
/** The folder of the state in that of an embedded store. */
export const STATE_FOLDER = 'service';
/** Many people may share an address. */
const ADDRESS_FACTOR = 4;

/** The state of a service, and who may do what in it. */
export interface OpenAccess {
  readonly state: StateStore;
  readonly access: Access;
  close(): Promise<void>;
}

/**
 * Opens what the service itself keeps. That of a store in memory is gone with it.
 * @throws {ConfigError} when the configuration does not say where; {ServiceError} when it cannot be opened.
 */
export async function openAccess(
  config: ServiceConfig,
  { now, creates = true }: { readonly now: () => Date; readonly creates?: boolean },
): Promise<OpenAccess> {
  const isPassing = config.state === null && config.store.startsWith(MEMORY_SCHEME);
  const folder = isPassing
    ? mkdtempSync(join(tmpdir(), 'datastream-service-'))
    : stateFolder(config);
  const { auditEntries, auditKept } = config.access;
  const state = await StateStore.open(folder, {
    creates,
    audit: { entryCountMax: auditEntries, ageMaxMs: auditKept },
  });
  return {
    state,
    access: new Access(state, { settings: settingsOf(config), now }),
    close: async () => {
      await state.close();
      if (isPassing) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Where the state is: beside the files of an embedded store, who copies its folder has the users, too.
 * @throws {ConfigError} when the configuration does not say.
 */
export function stateFolder({ state, store }: ServiceConfig): string {
  if (state !== null) return state;
  const path = store.startsWith(EMBEDDED_SCHEME) ? store.slice(EMBEDDED_SCHEME.length) : '';
  if (path !== '') return join(path, STATE_FOLDER);
  throw new ConfigError('state must name a folder for users and settings, as the store has none.');
}

function settingsOf({ access, limits, ...config }: ServiceConfig): AccessSettings {
  const { password, session, login } = DEFAULT_ACCESS_SETTINGS;
  return {
    publicRead: access.publicRead,
    isOpen: access.mode === 'open',
    password: {
      ...password,
      lengthMin: access.passwordLength,
      memoryKib: access.passwordMemoryKib,
      passCount: access.passwordPasses,
      parallelism: access.passwordThreads,
    },
    session: {
      ...session,
      idleMs: access.sessionIdle,
      absoluteMs: access.sessionLongest,
      isSecure: isPublicSecure(config),
    },
    login: {
      ...login,
      freeCountByName: access.failedLoginCount,
      freeCountByAddress: access.failedLoginCount * ADDRESS_FACTOR,
      lockBaseMs: access.failedLoginWait,
      lockMaxMs: access.failedLoginWaitLongest,
      // Longer than any wait, or waiting would make up for what it is for.
      forgetMs: Math.max(login.forgetMs, 2 * access.failedLoginWaitLongest),
    },
    setupLinkMs: access.setupLink,
    tokensPerUserMax: limits.tokensPerUser,
    grantsPerUserMax: limits.grantsPerUser,
  };
}
