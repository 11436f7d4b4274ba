const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Everything about access that can be set. Lengths of time are in milliseconds. */
export interface AccessSettings {
  /** Whether everybody may view every stream, without credentials. */
  readonly publicRead: boolean;
  /** Whether requests of this host may do everything as long as there is no user. */
  readonly isOpen: boolean;
  readonly password: PasswordSettings;
  readonly session: SessionSettings;
  readonly login: LoginSettings;
  /** How long the link that makes the first admin is good for. */
  readonly setupLinkMs: number;
  /** API tokens of a user who is no admin. */
  readonly tokensPerUserMax: number;
  /** Grants that a user has given who is no admin. */
  readonly grantsPerUserMax: number;
}

/** Cost of a password's hash, by the names of RFC 9106. Changed ones apply from a user's next login on. */
export interface PasswordSettings {
  readonly memoryKib: number;
  readonly passCount: number;
  readonly parallelism: number;
  /** Characters. */
  readonly lengthMin: number;
  /** Hashes that are computed at once, each with its memory. */
  readonly concurrency: number;
  /** Hashes that wait for that; further ones are refused. */
  readonly waitingCountMax: number;
}

export interface SessionSettings {
  /** Ends a session that nobody used for so long. */
  readonly idleMs: number;
  /** Ends every session. */
  readonly absoluteMs: number;
  /** Sessions of one user; the oldest ends when there are more. */
  readonly countMax: number;
  /** Whether cookies are for TLS alone, also where a proxy speaks it, and does not say so. */
  readonly isSecure: boolean;
}

/** When failed logins lock a name, or an address, out: after the free ones, for twice as long each time. */
export interface LoginSettings {
  readonly freeCountByName: number;
  readonly freeCountByAddress: number;
  readonly lockBaseMs: number;
  readonly lockMaxMs: number;
  /** Failures older than this are forgotten. */
  readonly forgetMs: number;
  /** Attempts at one name, or from one address, that are under way at once. */
  readonly pendingCountMax: number;
  /** Names and addresses that are remembered. */
  readonly rememberedCountMax: number;
}

/** argon2id as RFC 9106 and OWASP advise for servers: 19 MiB, two passes. */
export const DEFAULT_ACCESS_SETTINGS: AccessSettings = Object.freeze({
  publicRead: false,
  isOpen: false,
  password: {
    memoryKib: 19_456,
    passCount: 2,
    parallelism: 1,
    lengthMin: 10,
    concurrency: 2,
    waitingCountMax: 100,
  },
  session: { idleMs: 7 * DAY_MS, absoluteMs: 30 * DAY_MS, countMax: 50, isSecure: false },
  login: {
    freeCountByName: 5,
    freeCountByAddress: 20,
    lockBaseMs: 1000,
    lockMaxMs: 15 * MINUTE_MS,
    forgetMs: HOUR_MS,
    pendingCountMax: 10,
    rememberedCountMax: 10_000,
  },
  setupLinkMs: DAY_MS,
  tokensPerUserMax: 1000,
  grantsPerUserMax: 10_000,
});
